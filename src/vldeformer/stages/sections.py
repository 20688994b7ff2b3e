"""Reading a stage's settings file: JSON with just the sections that the stage may see."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from vldeformer.artifact import read_json
from vldeformer.datasets.sources import AnyDataset, DatasetSettings
from vldeformer.errors import InputError
from vldeformer.models.any_settings import AnyBackbone, AnyBackboneSettings
from vldeformer.section import Section, expected_and_got, place_of
from vldeformer.training.settings import AnyTraining, TrainSettings

AnySection = TypeVar("AnySection", bound=Section)


def read_section(path: Path, name: str, kind: type[AnySection]) -> AnySection:
    """One section. Raises InputError naming file and key if it is missing, of a wrong type or has unknown keys."""
    return _validated(path, name, TypeAdapter(kind))


def read_dataset(path: Path) -> AnyDataset:
    """The section ``dataset``."""
    return _validated(path, "dataset", TypeAdapter[AnyDataset](DatasetSettings))


def read_backbone(path: Path) -> AnyBackbone:
    """The section ``backbone``."""
    return _validated(path, "backbone", TypeAdapter[AnyBackbone](AnyBackboneSettings))


def read_training(path: Path) -> AnyTraining:
    """The section ``train``."""
    return _validated(path, "train", TypeAdapter[AnyTraining](TrainSettings))


Value = TypeVar("Value")


def _validated(path: Path, name: str, adapter: TypeAdapter[Value]) -> Value:
    settings = read_json(path)
    if not isinstance(settings, dict) or name not in settings:
        raise InputError(f"{path}: expected a section {name!r}; give the stage its own settings file")
    try:
        return adapter.validate_python(settings[name])
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join([name, *place_of(first, settings[name])])
        told = " " if first["type"] in ("missing", "extra_forbidden") else ": "
        raise InputError(f"{path}: {key}{told}{expected_and_got(first)}") from None
