"""A number that was measured with several seeds on the same images: its mean, with an interval over seeds and images.

Seeds and images are resampled together (a hierarchical bootstrap). A few seeds are a small sample: their resampled means vary
less than the mean of other seeds would, by the factor √((n − 1) / n), so that part of the interval is widened by its inverse. The
t-interval over the seeds alone is given too; it needs no resampling, and it says nothing about other images.
"""

import math
from dataclasses import dataclass

import numpy as np

from vldeformer.evaluation.measures import Bootstrap, Estimate
from vldeformer.seeding import named_generator


@dataclass(frozen=True)
class SeedEstimate(Estimate):
    """A mean over seeds. low, high: interval over seeds and images. t_low, t_high: over seeds alone; None of one seed."""

    seeds: int
    t_low: float | None
    t_high: float | None


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
    return SeedEstimate(
        float(values[:, 0].mean()), float(low), float(high), seeds, *t_interval(values[:, 0], bootstrap.confidence)
    )


def t_interval(values: np.ndarray, confidence: float) -> tuple[float, float] | tuple[None, None]:
    """Student's interval of the mean of (seeds,) values; (None, None) of a single one."""
    if len(values) < 2:
        return None, None
    from scipy.stats import t  # half a second, which planning a run does without

    half = t.ppf((1 + confidence) / 2, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def wilson_interval(hits: float, trials: int, confidence: float) -> tuple[float, float]:
    """Wilson's interval of a share: it has a width where all or none were right, where a bootstrap has none.

    Args:
        hits: how many were right.
        trials: of how many that do not depend on each other.
        confidence: 0.95 for the usual interval.

    Returns:
        Both ends as shares between 0 and 1.

    """
    from scipy.stats import norm

    z, share = float(norm.ppf((1 + confidence) / 2)), hits / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials)
    return max(0.0, middle - half), min(1.0, middle + half)
