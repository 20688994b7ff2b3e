"""The loss of the decomposition by its name: captions look for their images, images for their captions.

Which candidates count is decided in ``candidates``, what a mistake costs in the loss of that name.
"""

from typing import Literal

from jaxtyping import Bool, Float, Int64
from torch import Tensor

from vldeformer.objective.candidates import Candidates, Scope, gather_candidates
from vldeformer.objective.contrastive import info_nce, multi_similarity
from vldeformer.objective.sigmoid import sigmoid_pairs
from vldeformer.objective.triplet import hardest_triplet, rolled_triplet

LossName = Literal["infonce", "triplet", "triplet_hard", "multi_similarity", "sigmoid"]


def retrieval_loss(
    loss: LossName,
    captions: Float[Tensor, "B D"],
    images: Float[Tensor, "B D"],
    image_numbers: Int64[Tensor, " B"],
    temperature: float | Float[Tensor, ""],
    margin: float = 1.0,
    hard_captions: Float[Tensor, "B D"] | None = None,
    hard_captions_valid: Bool[Tensor, " B"] | None = None,
    hard_images: Float[Tensor, "B D"] | None = None,
    hard_images_valid: Bool[Tensor, " B"] | None = None,
    scope: Scope = "batch",
) -> Float[Tensor, ""]:
    """Sum of both directions, as released, in float32 whatever the vectors are.

    Rows with one ``image_numbers`` are of one image and never each other's negatives. ``hard_captions[i]`` is composed from
    caption i and wrong for images, ``hard_images[i]`` from image i and wrong for captions: see ``gather_candidates``, also
    for ``scope``. ``temperature`` is read by infonce and sigmoid and, given as a tensor, gets its gradient; ``margin`` is read
    by the triplet losses.
    """
    captions, images = captions.float(), images.float()
    found_images = gather_candidates(images, image_numbers, _float(hard_images), hard_images_valid, scope)
    found_captions = gather_candidates(captions, image_numbers, _float(hard_captions), hard_captions_valid, scope)
    text_to_image = _directed(loss, captions, found_images, temperature, margin)
    return text_to_image + _directed(loss, images, found_captions, temperature, margin)


def _directed(
    loss: LossName, queries: Tensor, candidates: Candidates, temperature: float | Tensor, margin: float
) -> Float[Tensor, ""]:
    match loss:
        case "infonce":
            return info_nce(queries, candidates, temperature)
        case "triplet":
            return rolled_triplet(queries, candidates, margin)
        case "triplet_hard":
            return hardest_triplet(queries, candidates, margin)
        case "multi_similarity":
            return multi_similarity(queries, candidates)
        case "sigmoid":
            return sigmoid_pairs(queries, candidates, temperature)


def _float(rows: Tensor | None) -> Tensor | None:
    return None if rows is None else rows.float()
