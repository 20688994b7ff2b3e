"""Pooling by plain loops over the positions."""

import pytest
import torch

from vldeformer.models.backbone import Sequence
from vldeformer.models.pooling import pool


@pytest.mark.parametrize("pooling", ["mean", "mean_all"])
def test_pooling_is_a_mean_of_positions(pooling):
    states = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[1, 1, 1, 1], [1, 0, 1, 0], [0, 1, 0, 0]], dtype=torch.bool)
    pooled = pool(Sequence(states, mask), pooling)
    for row in range(3):
        places = [place for place in range(4) if pooling == "mean_all" or mask[row, place]]
        for column in range(5):
            expected = sum(states[row, place, column].item() for place in places) / len(places)
            assert pooled[row, column].item() == pytest.approx(expected, abs=1e-6)


def test_a_sequence_of_nothing_is_zero_and_not_nan():
    empty = Sequence(torch.ones(1, 2, 3), torch.zeros(1, 2, dtype=torch.bool))
    assert pool(empty, "mean").tolist() == [[0, 0, 0]]
