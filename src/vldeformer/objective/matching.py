"""The losses of early interaction: match or no match, and masked words."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from vldeformer.errors import InputError


def mismatched(
    image_numbers: Int64[Tensor, " B"], negatives: int, generator: torch.Generator
) -> tuple[Int64[Tensor, " P"], Int64[Tensor, " P"], Int64[Tensor, " P"]]:
    """Pairs of a matching task: B matching ones, then ``negatives`` mismatched ones for each.

    Returns caption rows, image rows and targets (1 match, 0 no match), P = B (1 + negatives). As published, half of the
    mismatched pairs keep the image and get another caption of the batch, half keep the caption; the other one is always
    of another image.
    """
    own = torch.arange(len(image_numbers))
    differs = (image_numbers[:, None] != image_numbers[None, :]).float()
    if bool((differs.sum(1) == 0).any()):
        raise InputError("a batch needs at least two images to make mismatched pairs; raise batch_images")
    captions, images, targets = [own], [own], [torch.ones_like(own)]
    for _ in range(negatives):
        other = torch.multinomial(differs, 1, generator=generator)[:, 0]
        swap_caption = torch.rand(len(own), generator=generator) < 0.5
        captions.append(torch.where(swap_caption, other, own))
        images.append(torch.where(swap_caption, own, other))
        targets.append(torch.zeros_like(own))
    return torch.cat(captions), torch.cat(images), torch.cat(targets)


def mask_words(
    ids: Int64[Tensor, "B T"], maskable: Bool[Tensor, "B T"], ratio: float, mask_id: int, words: int, generator: torch.Generator
) -> tuple[Int64[Tensor, "B T"], Bool[Tensor, "B T"]]:
    """BERT's masking: of the chosen words 80 % become [MASK], 10 % a random word, 10 % stay. Returns new ids and the choice."""
    chosen = (torch.rand(ids.shape, generator=generator) < ratio) & maskable
    fate = torch.rand(ids.shape, generator=generator)
    random_words = torch.randint(words, ids.shape, generator=generator)
    changed = torch.where(chosen & (fate < 0.8), mask_id, ids)
    return torch.where(chosen & (fate >= 0.8) & (fate < 0.9), random_words, changed), chosen


def pretraining_loss(
    word_logits: Float[Tensor, "masked words"],
    right_words: Int64[Tensor, " masked"],
    match_logits: Float[Tensor, "B 2"],
    targets: Int64[Tensor, " B"],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Cross-entropy of masked words (0 if none was masked) and of match / no match."""
    words = functional.cross_entropy(word_logits.float(), right_words) if len(right_words) else word_logits.float().sum()
    return words, functional.cross_entropy(match_logits.float(), targets)
