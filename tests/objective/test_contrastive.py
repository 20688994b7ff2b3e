"""InfoNCE against cross-entropy and by hand; multi-similarity where nothing is wrong."""

import math

import pytest
import torch
from loss_oracles import unit
from torch.nn import functional

from vldeformer.objective.candidates import gather_candidates
from vldeformer.objective.contrastive import info_nce, multi_similarity
from vldeformer.objective.retrieval import retrieval_loss


@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_without_negatives_it_is_two_cross_entropies(temperature):
    captions, images, numbers = unit(7, 1), unit(7, 2), torch.tensor([4, 9, 0, 3, 8, 1, 7])
    scores = captions @ images.T / temperature
    expected = functional.cross_entropy(scores, torch.arange(7)) + functional.cross_entropy(scores.T, torch.arange(7))
    found = retrieval_loss("infonce", captions, images, numbers, temperature)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)


def test_the_gradient_too_is_that_of_cross_entropy():
    gradients = []
    for own in (True, False):
        captions, images, temperature = unit(6, 1).requires_grad_(), unit(6, 2).requires_grad_(), torch.tensor(0.1)
        temperature.requires_grad_()
        if own:
            loss = retrieval_loss("infonce", captions, images, torch.arange(6), temperature)
        else:
            scores = functional.normalize(captions, dim=1) @ functional.normalize(images, dim=1).T / temperature
            loss = functional.cross_entropy(scores, torch.arange(6)) + functional.cross_entropy(scores.T, torch.arange(6))
        gradients.append(torch.autograd.grad(loss, (captions, images, temperature)))
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_a_negative_like_its_anchor_costs_most_with_scope_anchor_for_its_owner_alone():
    hard, valid, e = torch.eye(3)[[0, 0, 0]], torch.tensor([True, False, False]), math.e
    first, rest = math.log((2 * e + 2) / e), math.log((e + 2) / e)
    for scope, others in (("anchor", rest), ("batch", math.log((e + 3) / e))):
        found = info_nce(torch.eye(3), gather_candidates(torch.eye(3), torch.arange(3), hard, valid, scope), 1.0)
        assert found.item() == pytest.approx((first + 2 * others) / 3, rel=1e-5)


def test_multi_similarity_by_hand():
    found = multi_similarity(torch.eye(2), gather_candidates(torch.eye(2), torch.arange(2)))
    assert found.item() == pytest.approx(math.log(1 + math.exp(-1)) / 2 + math.log(1 + math.exp(-25)) / 50, rel=1e-5)
