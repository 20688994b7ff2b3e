"""From ranks to measures with intervals: recalls, median rank, mean recall, precisions. Several seeds: ``over_seeds``.

Intervals are percentile bootstrap intervals. Images are resampled, each with its own query and all its captions' queries,
because captions of one image are hard or easy together: drawing captions one by one would make the intervals too narrow.
Every model is resampled with the same draws, which makes a difference between two models a paired one.

Where all queries are answered, or none, every resample says so too, and the bootstrap has no width: there the interval is
Wilson's, of as many draws as there are images.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from vldeformer.retrieval.ranking import Ranks
from vldeformer.section import Section
from vldeformer.seeding import named_generator

CUTOFFS = (1, 5, 10)
RECALLS = tuple(f"R@{cutoff}" for cutoff in CUTOFFS)
PRECISIONS = ("R-Precision", "mAP@R")
CONFIDENCE = 0.95  # share of the resamples inside an interval, as is usual
MEDIAN_ROWS = 250  # resamples whose medians are found at a time, to bound memory


class EvaluationSettings(Section):
    """How retrieval is judged."""

    joint_images: int = Field(
        ge=2, description="first test images that the joint model scores with all their captions; protocol `subset`"
    )
    bootstrap_samples: int = Field(ge=100, description="resamples behind every interval")
    seed: int = Field(ge=0, description="seed of the resampling")

    @property
    def bootstrap(self) -> "Bootstrap":
        """The resampling behind every interval."""
        return Bootstrap(self.bootstrap_samples, CONFIDENCE, self.seed)


@dataclass(frozen=True)
class Estimate:
    """A measured value and the ends of its interval, all in the value's unit."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Measures:
    """``i2t`` and ``t2i``: R@1, R@5, R@10 in percent and median_rank (first = 1); mean_recall: mean of the six recalls.

    Where a query has many right items (ECCV Caption, CxC) also R-Precision and mAP@R in percent.
    """

    i2t: dict[str, Estimate]
    t2i: dict[str, Estimate]
    mean_recall: Estimate

    @property
    def rsum(self) -> float:
        """Sum of the six recalls, in percent: 600 is perfect."""
        return sum(direction[name].value for direction in (self.i2t, self.t2i) for name in RECALLS)


@dataclass(frozen=True, eq=False)
class Precisions:
    """R-Precision and mAP@R of each query, between 0 and 1: ``i2t`` (N, 2) and ``t2i`` (M, 2)."""

    i2t: np.ndarray
    t2i: np.ndarray


@dataclass(frozen=True)
class Bootstrap:
    """The resampling that an interval came from."""

    samples: int
    confidence: float
    seed: int

    def draws(self, n_images: int, fold: int = 0) -> np.ndarray:
        """(samples, N) int32: how often each image of a fold is drawn in each resample. The same for every model."""
        purpose: tuple[str | int, ...] = ("bootstrap", fold) if fold else ("bootstrap",)
        drawn = named_generator(self.seed, *purpose).integers(n_images, size=(self.samples, n_images))
        drawn += np.arange(self.samples)[:, None] * n_images
        counts = np.bincount(drawn.ravel(), minlength=self.samples * n_images)
        return counts.reshape(self.samples, n_images).astype(np.int32)

    def interval(self, values: np.ndarray) -> np.ndarray:
        """(2, ...) the percentiles of (samples, ...) resampled values that enclose the ``confidence`` share."""
        outside = (1 - self.confidence) / 2
        ends: np.ndarray = np.quantile(values, [outside, 1 - outside], axis=0)
        return ends

    def share_ends(self, percent: float, ends: tuple[float, float], n_images: int) -> tuple[float, float]:
        """``ends`` of a share's interval, or Wilson's where it is 0 or 100 percent; captions of an image count as one."""
        if percent not in (0, 100):
            return ends
        from scipy.stats import binomtest  # half a second, which nothing else here needs

        found = binomtest(n_images if percent > 0 else 0, n_images).proportion_ci(self.confidence, "wilson")
        return 100 * float(found.low), 100 * float(found.high)


