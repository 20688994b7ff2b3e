"""The learning rate at steps that a person can check."""

import math

import pytest

from vldeformer.training.schedule import learning_rate


def rates(warmup, steps):
    return [learning_rate(step, 1.0, warmup, steps) for step in range(steps)]


def test_warm_up_then_half_a_cosine():
    assert rates(4, 12)[:5] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    assert learning_rate(8, 1.0, 4, 12) == pytest.approx(0.5)
    assert rates(4, 12)[-1] == pytest.approx((1 + math.cos(7 / 8 * math.pi)) / 2)
    falling = rates(4, 12)[4:]
    assert falling == sorted(falling, reverse=True) and falling[-1] > 0
    assert learning_rate(12, 1.0, 4, 12) == 0 and learning_rate(99, 1.0, 4, 12) == 0


def test_without_warm_up_it_starts_at_the_highest_and_scales():
    assert learning_rate(0, 3e-4, 0, 10) == pytest.approx(3e-4)
    assert learning_rate(5, 3e-4, 0, 10) == pytest.approx(1.5e-4)


def test_all_warm_up():
    assert rates(4, 4) == pytest.approx([0.25, 0.5, 0.75, 1.0])
