import pytest

from vldeformer.evaluation.measures import Estimate
from vldeformer.evaluation.verdicts import is_positive, reaches, stays_below


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        (Estimate(0.2, -0.1, 0.59), "held"),
        (Estimate(0.2, -0.1, 0.6), "unknown"),
        (Estimate(-0.5, -2, 0.9), "unknown"),
        (Estimate(2, 0.6, 3), "not held"),
        (Estimate(-0.5, -1, -0.1), "held"),
        (Estimate(-3, -4, -0.6), "held"),
        (Estimate(-3, -4, -0.7), "unknown"),  # a joint model so much worse did not learn
    ],
)
def test_a_drop_is_below_the_bound_only_if_the_whole_interval_is(estimate, expected):
    assert stays_below(estimate, 0.6, 5, None).word == expected
    few = stays_below(estimate, 0.6, 4, None)
    assert (few.word, few.rule) == ("unknown", "fewer than 5 seeds")


@pytest.mark.parametrize(("low", "expected"), [(-0.1, "no test"), (0.0, "no test"), (0.1, "held")])
def test_a_joint_model_that_is_not_clearly_above_a_trivial_baseline_is_no_test(low, expected):
    for seeds in (5, 1):
        judged = stays_below(Estimate(0.1, -0.2, 0.3), 0.6, seeds, Estimate(2.0, low, 4.0))
        assert judged.word == (expected if seeds == 5 or expected == "no test" else "unknown")


@pytest.mark.parametrize(("low", "high", "expected"), [(0.1, 0.5, "held"), (-0.1, 0.5, "unknown"), (-0.5, 0.0, "not held")])
def test_a_gain_is_positive_only_if_the_whole_interval_is(low, high, expected):
    assert is_positive(Estimate(0.0, low, high), 5).word == expected
    assert is_positive(Estimate(0.0, low, high), 3).word == "unknown"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(1000, 1300, "held"), (999.9, 1300, "unknown"), (900, 1000, "unknown"), (900, 999.9, "not held")],
)
def test_a_speed_up_reaches_the_bound_only_if_every_repeat_does(low, high, expected):
    assert reaches(Estimate(1000, low, high), 1000).word == expected
    assert reaches(None, 1000).word == "unknown"
