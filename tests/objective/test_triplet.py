"""Triplets on vectors placed by angle, against torch's own triplet loss and the library's miner."""

import math

import pytest
import torch
from loss_oracles import unit
from pytorch_metric_learning.distances import CosineSimilarity
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import MeanReducer

from vldeformer.objective.candidates import gather_candidates
from vldeformer.objective.retrieval import retrieval_loss
from vldeformer.objective.triplet import hardest_triplet, rolled_triplet


def at(*degrees):
    return torch.tensor([[math.cos(math.radians(angle)), math.sin(math.radians(angle))] for angle in degrees])


def test_as_released_it_is_torchs_triplet_loss_with_the_batch_rolled_by_one():
    captions, images = unit(6, 1), unit(6, 2)
    released = torch.nn.TripletMarginLoss(margin=1.0, p=2)
    expected = released(captions, images, images.roll(1, 0)) + released(images, captions, captions.roll(1, 0))
    found = retrieval_loss("triplet", captions, images, torch.arange(6), 1.0, 1.0)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_rolled_row_of_the_same_image_is_no_negative():
    queries, references = at(0, 0, 90), at(0, 0, 90)
    apart, same = (rolled_triplet(queries, gather_candidates(references, torch.tensor(n)), 1.0) for n in ([0, 1, 2], [0, 0, 2]))
    # Distances to the row before: query 0 to 90°, query 1 to itself, query 2 to 0°; that of query 1 costs the margin.
    assert apart.item() == pytest.approx(1 / 3, rel=1e-3) and same.item() == 0


def test_the_hardest_are_the_farthest_right_and_the_nearest_wrong_one():
    queries, references = at(0, 180, 100), at(60, 170, 20)
    candidates = gather_candidates(
        references, torch.tensor([0, 1, 0]), at(40, 0, 0), torch.tensor([True, False, False]), "anchor"
    )

    def chord(angle):
        return 2 * math.sin(math.radians(angle) / 2)

    costs = [
        0.5 + chord(60) - chord(40),  # right: 60° and 20°; wrong: 170°, and 40° composed
        max(0.0, 0.5 + chord(10) - chord(120)),
        0.5 + chord(80) - chord(70),  # right: 60° and 20°; wrong: 170°
    ]
    assert hardest_triplet(queries, candidates, 0.5).item() == pytest.approx(sum(costs) / 3, rel=1e-5)


def test_where_labels_can_say_it_the_library_mines_the_same():
    queries, references, hard = (unit(20, seed) for seed in range(3))
    numbers, everyone = torch.arange(20) // 2, torch.ones(20, dtype=torch.bool)
    labels = torch.cat([numbers, torch.arange(100, 120)])
    mined = BatchHardMiner(distance=CosineSimilarity())(queries, numbers, torch.cat([references, hard]), labels)
    loss = TripletMarginLoss(0.4, reducer=MeanReducer())
    expected = loss(queries, indices_tuple=mined, ref_emb=torch.cat([references, hard]))
    found = hardest_triplet(queries, gather_candidates(references, numbers, hard, everyone, "batch"), 0.4)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_without_a_negative_there_is_nothing_to_learn():
    queries = unit(3, 1).requires_grad_()
    for loss in (rolled_triplet, hardest_triplet):
        value = loss(queries, gather_candidates(unit(3, 2), torch.zeros(3, dtype=torch.int64)), 1.0)
        value.backward()
        assert value.item() == 0 and not queries.grad.any()
