"""The contrastive loss of decomposition, from parts of pytorch-metric-learning.

SupConLoss with MeanReducer and reference embeddings equals two-direction InfoNCE when every image occurs once in a batch;
with two captions of one image it counts both as right. NTXentLoss is the same formula at cubic cost.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int64
from pytorch_metric_learning.distances import CosineSimilarity
from pytorch_metric_learning.losses import SupConLoss
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor

Scope = Literal["anchor", "batch"]


def directed_loss(
    queries: Float[Tensor, "Q D"],
    references: Float[Tensor, "N D"],
    query_images: Int64[Tensor, " Q"],
    reference_images: Int64[Tensor, " N"],
    temperature: float,
    hard: Float[Tensor, "Q D"] | None = None,
    hard_valid: Bool[Tensor, " Q"] | None = None,
    scope: Scope = "batch",
) -> Float[Tensor, ""]:
    """Mean over queries of −log softmax of the right references among all references and composed negatives.

    ``hard[i]`` is the negative composed for query i (used where ``hard_valid[i]``); it joins the candidates of every
    query (scope ``batch``) or of query i only (scope ``anchor``).
    """
    loss = SupConLoss(temperature=temperature, distance=CosineSimilarity(), reducer=MeanReducer())
    pairs = None
    # A clone: with one tensor object as labels and reference labels the library takes both sets for one.
    labels = reference_images.clone()
    if hard is not None and hard_valid is not None:
        owners = hard_valid.nonzero(as_tuple=True)[0]
        # A label that no query has makes a composed negative wrong for all of them.
        fresh = -1 - torch.arange(len(owners), device=labels.device)
        references, labels = torch.cat([references, hard[owners]]), torch.cat([labels, fresh])
        if scope == "anchor":
            right = query_images[:, None] == labels[None, :]
            foreign = torch.zeros_like(right)
            foreign[:, len(reference_images) :] = owners[None, :] != torch.arange(len(queries), device=owners.device)[:, None]
            pairs = (*right.nonzero(as_tuple=True), *(~right & ~foreign).nonzero(as_tuple=True))
    value: Tensor = loss(queries, query_images, indices_tuple=pairs, ref_emb=references, ref_labels=labels)
    return value


def contrastive_loss(
    captions: Float[Tensor, "B D"],
    images: Float[Tensor, "B D"],
    image_numbers: Int64[Tensor, " B"],
    temperature: float,
    hard_captions: Float[Tensor, "B D"] | None = None,
    hard_captions_valid: Bool[Tensor, " B"] | None = None,
    hard_images: Float[Tensor, "B D"] | None = None,
    hard_images_valid: Bool[Tensor, " B"] | None = None,
    scope: Scope = "batch",
) -> Float[Tensor, ""]:
    """Sum of both directions, as released: captions look for images, images for captions."""
    text_to_image = directed_loss(
        captions, images, image_numbers, image_numbers, temperature, hard_images, hard_images_valid, scope
    )
    image_to_text = directed_loss(
        images, captions, image_numbers, image_numbers, temperature, hard_captions, hard_captions_valid, scope
    )
    return text_to_image + image_to_text
