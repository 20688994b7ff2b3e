"""How the weights of a model folder were trained: the record that the stage `train` left, which travels with a saved model."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from vldeformer.artifact import RECORD, read_json
from vldeformer.content_digest import digest
from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError

FOLDERS = ("model", "last")
"""Names of the model folders that `train` writes below its record."""


class RecordPart(BaseModel):
    """A part of a record. Keys beyond those that a model card shows are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")


class ReadInput(RecordPart):
    """What was read, and the digest of its content."""

    path: str
    sha256: str


class Code(RecordPart):
    """The code that trained; dirty: with uncommitted changes; None: not known."""

    version: str | None
    commit: str | None = None
    dirty: bool | None = None


class TrainedOn(RecordPart):
    """The data set. images: split → number of images."""

    name: str
    images: dict[str, int]


class TrainingRecord(RecordPart):
    """provenance.json of a training. kept_step: step of the weights; data: None if the manifest is not where it was read."""

    settings: dict[str, dict[str, Any]]
    inputs: dict[str, ReadInput]
    code: Code
    packages: dict[str, str | None] = {}
    python: str | None = None
    machine: dict[str, Any] = {}
    wall_seconds: float | None = None
    kept_step: int | None = None
    last_step: int | None = None
    data: TrainedOn | None = None


def read_training(model: Path | None) -> TrainingRecord | None:
    """The record in a model folder or, of ``train/model`` and ``train/last``, above it; None if there is none of a training.

    Raises InputError naming the file if it is damaged.
    """
    if model is None:
        return None
    places = [model / RECORD, *([model.parent / RECORD] if model.name in FOLDERS else [])]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return None
    value = read_json(path)
    try:
        record = TrainingRecord.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{path}: expected the record of a training, got something else ({key}: {first['msg']})") from None
    if not {"train", "pretrain"} & record.settings.keys():
        return None
    known: dict[str, Any] = {"data": record.data or _trained_on(record.inputs.get("manifest"))}
    if model.name == "last" and path.parent == model.parent:
        known["kept_step"] = record.last_step
    return record.model_copy(update=known)


def _trained_on(manifest: ReadInput | None) -> TrainedOn | None:
    if manifest is None or not Path(manifest.path).is_file() or digest(Path(manifest.path)) != manifest.sha256:
        return None
    found = Manifest.load(Path(manifest.path))
    return TrainedOn(name=found.dataset, images=found.splits)
