"""Reading a step's settings file: JSON with the step's version and just the sections that the step may see."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from vldeformer.artifact import read_json
from vldeformer.datasets.sources import AnyDataset, DatasetSettings
from vldeformer.errors import InputError
from vldeformer.extractors.settings import AnyRegions, AnyRegionSettings
from vldeformer.models.any_settings import AnyBackbone, AnyBackboneSettings
from vldeformer.section import Section, expected_and_got, place_of
from vldeformer.training.settings import AnyTraining, TrainSettings

AnySection = TypeVar("AnySection", bound=Section)
Value = TypeVar("Value")


def read_section(path: Path, name: str, kind: type[AnySection], version: int) -> AnySection:
    """One section of a settings file.

    Args:
        path: the step's settings file.
        name: key of the section.
        kind: class of its values.
        version: VERSION of the step. A file that people write by hand may leave ``version`` out.

    Raises:
        InputError: names file and key if the section is missing, of a wrong type or has unknown keys, or if the file was
            written for another version of the step.

    """
    return _validated(path, name, TypeAdapter(kind), version)


def read_dataset(path: Path, version: int) -> AnyDataset:
    """The section ``dataset``; raises InputError as ``read_section`` does."""
    return _validated(path, "dataset", TypeAdapter[AnyDataset](DatasetSettings), version)


def read_regions(path: Path, version: int) -> AnyRegions:
    """The section ``regions``; raises InputError as ``read_section`` does."""
    return _validated(path, "regions", TypeAdapter[AnyRegions](AnyRegionSettings), version)


def read_backbone(path: Path, version: int) -> AnyBackbone:
    """The section ``backbone``; raises InputError as ``read_section`` does."""
    return _validated(path, "backbone", TypeAdapter[AnyBackbone](AnyBackboneSettings), version)


def read_training(path: Path, version: int) -> AnyTraining:
    """The section ``train``; raises InputError as ``read_section`` does."""
    return _validated(path, "train", TypeAdapter[AnyTraining](TrainSettings), version)


def read_recorded(path: Path, version: int) -> dict[str, dict[str, Any]]:
    """The section ``records``: experiment → settings that its record must have. Raises InputError as ``read_section`` does."""
    return _validated(path, "records", TypeAdapter(dict[str, dict[str, Any]]), version)


def _validated(path: Path, name: str, adapter: TypeAdapter[Value], version: int) -> Value:
    settings = read_json(path)
    if isinstance(settings, dict):
        _check_version(path, settings, version)
    if not isinstance(settings, dict) or name not in settings:
        raise InputError(f"{path}: expected a section {name!r}; give the step its own settings file")
    try:
        return adapter.validate_python(settings[name])
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join([name, *place_of(first, settings[name])])
        told = " " if first["type"] in ("missing", "extra_forbidden") else ": "
        raise InputError(f"{path}: {key}{told}{expected_and_got(first)}") from None


def _check_version(path: Path, settings: dict[str, Any], version: int) -> None:
    found = settings.get("version", version)
    if found != version or isinstance(found, bool):
        raise InputError(f"{path}: expected version {version} of the step, got {found!r}; run snakemake, which writes it again")
