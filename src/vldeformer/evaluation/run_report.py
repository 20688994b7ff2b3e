"""``RunReport``: the one record of a run, stored as report.json. Every table, figure and page is a view of it.

Recalls, accuracies and intervals are in percent, drops and gains in points of percent. A drop is always the joint model's mean
recall minus the decomposed one's. ``files`` of a fact are the files that it was computed from.
"""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from vldeformer.artifact import read_json, write_json
from vldeformer.errors import InputError
from vldeformer.evaluation.measures import Estimate

REPORT = "report.json"
COMPARED = "subset"
"""The protocol under which every model is judged, the joint one included."""
HELD, NOT_HELD, UNKNOWN = "held", "not held", "unknown"

Files = tuple[str, ...]


class Fact(BaseModel):
    """A frozen part of the record; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MeasuredFile(BaseModel):
    """A file of measured times, or a part of one. Keys that the report does not show are ignored."""

    model_config = ConfigDict(frozen=True)


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
    scaled where sampled_images or sampled_captions is smaller than n_images or n_captions.
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


class Model(Fact):
    """An experiment and what tables and figures call it."""

    experiment: str
    title: str


class Recall(Fact):
    """One experiment under one protocol. i2t, t2i: R@1, R@5, R@10, median_rank and, where measured, R-Precision and mAP@R.

    i2t_at, t2i_at: recall at 1, 2, … of each direction. place: keys in the file above those of a RESULT.json, with a slash.
    """

    experiment: str
    protocol: str
    n_images: int
    n_captions: int
    i2t: dict[str, Estimate]
    t2i: dict[str, Estimate]
    mean_recall: Estimate
    rsum: float
    i2t_at: tuple[float, ...]
    t2i_at: tuple[float, ...]
    files: Files
    place: str = ""


class Drop(Fact):
    """Mean recall of the joint model minus that of a decomposed one, on the same pairs, as the mean over common seeds.

    claim: the paper's bound; claimed: the paper's claim is about this model.
    """

    experiment: str
    drop: Estimate
    joint_mean_recall: float
    mean_recall: float
    seeds: int
    claim: float
    verdict: str
    claimed: bool
    files: Files


class Number(Fact):
    """A measured number of an experiment that is not a recall. key: its place in the one file; None: computed from all files."""

    value: Estimate | float
    files: Files
    key: str | None = None
    seeds: int = 1

    @property
    def plain(self) -> float:
        """The value without its interval."""
        return self.value.value if isinstance(self.value, Estimate) else self.value


class Choice(Fact):
    """A row of an ablation: mean recall over ``seeds`` runs and the gain over the reference, seed by seed.

    seconds: time for the whole test set, extrapolated. place: as that of a Recall.
    """

    experiment: str
    title: str
    at: float | None
    line: str | None
    seeds: int
    mean_recall: Estimate
    reference: str | None
    gain: Estimate | None
    gain_by_seed: dict[int, float]
    compositional: Number | None
    compositional_gain: Number | None
    seconds: Number | None
    files: Files
    place: str = ""


class AblationResult(Fact):
    """All rows about one choice of the method. axis: name of the numbers ``at``; None: no curve."""

    name: str
    title: str
    protocol: str
    axis: str | None
    logarithmic: bool
    choices: tuple[Choice, ...]


class RerankedDepth(Fact):
    """k candidates per query: pairs scored for all queries, seconds for all queries, ms of one query's pairs."""

    k: int
    pairs: int
    seconds: float
    query_ms: float
    mean_recall: Estimate
    drop: Estimate
    files: Files


class Reranking(Fact):
    """The decomposed model proposes, the joint model orders. main_depth: k of the main table; pair_ms: the joint model's pair."""

    main_depth: int
    dual_weight: float
    n_images: int
    n_captions: int
    pair_ms: float
    depths: tuple[RerankedDepth, ...]

    def joint_seconds(self) -> float:
        """The joint model on all pairs, extrapolated from ``pair_ms``."""
        return self.pair_ms * self.n_images * self.n_captions / 1e3

    def joint_query_seconds(self, n_images: int) -> float:
        """The joint model on one caption and ``n_images`` images, extrapolated."""
        return self.pair_ms * n_images / 1e3

    def query_seconds(self, depth: RerankedDepth, point: GalleryPoint) -> float:
        """One text query alone, its ``k`` candidates re-ranked, in a gallery of that size."""
        return (point.dual_ms_per_query + depth.query_ms) / 1e3


