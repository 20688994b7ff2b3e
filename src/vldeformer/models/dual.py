"""The decomposed model: the same weights read a caption alone or an image alone.

``decompose`` is the paper's idea in code: it changes the data flow, not the weights.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from vldeformer.inputs.batch import PairBatch, TextInput, VisualInput
from vldeformer.models.backbone import Backbone, Sequence
from vldeformer.models.pooling import Pooling, pool


def decompose(backbone: Backbone, pooling: Pooling = "mean", dropout: float = 0.1) -> "DualEncoder":
    """An encoder of captions alone and images alone that shares ``backbone``'s weights; nothing is added or copied."""
    return DualEncoder(backbone, pooling, dropout)


@dataclass(frozen=True)
class PairVectors:
    """Unit vectors of a batch: captions, images, and the composed negatives of either."""

    captions: Float[Tensor, "B D"]
    images: Float[Tensor, "B D"]
    hard_captions: Float[Tensor, "B D"] | None
    hard_images: Float[Tensor, "B D"] | None


class DualEncoder(nn.Module):
    """Encode → pool → dropout → tanh → unit length; D = H."""

    def __init__(self, backbone: Backbone, pooling: Pooling, dropout: float) -> None:
        super().__init__()
        self.backbone, self.pooling = backbone, pooling
        self.dropout = nn.Dropout(dropout)

    def encode_text(self, text: TextInput) -> Float[Tensor, "B D"]:
        """Unit vectors of captions."""
        return self._vectors(self.backbone.text_sequence(text))

    def encode_visual(self, visual: VisualInput) -> Float[Tensor, "B D"]:
        """Unit vectors of images."""
        return self._vectors(self.backbone.visual_sequence(visual))

    def _vectors(self, sequence: Sequence) -> Float[Tensor, "B D"]:
        pooled = self.dropout(pool(self.backbone.encode(sequence), self.pooling))
        return functional.normalize(torch.tanh(pooled.float()), dim=-1)

    def forward(self, batch: PairBatch) -> PairVectors:
        """All vectors that the loss needs; one call, so that a distributed wrapper sees one forward pass."""
        return PairVectors(
            self.encode_text(batch.text),
            self.encode_visual(batch.visual),
            None if batch.hard_text is None else self.encode_text(batch.hard_text),
            None if batch.hard_visual is None else self.encode_visual(batch.hard_visual),
        )
