"""A number that was measured with several seeds on the same images: its mean, with an interval over seeds and images.

Seeds and images are resampled together (a hierarchical bootstrap). A few seeds are a small sample: their resampled means vary
less than the mean of other seeds would, by the factor √((n − 1) / n), so that part of the interval is widened by its inverse. The
t-interval over the seeds alone is given too; it needs no resampling, and it says nothing about other images.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vldeformer.evaluation.measures import Bootstrap, Estimate, six_recalls
from vldeformer.retrieval.ranking import Ranks
from vldeformer.seeding import named_generator


@dataclass(frozen=True)
class SeedEstimate(Estimate):
    """A mean over seeds. low, high: interval over seeds and images. t_low, t_high: over seeds alone; None of one seed."""

    t_low: float | None = None
    t_high: float | None = None

    @property
    def over_seeds_alone(self) -> Estimate | None:
        """The same value with the t-interval; None of one seed."""
        return None if self.t_low is None or self.t_high is None else Estimate(self.value, self.t_low, self.t_high)


def recall_drop(pairs: Sequence[tuple[Ranks, Ranks]], caption_image_index: np.ndarray, bootstrap: Bootstrap) -> SeedEstimate:
    """Mean recall of the first of each pair minus that of the second, in points, as the mean over pairs, one for each seed.

    Args:
        pairs: ranks of the same queries on both sides.
        caption_image_index: (M,) the image with which each caption is resampled.
        bootstrap: the resampling; all pairs are judged on the same resamples.

    """
    images = len(pairs[0][0].i2t)
    ours, theirs = (_recalls(runs, images, caption_image_index, bootstrap) for runs in zip(*pairs, strict=True))
    return over_seeds((ours - theirs).mean(axis=2), bootstrap)


def mean_over_runs(runs: Sequence[Ranks], caption_image_index: np.ndarray, bootstrap: Bootstrap) -> SeedEstimate:
    """Mean of the six recalls in percent as the mean over runs with other seeds; arguments as those of ``recall_drop``."""
    recalls = _recalls(runs, len(runs[0].i2t), caption_image_index, bootstrap)
    return over_seeds(recalls.mean(axis=2), bootstrap)


def over_seeds(values: np.ndarray, bootstrap: Bootstrap) -> SeedEstimate:
    """The mean over seeds with its intervals.

    Args:
        values: (seeds, 1 + samples). The first column counts every image once, the others as often as it was drawn, the same for
            every seed; NaN where a resample holds no item.
        bootstrap: where the resamples come from.

    """
    seeds, samples = len(values), values.shape[1] - 1
    resampled = values[:, 1:]
    means = resampled.mean(axis=0)
    if seeds > 1:
        drawn = named_generator(bootstrap.seed, "bootstrap", "seeds").integers(seeds, size=(samples, seeds))
        of_drawn = resampled[drawn, np.arange(samples)[:, None]].mean(axis=1)
        means = means + math.sqrt(seeds / (seeds - 1)) * (of_drawn - means)
    low, high = bootstrap.interval(means[np.isfinite(means)])
    ends = t_interval(values[:, 0], bootstrap.confidence)
    return SeedEstimate(float(values[:, 0].mean()), float(low), float(high), *ends)


def t_interval(values: np.ndarray, confidence: float) -> tuple[float, float] | tuple[None, None]:
    """Student's interval of the mean of (seeds,) values; (None, None) of a single one."""
    if len(values) < 2:
        return None, None
    from scipy.stats import t  # half a second, which planning a run does without

    half = t.ppf((1 + confidence) / 2, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def _recalls(runs: Sequence[Ranks], images: int, caption_image_index: np.ndarray, bootstrap: Bootstrap) -> np.ndarray:
    """(runs, 1 + samples, 6) percent."""
    if any((len(ranks.i2t), len(ranks.t2i)) != (images, len(caption_image_index)) for ranks in runs):
        raise ValueError("a mean over seeds needs the same queries in all runs")
    draws = np.concatenate([np.ones((1, images), dtype=np.int32), bootstrap.draws(images)])
    return np.stack([six_recalls(ranks, caption_image_index, draws) for ranks in runs])
