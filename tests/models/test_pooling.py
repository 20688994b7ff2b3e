"""Pooling by plain loops over the positions."""

from typing import get_args

import pytest
import torch

from vldeformer.models.backbone import Sequence
from vldeformer.models.pooling import pool, pooled_size
from vldeformer.models.settings import Pooling

POOLINGS = get_args(Pooling)
MASK = torch.tensor([[1, 1, 1, 1], [1, 0, 1, 0], [0, 1, 0, 0]], dtype=torch.bool)


def states():
    """All negative, so that a zero or a padded position would win a maximum."""
    return -1 - torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0))


def plain(pooling, row):
    """``row``: the states of the positions that are there, as lists."""
    mean, highest = ([combine(column) for column in zip(*row, strict=True)] for combine in (lambda c: sum(c) / len(c), max))
    return {"cls": row[0], "sep": row[-1], "mean": mean, "mean_all": mean, "mean_max": mean + highest}[pooling]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_is_that_of_loops_over_positions(pooling):
    found = pool(Sequence(states(), MASK), pooling)
    assert found.shape == (3, pooled_size(5, pooling))
    for row in range(3):
        there = [state for place, state in enumerate(states()[row].tolist()) if pooling == "mean_all" or MASK[row, place]]
        assert found[row].tolist() == pytest.approx(plain(pooling, there), abs=1e-6)


@pytest.mark.parametrize("pooling", [pooling for pooling in POOLINGS if pooling != "mean_all"])
def test_states_of_padding_have_no_part_in_the_vector_or_the_gradient(pooling):
    given = states()
    given[~MASK] = 99.0
    given.requires_grad_()
    found = pool(Sequence(given, MASK), pooling)
    assert torch.equal(found, pool(Sequence(states(), MASK), pooling))
    found.sum().backward()
    assert not given.grad[~MASK].any() and given.grad.isfinite().all()


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_sequence_of_nothing_is_zero_and_not_nan(pooling):
    nothing = Sequence(
        torch.zeros(1, 2, 3) if pooling == "mean_all" else torch.ones(1, 2, 3), torch.zeros(1, 2, dtype=torch.bool)
    )
    found = pool(nothing, pooling)
    assert found.shape == (1, pooled_size(3, pooling)) and not found.any()


def test_bfloat16_stays_bfloat16():
    for pooling in POOLINGS:
        assert pool(Sequence(states().bfloat16(), MASK), pooling).dtype == torch.bfloat16
