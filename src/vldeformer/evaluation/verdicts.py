"""Whether measured numbers bear a claim out, and by which rule.

Held: the whole interval over seeds and images allows the claim. Not held: all of it forbids it. Unknown: it allows both, or there
are fewer than five seeds. No test: the joint model is not clearly above the best trivial baseline, so there is nothing to keep.
"""

from dataclasses import dataclass

from vldeformer.evaluation.measures import Estimate

HELD, NOT_HELD, UNKNOWN, NO_TEST = "held", "not held", "unknown", "no test"
LEAST_SEEDS = 5


@dataclass(frozen=True)
class Verdict:
    """The word, and the rule that gave it."""

    word: str
    rule: str


FEW = Verdict(UNKNOWN, f"fewer than {LEAST_SEEDS} seeds")


def stays_below(drop: Estimate, bound: float, seeds: int, over_trivial: Estimate | None) -> Verdict:
    """Whether a drop of the joint model's mean recall is below a bound.

    Args:
        drop: joint minus decomposed mean recall, in points.
        bound: the claim's, in points.
        seeds: with how many seeds both were trained.
        over_trivial: the joint model's mean recall minus that of the best trivial baseline; None: none was run.

    """
    if over_trivial is not None and over_trivial.low <= 0:
        return Verdict(NO_TEST, "the joint model is not clearly above the best trivial baseline")
    if seeds < LEAST_SEEDS:
        return FEW
    if drop.high < -bound:
        return Verdict(UNKNOWN, "the joint model is worse by more than the bound, so there is no accuracy to keep")
    if drop.high < bound:
        return Verdict(HELD, "the whole interval is below the bound")
    if drop.low >= bound:
        return Verdict(NOT_HELD, "no part of the interval is below the bound")
    return Verdict(UNKNOWN, "the bound is inside the interval")


def reaches(value: Estimate | None, bound: float) -> Verdict:
    """Whether a speed-up is at least a bound, by its repeats; None: they were not kept."""
    if value is None:
        return Verdict(UNKNOWN, "the repeats were not kept")
    if value.low >= bound:
        return Verdict(HELD, "every repeat is above the bound")
    if value.high < bound:
        return Verdict(NOT_HELD, "every repeat is below the bound")
    return Verdict(UNKNOWN, "the repeats are on both sides of the bound")


def is_positive(gain: Estimate, seeds: int) -> Verdict:
    """Whether a gain (points), measured with so many seeds, is above 0."""
    if seeds < LEAST_SEEDS:
        return FEW
    if gain.low > 0:
        return Verdict(HELD, "the whole interval is above 0")
    if gain.high <= 0:
        return Verdict(NOT_HELD, "no part of the interval is above 0")
    return Verdict(UNKNOWN, "0 is inside the interval")