def measure(
    ranks: Ranks, caption_image_index: np.ndarray, bootstrap: Bootstrap, folds: int = 1, precisions: Precisions | None = None
) -> Measures:
    """All measures of one model. caption_image_index (M,): the image with which each caption is resampled.

    folds: every measure is the mean over so many folds of equal size, neighbouring images each, and images are resampled
    within their fold; the ranks are those within the folds.
    """
    once, resampled = [], []
    for fold, (images, captions) in enumerate(fold_rows(caption_image_index, len(ranks.i2t), folds)):
        part = Ranks(ranks.i2t[images], ranks.t2i[captions])
        index = caption_image_index[captions] - images[0]
        more = None if precisions is None else Precisions(precisions.i2t[images], precisions.t2i[captions])
        draws = bootstrap.draws(len(images), fold)
        once.append(_columns(part, more, index, np.ones((1, len(images)), dtype=np.int32)))
        resampled.append(_columns(part, more, index, draws))
    values, samples = np.mean(once, axis=0)[0], np.mean(resampled, axis=0)
    low, high = bootstrap.interval(samples)
    for place in range(2 * len(RECALLS)):
        low[place], high[place] = bootstrap.share_ends(values[place], (low[place], high[place]), len(ranks.i2t))
    names = [(direction, name) for direction in ("i2t", "t2i") for name in RECALLS] + [
        ("i2t", "median_rank"),
        ("t2i", "median_rank"),
    ]
    names += [] if precisions is None else [(direction, name) for direction in ("i2t", "t2i") for name in PRECISIONS]
    estimates: dict[str, dict[str, Estimate]] = {"i2t": {}, "t2i": {}}
    for column, (direction, name) in enumerate(names):
        estimates[direction][name] = Estimate(float(values[column]), float(low[column]), float(high[column]))
    mean_low, mean_high = bootstrap.interval(samples[:, : 2 * len(RECALLS)].mean(axis=1))
    mean = Estimate(float(values[: 2 * len(RECALLS)].mean()), float(mean_low), float(mean_high))
    return Measures(estimates["i2t"], estimates["t2i"], mean)


def fold_rows(caption_image_index: np.ndarray, n_images: int, folds: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Image rows and caption rows of each of ``folds`` parts of neighbouring images; every image and caption is in one."""
    parts = []
    for images in np.array_split(np.arange(n_images), folds):
        own = (caption_image_index >= images[0]) & (caption_image_index <= images[-1])
        parts.append((images, np.flatnonzero(own)))
    return parts


def mean_recall(ranks: Ranks) -> float:
    """Mean of R@1, R@5 and R@10 of both directions, in percent."""
    return float(np.mean([100 * (own <= cutoff).mean() for own in (ranks.i2t, ranks.t2i) for cutoff in CUTOFFS]))


def _columns(ranks: Ranks, precisions: Precisions | None, caption_image_index: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """(samples, 8 or 12): six recalls and two median ranks, i2t first, then R-Precision and mAP@R of i2t and of t2i."""
    queries = ((ranks.i2t, np.arange(len(ranks.i2t))), (ranks.t2i, caption_image_index))
    columns = [six_recalls(ranks, caption_image_index, draws)]
    columns += [_medians(own, images, draws)[:, None] for own, images in queries]
    if precisions is not None:
        weights = draws.astype(np.float64)
        for values, (_, images) in zip((precisions.i2t, precisions.t2i), queries, strict=True):
            by_image = [np.bincount(images, each, minlength=len(ranks.i2t)) for each in (*values.T, np.ones(len(values)))]
            sums = weights @ np.stack(by_image, axis=1)
            columns.append(100 * sums[:, :-1] / sums[:, -1:])
    return np.concatenate(columns, axis=1)


def six_recalls(ranks: Ranks, caption_image_index: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """(samples, 6) percent: i2t R@1, R@5, R@10, then t2i, where image n and its captions count ``draws[:, n]`` times."""
    n_images = len(ranks.i2t)
    columns: list[np.ndarray] = [ranks.i2t <= cutoff for cutoff in CUTOFFS]
    columns += [np.bincount(caption_image_index, ranks.t2i <= cutoff, minlength=n_images) for cutoff in CUTOFFS]
    captions = np.bincount(caption_image_index, minlength=n_images)
    # Sums of whole numbers are exact in float64, so the order in which BLAS adds them changes nothing.
    weights = draws.astype(np.float64)
    hits = weights @ np.stack(columns, axis=1).astype(np.float64)
    queries = np.stack([weights.sum(axis=1)] * len(CUTOFFS) + [weights @ captions] * len(CUTOFFS), axis=1)
    percent: np.ndarray = 100 * hits / queries
    return percent


def _medians(ranks: np.ndarray, image_of_query: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """(samples,) the median rank where each query counts as often as its image was drawn."""
    order = np.argsort(ranks, kind="stable")
    ordered, images = ranks[order], image_of_query[order]
    medians = []
    for start in range(0, len(draws), MEDIAN_ROWS):
        reached = draws[start : start + MEDIAN_ROWS, images].cumsum(axis=1)
        total = reached[:, -1:]
        lower = ordered[np.count_nonzero(reached <= (total - 1) // 2, axis=1)]
        upper = ordered[np.count_nonzero(reached <= total // 2, axis=1)]
        medians.append((lower + upper) / 2)
    return np.concatenate(medians)
