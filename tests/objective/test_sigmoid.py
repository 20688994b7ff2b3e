"""The pairwise sigmoid loss by hand."""

import math

import pytest
import torch

from vldeformer.objective.candidates import gather_candidates
from vldeformer.objective.sigmoid import sigmoid_pairs


@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_a_cosine_of_one_half_divides_right_from_wrong(temperature):
    half = torch.tensor([[0.5, math.sqrt(0.75)]])
    queries, references = torch.tensor([[1.0, 0.0]]).repeat(2, 1), half.repeat(2, 1)
    found = sigmoid_pairs(queries, gather_candidates(references, torch.arange(2)), temperature)
    assert found.item() == pytest.approx(2 * math.log(2), rel=1e-4), "undecided about the right one and about the wrong one"


def test_at_siglips_start_the_offset_is_minus_ten():
    found = sigmoid_pairs(torch.eye(2), gather_candidates(torch.eye(2), torch.arange(2)), 0.05)
    right, wrong = math.log(1 + math.exp(-(1 / 0.05 - 10))), math.log(1 + math.exp(0 / 0.05 - 10))
    assert found.item() == pytest.approx(right + wrong, rel=1e-4)


def test_a_negative_composed_for_another_query_costs_nothing():
    hard, valid = torch.eye(3)[[0, 0, 0]], torch.tensor([False, True, False])
    without = sigmoid_pairs(torch.eye(3), gather_candidates(torch.eye(3), torch.arange(3)), 0.1)
    anchor, batch = (
        sigmoid_pairs(torch.eye(3), gather_candidates(torch.eye(3), torch.arange(3), hard, valid, scope), 0.1)
        for scope in ("anchor", "batch")
    )
    away, like = math.log(1 + math.exp(-5)), math.log(1 + math.exp(5))
    assert (anchor - without).item() == pytest.approx(away / 3, rel=1e-3)
    assert (batch - without).item() == pytest.approx((like + 2 * away) / 3, rel=1e-4)
