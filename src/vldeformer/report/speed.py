"""speed.json as the report reads it: what was measured, what was extrapolated, and on what machine."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from vldeformer.artifact import read_json
from vldeformer.errors import InputError


class MeasuredFile(BaseModel):
    """A file of measured times, or a part of one. Keys beyond those that the report shows are welcome in it."""

    model_config = ConfigDict(frozen=True)


AnyFile = TypeVar("AnyFile", bound=MeasuredFile)


def read_measured(path: Path, kind: type[AnyFile], command: str) -> AnyFile:
    """Read it. Raises InputError naming the file, the first key that is missing or wrong, and the command that writes it."""
    try:
        return kind.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: key {key!r}: {first['msg']}; run `vldeformer {command}` again") from None


class BatchSizes(MeasuredFile):
    """Items a forward pass."""

    pairs: int
    images: int
    captions: int


class GalleryPoint(MeasuredFile):
    """Time of one text query against a gallery of so many images."""

    n_images: int
    joint_seconds_per_query: float
    dual_ms_per_query: float


class Speed(MeasuredFile):
    """Medians over ``repeats`` warm runs. Loading of models and data is in none of the times.

    pair_ms, image_ms, caption_ms: one item in a batch; ranking_ms: both directions of the whole test set;
    joint_seconds_extrapolated: all n_images * n_captions pairs, from a sample; dual_seconds: all images, all captions, ranking,
    scaled where sampled_images and sampled_captions are fewer.
    """

    pair_ms: float
    image_ms: float
    caption_ms: float
    ranking_ms: float
    n_images: int
    n_captions: int
    sampled_pairs: int
    sampled_images: int
    sampled_captions: int
    joint_seconds_extrapolated: float
    dual_seconds: float
    speedup: float
    device: str
    threads: int
    hardware: str
    precision: str
    repeats: int
    warmup: int
    batch: BatchSizes
    gallery_curve: tuple[GalleryPoint, ...]


def read_speed(path: Path) -> Speed:
    """Read speed.json. Raises InputError naming the file and the first key that is missing or wrong."""
    return read_measured(path, Speed, "speed")
