"""JSON files of measured times, as the report reads them. Keys that it does not show are ignored."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from vldeformer.artifact import read_json
from vldeformer.errors import InputError
from vldeformer.evaluation.measures import Estimate

AnyFile = TypeVar("AnyFile", bound=BaseModel)


def read_measured(path: Path, kind: type[AnyFile], command: str) -> AnyFile:
    """Read a JSON file that ``vldeformer COMMAND`` writes.

    Args:
        path: the file.
        kind: its type.
        command: the command that writes it, for the message.

    Raises:
        InputError: the file is missing, is not JSON, or a key is missing or wrong; names the file and the first such key.

    """
    try:
        return kind.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{path}: key {key!r}: {first['msg']}; run `vldeformer {command}` again") from None


class MeasuredFile(BaseModel):
    """A file of measured times, or a part of one."""

    model_config = ConfigDict(frozen=True)


class BatchSizes(MeasuredFile):
    """Items per forward pass."""

    pairs: int
    images: int
    captions: int


class GalleryPoint(MeasuredFile):
    """Time of one text query against a gallery of ``n_images``."""

    n_images: int
    joint_seconds_per_query: float
    dual_ms_per_query: float


class Speed(MeasuredFile):
    """speed.json: medians over ``repeats`` warm runs, without the loading of models and data.

    pair_ms, image_ms, caption_ms: one item in a batch; ranking_ms: both directions of the whole test set;
    joint_seconds_extrapolated: all n_images × n_captions pairs, from a sample; dual_seconds: all images, captions and ranking,
    scaled where sampled_images or sampled_captions is smaller than n_images or n_captions. speedup_low, speedup_high: the lowest
    and the highest that the repeats allow; None: the file was written before they were.
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
    speedup_low: float | None = None
    speedup_high: float | None = None
    device: str
    threads: int
    hardware: str
    precision: str
    repeats: int
    warmup: int
    batch: BatchSizes
    gallery_curve: tuple[GalleryPoint, ...]

    @property
    def estimate(self) -> Estimate | None:
        """The speed-up with its ends; None if they were not kept."""
        if self.speedup_low is None or self.speedup_high is None:
            return None
        return Estimate(self.speedup, self.speedup_low, self.speedup_high)

    @property
    def arithmetic_factor(self) -> float:
        """How many times more items the joint model reads: N × M pairs for N images and M captions. No model's speed is in it."""
        return self.n_images * self.n_captions / (self.n_images + self.n_captions)


class PairTime(MeasuredFile):
    """pair_time.json: ``seconds`` for the whole test set, extrapolated."""

    seconds: float


class DepthTimes(MeasuredFile):
    """k candidates per query: pairs that the joint model scores for all queries, and its ms for one text query alone."""

    k: int
    pairs: int
    query_ms: float


class RerankTimes(MeasuredFile):
    """rerank.json: ``depth`` is the main table's k; pair_ms: one pair in a batch; proposal_seconds: search and dual ranks."""

    depth: int
    depths: tuple[DepthTimes, ...]
    n_images: int
    n_captions: int
    dual_weight: float
    pair_ms: float
    proposal_seconds: float
