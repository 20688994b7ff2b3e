"""Mismatched pairs and masked words."""

import math

import pytest
import torch

from vldeformer.errors import InputError
from vldeformer.objective.matching import mask_words, mismatched, pretraining_loss


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("negatives", [1, 3])
@pytest.mark.parametrize("numbers", [[0, 1], [5, 2, 5, 9, 2, 5], list(range(12))])
def test_pairs_are_matching_first_and_then_mismatched(numbers, negatives):
    count = len(numbers)
    for seed in range(20):
        captions, images, targets = (part.tolist() for part in mismatched(torch.tensor(numbers), negatives, generator(seed)))
        assert captions[:count] == images[:count] == list(range(count))
        assert targets == [1] * count + [0] * count * negatives and len(captions) == len(images) == len(targets)
        for row in range(count, len(targets)):
            caption, image = captions[row], images[row]
            assert numbers[caption] != numbers[image]
            assert row % count in (caption, image), "one half of the pair is the own one"


def test_caption_and_image_are_exchanged_equally_often_and_everybody_is_chosen():
    captions, images, _ = mismatched(torch.arange(10), 400, generator())
    swapped = (captions[10:].reshape(400, 10) != torch.arange(10)).float().mean().item()
    assert 0.45 < swapped < 0.55
    assert set(zip(captions[10:].tolist(), images[10:].tolist(), strict=True)) == {
        (a, b) for a in range(10) for b in range(10) if a != b
    }


def test_the_same_generator_draws_the_same_pairs():
    one, two, other = (mismatched(torch.arange(10), 2, generator(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_one_image_cannot_be_mismatched():
    with pytest.raises(InputError, match="at least two images"):
        mismatched(torch.tensor([3, 3]), 1, generator())


def test_masking_follows_berts_shares_and_touches_nothing_else():
    ids = torch.full((400, 50), 7)
    maskable = torch.zeros_like(ids, dtype=torch.bool)
    maskable[:, :40] = True
    before = ids.clone()
    changed, chosen = mask_words(ids, maskable, 0.15, mask_id=4, words=1000, generator=generator())
    assert torch.equal(ids, before), "the right words are still needed"
    assert not (chosen & ~maskable).any() and torch.equal(changed[~chosen], ids[~chosen])
    assert chosen[maskable].float().mean().item() == pytest.approx(0.15, abs=0.01)
    picked = changed[chosen]
    assert (picked == 4).float().mean().item() == pytest.approx(0.8, abs=0.03)
    assert (picked == 7).float().mean().item() == pytest.approx(0.1, abs=0.02)
    assert picked[(picked != 4) & (picked != 7)].unique().numel() > 100


def test_loss_is_the_mean_surprise_of_words_and_of_matches():
    logits, match = torch.randn(3, 5, generator=generator(1)), torch.randn(4, 2, generator=generator(2))
    right, targets = [4, 0, 2], [1, 0, 0, 1]

    def surprise(rows, rights):
        return sum(
            math.log(sum(math.exp(v) for v in row.tolist())) - row[one].item() for row, one in zip(rows, rights, strict=True)
        ) / len(rights)

    words, matches = pretraining_loss(logits, torch.tensor(right), match, torch.tensor(targets))
    assert words.item() == pytest.approx(surprise(logits, right), rel=1e-5)
    assert matches.item() == pytest.approx(surprise(match, targets), rel=1e-5)


def test_no_masked_word_costs_nothing_and_is_no_nan():
    logits = torch.zeros(0, 5, requires_grad=True)
    words, _ = pretraining_loss(logits, torch.zeros(0, dtype=torch.int64), torch.zeros(2, 2), torch.tensor([0, 1]))
    words.backward()
    assert words.item() == 0 and logits.grad is not None
