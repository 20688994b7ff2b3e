"""Every contrastive loss through its one entry, against loops over explicit candidates."""

from typing import get_args

import pytest
import torch
from loss_oracles import PLAIN, plain, unit

from vldeformer.objective.candidates import Scope
from vldeformer.objective.retrieval import LossName, retrieval_loss
from vldeformer.section import tags_of
from vldeformer.training.settings import ComposedTrainingNegatives, DualTraining

LOSSES = list(PLAIN)
SCOPES = ["anchor", "batch"]
APART, TWICE, ONE = torch.tensor([3, 1, 4, 0, 5]), torch.tensor([2, 7, 2, 0, 7]), torch.tensor([6, 6, 6, 6, 6])


def vectors():
    return [unit(5, seed) for seed in range(1, 5)]


def composed(valid=(1, 1, 0, 1, 1), other=(0, 1, 1, 1, 0)):
    return torch.tensor(valid, dtype=torch.bool), torch.tensor(other, dtype=torch.bool)


def both(loss, given, numbers, valid, other, scope, temperature=0.2, margin=0.7):
    captions, images, hard_captions, hard_images = given
    return retrieval_loss(loss, captions, images, numbers, temperature, margin, hard_captions, valid, hard_images, other, scope)


def test_the_names_are_those_of_the_settings():
    assert set(get_args(LossName)) == set(tags_of(DualTraining.model_fields["loss"])) == set(LOSSES)
    scopes = get_args(ComposedTrainingNegatives.model_fields["scope"].annotation)
    assert set(get_args(Scope)) == set(scopes) == set(SCOPES)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("numbers", [APART, TWICE])
def test_a_loss_without_composed_negatives_is_that_of_plain_loops(loss, numbers):
    captions, images, *_ = vectors()
    found = retrieval_loss(loss, captions, images, numbers, 0.2, 0.7).item()
    assert found == pytest.approx(plain(loss, captions, images, numbers, 0.2, 0.7), rel=1e-5) and found > 0


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("numbers", [APART, TWICE])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_with_composed_negatives_is_that_of_plain_loops(loss, numbers, scope):
    given, (valid, other) = vectors(), composed()
    captions, images, hard_captions, hard_images = given
    expected = plain(loss, captions, images, numbers, 0.2, 0.7, hard_captions, valid, hard_images, other, scope=scope)
    assert both(loss, given, numbers, valid, other, scope).item() == pytest.approx(expected, rel=1e-5)
    everyone = torch.ones(5, dtype=torch.bool)
    assert both(loss, given, numbers, everyone, everyone, scope).item() != pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("loss", LOSSES)
def test_numbers_of_invalid_rows_do_not_matter(loss, scope):
    given, (valid, other) = vectors(), composed()
    found = both(loss, given, APART, valid, other, scope)
    given[2][~valid], given[3][~other] = given[0][~valid], torch.nan
    assert torch.equal(both(loss, given, APART, valid, other, scope), found)
    nobody = torch.zeros(5, dtype=torch.bool)
    without = retrieval_loss(loss, given[0], given[1], APART, 0.2, 0.7)
    assert torch.equal(both(loss, given, APART, nobody, nobody, scope), without)


@pytest.mark.parametrize("loss", LOSSES)
def test_captions_of_one_image_are_never_each_others_negatives(loss):
    """Rows of one image cost least when all are alike; as rows of several images that costs more."""
    captions, images, *_ = vectors()
    alike = captions[:1].repeat(5, 1)
    together = retrieval_loss(loss, captions, images, ONE, 0.2, 0.7)
    at_one, torn = (retrieval_loss(loss, alike, alike, numbers, 0.2, 0.7) for numbers in (ONE, APART))
    assert at_one <= together and at_one < torn
    if loss in ("infonce", "triplet", "triplet_hard"):
        assert together == 0, "nothing is there to be told apart"


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("numbers", [APART, TWICE, ONE])
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_finite_where_everything_is_tied(loss, numbers, scope):
    for given in (vectors(), [unit(1, 1).repeat(5, 1) for _ in range(4)]):
        for part in given:
            part.requires_grad_()
        value = both(loss, given, numbers, *composed(), scope, temperature=0.01)
        value.backward()
        assert value.isfinite()
        for part in given:
            assert part.grad is None or part.grad.isfinite().all()


@pytest.mark.parametrize("loss", LOSSES)
def test_all_the_same_vectors_cost_what_loops_say(loss):
    same, (valid, other) = unit(1, 1).repeat(5, 1), composed()
    expected = plain(loss, same, same, APART, 0.2, 0.7, same, valid, same, other)
    assert both(loss, [same] * 4, APART, valid, other, "batch").item() == pytest.approx(expected, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_bfloat16_vectors_are_judged_in_float32(loss):
    given, (valid, other) = [part.bfloat16() for part in vectors()], composed()
    given[0].requires_grad_()
    found = both(loss, given, APART, valid, other, "batch")
    found.backward()
    exact = both(loss, [part.detach().float() for part in given], APART, valid, other, "batch")
    assert found.dtype == torch.float32 and torch.equal(found, exact)
    assert given[0].grad.dtype == torch.bfloat16 and given[0].grad.isfinite().all()


@pytest.mark.parametrize("loss", ["infonce", "sigmoid"])
def test_a_learned_temperature_gets_its_gradient(loss):
    given, (valid, other), step = vectors(), composed(), 1e-3
    temperature = torch.tensor(0.2, requires_grad=True)
    found = both(loss, given, APART, valid, other, "batch", temperature)
    found.backward()
    assert found.item() == pytest.approx(both(loss, given, APART, valid, other, "batch").item(), rel=1e-6)
    around = [both(loss, given, APART, valid, other, "batch", 0.2 + move).item() for move in (step, -step)]
    assert temperature.grad.item() == pytest.approx((around[0] - around[1]) / (2 * step), rel=1e-2)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_step_down_the_gradient_brings_pairs_together_and_composed_negatives_away(loss):
    captions, images, *noise = vectors()
    near = [torch.nn.functional.normalize(anchors + 0.3 * part) for anchors, part in zip((images, captions), noise, strict=True)]
    given, everyone = [part.requires_grad_() for part in (captions, images, *near)], torch.ones(5, dtype=torch.bool)
    before = both(loss, given, APART, everyone, everyone, "anchor")
    before.backward()
    captions, images, hard_captions, hard_images = (part.detach() - 1e-2 * part.grad for part in given)
    assert both(loss, [captions, images, hard_captions, hard_images], APART, everyone, everyone, "anchor") < before
    moved = torch.nn.functional.cosine_similarity(captions, images) - (given[0] * given[1]).sum(1)
    assert moved.mean() > 0
    for anchor, negative, old, row in ((images, hard_captions, given[1], 2), (captions, hard_images, given[0], 3)):
        met = torch.nn.functional.cosine_similarity(anchor, negative) - (old * given[row]).sum(1)
        assert met.mean() < 0
