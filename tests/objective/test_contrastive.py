"""The contrastive loss against cross-entropy and against loops over explicit candidates."""

import math

import pytest
import torch
from torch.nn import functional

from vldeformer.objective.contrastive import contrastive_loss, directed_loss


def unit(rows, seed, width=6):
    return functional.normalize(torch.randn(rows, width, generator=torch.Generator().manual_seed(seed)), dim=1)


def plain(queries, references, query_images, reference_images, temperature, hard=None, valid=None, scope="batch"):
    """Mean of -log softmax of the right references, one query and one candidate at a time."""
    total = 0.0
    for q, query in enumerate(queries):
        right, scores = [], []
        for reference, image in zip(references, reference_images, strict=True):
            scores.append(float(query @ reference) / temperature)
            if image == query_images[q]:
                right.append(scores[-1])
        if hard is not None:
            for owner, negative in enumerate(hard):
                if valid[owner] and (scope == "batch" or owner == q):
                    scores.append(float(query @ negative) / temperature)
        log_total = math.log(sum(math.exp(score) for score in scores))
        total += sum(log_total - score for score in right) / len(right)
    return total / len(queries)


@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_without_negatives_it_is_two_cross_entropies(temperature):
    captions, images, numbers = unit(7, 1), unit(7, 2), torch.tensor([4, 9, 0, 3, 8, 1, 7])
    scores = captions @ images.T / temperature
    expected = functional.cross_entropy(scores, torch.arange(7)) + functional.cross_entropy(scores.T, torch.arange(7))
    assert contrastive_loss(captions, images, numbers, temperature).item() == pytest.approx(expected.item(), rel=1e-6)


def test_the_gradient_too_is_that_of_cross_entropy():
    gradients = []
    for own in (True, False):
        captions, images = unit(6, 1).requires_grad_(), unit(6, 2).requires_grad_()
        if own:
            loss = contrastive_loss(captions, images, torch.arange(6), 0.1)
        else:
            scores = functional.normalize(captions, dim=1) @ functional.normalize(images, dim=1).T / 0.1
            loss = functional.cross_entropy(scores, torch.arange(6)) + functional.cross_entropy(scores.T, torch.arange(6))
        gradients.append(torch.autograd.grad(loss, (captions, images)))
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("scope", ["anchor", "batch"])
@pytest.mark.parametrize("valid", [[1, 1, 1, 1, 1], [1, 0, 1, 0, 1], [0, 0, 0, 0, 0]])
def test_composed_negatives_join_the_candidates(scope, valid):
    queries, references, hard = unit(5, 1), unit(5, 2), unit(5, 3)
    valid, numbers = torch.tensor(valid, dtype=torch.bool), torch.tensor([3, 1, 4, 0, 5])
    found = directed_loss(queries, references, numbers, numbers, 0.2, hard, valid, scope).item()
    assert found == pytest.approx(plain(queries, references, numbers, numbers, 0.2, hard, valid, scope), rel=1e-5)
    with_all = plain(queries, references, numbers, numbers, 0.2, hard, torch.ones(5, dtype=torch.bool), scope)
    assert (found == pytest.approx(with_all, rel=1e-4)) == bool(valid.all()), "rows that are not valid count nowhere"


def test_the_numbers_of_invalid_rows_do_not_matter():
    queries, references, hard = unit(4, 1), unit(4, 2), unit(4, 3)
    valid, numbers = torch.tensor([True, False, True, False]), torch.arange(4)
    found = [directed_loss(queries, references, numbers, numbers, 0.2, hard, valid)]
    hard = hard.clone()
    hard[[1, 3]] = queries[[1, 3]]
    found.append(directed_loss(queries, references, numbers, numbers, 0.2, hard, valid))
    assert torch.equal(*found)


@pytest.mark.parametrize("scope", ["anchor", "batch"])
def test_two_captions_of_one_image_are_both_right(scope):
    captions, images, hard = unit(5, 1), unit(5, 2), unit(5, 3)
    numbers, valid = torch.tensor([2, 7, 2, 0, 7]), torch.tensor([True, True, False, True, True])
    found = directed_loss(captions, images, numbers, numbers, 0.3, hard, valid, scope).item()
    assert found == pytest.approx(plain(captions, images, numbers, numbers, 0.3, hard, valid, scope), rel=1e-5)
    assert found != pytest.approx(plain(captions, images, torch.arange(5), torch.arange(5), 0.3, hard, valid, scope), rel=1e-3)


@pytest.mark.parametrize("scope", ["anchor", "batch"])
def test_captions_meet_composed_images_and_images_composed_captions(scope):
    captions, images, hard_captions, hard_images = (unit(4, seed) for seed in range(4))
    valid, other = torch.tensor([True, False, True, True]), torch.tensor([False, True, True, True])
    numbers = torch.arange(4)
    found = contrastive_loss(captions, images, numbers, 0.2, hard_captions, valid, hard_images, other, scope).item()
    expected = plain(captions, images, numbers, numbers, 0.2, hard_images, other, scope)
    expected += plain(images, captions, numbers, numbers, 0.2, hard_captions, valid, scope)
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_negative_like_its_anchor_costs_most_with_scope_anchor_for_its_owner_alone():
    queries = references = torch.eye(3)
    hard, valid, numbers = torch.eye(3)[[0, 0, 0]], torch.tensor([True, False, False]), torch.arange(3)
    anchor = directed_loss(queries, references, numbers, numbers, 1.0, hard, valid, "anchor").item()
    e = math.e
    first, rest = math.log((2 * e + 2) / e), math.log((e + 2) / e)
    assert anchor == pytest.approx((first + 2 * rest) / 3, rel=1e-5)
    batch = directed_loss(queries, references, numbers, numbers, 1.0, hard, valid, "batch").item()
    assert batch == pytest.approx((first + 2 * math.log((e + 3) / e)) / 3, rel=1e-5)