class Composed(Fact):
    """The compositional test of one experiment: accuracy by subset and ``mean``, share of ties by subset.

    blind: accuracy of a model of the captions alone, by subset; None: there is none. place: as that of a Recall.
    """

    experiment: str
    n_items: int
    accuracies: dict[str, Estimate]
    ties: dict[str, float]
    blind: dict[str, float] | None
    files: Files
    place: str = ""


class MadeOn(Fact):
    """Where an experiment was trained, or evaluated if nothing was trained. dirty: the code had uncommitted changes."""

    commit: str | None
    dirty: bool | None
    processor: str | None

    @property
    def code(self) -> str:
        """The commit in words."""
        return f"{(self.commit or 'not recorded')[:12]}{' with changes' if self.dirty else ''}"

    def __str__(self) -> str:
        return f"commit {self.code}, {self.processor or 'processor not recorded'}"


class Published(Fact):
    """A published model under one protocol; recalls by column (``i2t_r1`` …), None: not found. where: file and line."""

    protocol: str
    model: str
    kind: str
    recalls: dict[str, float | None]
    source: str
    where: str


class Training(Fact):
    """Curves of one training: its loss, thinned to means of neighbours, and mean recall on the validation split."""

    experiment: str
    steps: tuple[float, ...]
    losses: tuple[float, ...]
    val_steps: tuple[int, ...]
    val_recalls: tuple[float, ...]


class Headline(Fact):
    """The answer of a run in one line. It holds no time: it is the same in every run on one machine."""

    model: str
    mean_recall: float
    joint_mean_recall: float
    drop: float
    drop_low: float
    drop_high: float
    verdict: str


class RunReport(Fact):
    """Everything that is shown of a run. models: all with a title, in the order of the tables.

    confidence: share of the resamples inside an interval; counterparts: experiment → published model to compare with.
    records: file of an experiment's record, among ``files`` of the facts → where it was made.
    """

    dataset: str
    main: str
    baseline: str
    confidence: float
    claimed_drop: float
    claimed_speedup: float
    models: tuple[Model, ...]
    recalls: tuple[Recall, ...]
    drops: tuple[Drop, ...]
    ablations: tuple[AblationResult, ...] = ()
    speed: Speed | None = None
    speed_file: str = ""
    reranking: Reranking | None = None
    compositional: tuple[Composed, ...] = ()
    published: tuple[Published, ...] = ()
    published_protocols: tuple[str, ...] = ()
    counterparts: dict[str, str] = {}
    training: tuple[Training, ...] = ()
    records: dict[str, MadeOn] = {}

    @classmethod
    def load(cls, path: Path) -> "RunReport":
        """Read report.json. Raises InputError naming the file and the first key that is missing or wrong."""
        return read_measured(path, cls, "report")

    def save(self, path: Path) -> None:
        """Write report.json."""
        write_json(path, self.model_dump(mode="json"))

    @property
    def titles(self) -> dict[str, str]:
        """Experiment → title, in the order of the tables."""
        return {model.experiment: model.title for model in self.models}

    def under(self, protocol: str) -> list[Recall]:
        """Recalls under one protocol, in the order of the models."""
        order = list(self.titles)
        return sorted((one for one in self.recalls if one.protocol == protocol), key=lambda one: order.index(one.experiment))

    def recall(self, experiment: str, protocol: str) -> Recall | None:
        """That recall, or None."""
        return next((one for one in self.recalls if (one.experiment, one.protocol) == (experiment, protocol)), None)

    def drop_of(self, experiment: str) -> Drop | None:
        """The recall drop of a decomposed model, or None."""
        return next((one for one in self.drops if one.experiment == experiment), None)

    def ablation(self, name: str) -> AblationResult | None:
        """That ablation, or None."""
        return next((one for one in self.ablations if one.name == name), None)

    def main_drop(self) -> Drop:
        """The recall drop of the main model. Raises InputError if it was not measured."""
        found = self.drop_of(self.main)
        if found is None:
            names = ", ".join(one.experiment for one in self.drops)
            raise InputError(f"report.main is {self.main!r}, expected one of report.decomposed ({names})")
        return found

    def headline(self) -> Headline:
        """The main model's line: what metrics.json holds."""
        found = self.main_drop()
        return Headline(
            model=self.main,
            mean_recall=found.mean_recall,
            joint_mean_recall=found.joint_mean_recall,
            drop=found.drop.value,
            drop_low=found.drop.low,
            drop_high=found.drop.high,
            verdict=found.verdict,
        )
