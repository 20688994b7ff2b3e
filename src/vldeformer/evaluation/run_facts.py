"""Facts that a run's record (``RunReport``) holds.

Recalls, accuracies and intervals are in percent, drops and gains in points of percent. A drop is always the joint model's mean
recall minus the decomposed one's. ``files`` of a fact are the files that it was computed from.
"""

from pydantic import BaseModel, ConfigDict

from vldeformer.evaluation.measured_files import GalleryPoint
from vldeformer.evaluation.measures import Estimate
from vldeformer.evaluation.over_seeds import SeedEstimate
from vldeformer.evaluation.verdicts import Verdict, is_positive, stays_below

COMPARED = "subset"
"""The protocol under which every model is judged, the joint one included."""

Files = tuple[str, ...]


class Fact(BaseModel):
    """A frozen part of the record; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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

    def of(self, direction: str) -> dict[str, Estimate]:
        """What was measured of ``i2t`` or ``t2i``."""
        return self.i2t if direction == "i2t" else self.t2i


class Drop(Fact):
    """Mean recall of the joint model minus that of a decomposed one, on the same pairs, as the mean over common seeds.

    claim: the paper's bound; claimed: the paper's claim is about this model. over_trivial: the joint model minus the best trivial
    baseline, ``trivial``, on the same pairs; None: none was run.
    """

    experiment: str
    drop: SeedEstimate
    joint_mean_recall: float
    mean_recall: float
    seeds: int
    claim: float
    claimed: bool
    trivial: str | None = None
    over_trivial: SeedEstimate | None = None
    files: Files

    @property
    def verdict(self) -> Verdict:
        """Whether it is below the paper's bound."""
        return stays_below(self.drop, self.claim, self.seeds, self.over_trivial)


class Number(Fact):
    """A measured number of an experiment that is not a recall. key: its place in the one file; None: computed from all files."""

    value: SeedEstimate | float
    files: Files
    key: str | None = None
    seeds: int = 1


class Choice(Fact):
    """A row of an ablation: mean recall over ``seeds`` runs and the gain over the reference, seed by seed.

    seconds: time for the whole test set, extrapolated. place: as that of a Recall.
    """

    experiment: str
    title: str
    at: float | None
    line: str | None
    seeds: int
    mean_recall: SeedEstimate
    reference: str | None
    gain: SeedEstimate | None
    gain_by_seed: dict[int, float]
    compositional: Number | None
    compositional_gain: Number | None
    seconds: Number | None
    files: Files
    place: str = ""

    @property
    def verdict(self) -> Verdict | None:
        """Whether the gain is above 0; None: there is no gain."""
        return None if self.gain is None else is_positive(self.gain, len(self.gain_by_seed))


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

    def query_seconds(self, point: GalleryPoint) -> float:
        """One text query alone in a gallery of that size, its ``k`` candidates re-ranked."""
        return (point.dual_ms_per_query + self.query_ms) / 1e3


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
