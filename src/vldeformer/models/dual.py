"""The decomposed model: the same weights read a caption alone or an image alone.

``decompose`` is the paper's idea in code: it changes the data flow, not the weights.
"""

import copy
import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vldeformer.inputs.batch import PairBatch, TensorGroup, TextInput, VisualInput, stacked
from vldeformer.models import packed
from vldeformer.models.backbone import Backbone, Sequence
from vldeformer.models.packed import read_by_length
from vldeformer.models.pooling import pool, pooled_size, unit
from vldeformer.models.settings import Pooling

AnyInput = TypeVar("AnyInput", bound=TensorGroup)


def decompose(
    backbone: Backbone,
    pooling: Pooling = "mean",
    dropout: float = 0.1,
    shared: bool = True,
    initial_temperature: float | None = None,
) -> "DualEncoder":
    """Make an encoder that reads captions alone and images alone with the weights of ``backbone``; no weight is added.

    Args:
        backbone: transformer that reads words and an image in one sequence.
        pooling: how the last states (B, S, H) become one vector.
        dropout: probability, on the pooled state in training.
        shared: captions and images use the same weights; False: images use a copy that is trained separately.
        initial_temperature: start of a temperature that is trained with the weights; None: no such temperature.

    Returns:
        The dual encoder; its vectors are (B, D) of unit length.

    """
    image_backbone = None if shared else copy.deepcopy(backbone)
    return DualEncoder(backbone, image_backbone, pooling, dropout, initial_temperature)


@dataclass(frozen=True)
class PairVectors:
    """Unit vectors of a batch: captions, images, and the composed negatives of either; the temperature if it is learned.

    further_captions: of the C - 1 more captions of each image.
    """

    captions: Float[Tensor, "B D"]
    images: Float[Tensor, "B D"]
    hard_captions: Float[Tensor, "B D"] | None
    hard_images: Float[Tensor, "B D"] | None
    temperature: Float[Tensor, ""] | None = None
    further_captions: Float[Tensor, "B C-1 D"] | None = None

    @property
    def all_captions(self) -> Float[Tensor, "rows D"]:
        """Captions, and the composed ones behind them."""
        return self.captions if self.hard_captions is None else torch.cat([self.captions, self.hard_captions])

    @property
    def all_images(self) -> Float[Tensor, "rows D"]:
        """Images, and the composed ones behind them."""
        return self.images if self.hard_images is None else torch.cat([self.images, self.hard_images])

    def temperature_or(self, fixed: float) -> float | Float[Tensor, ""]:
        """The learned temperature, or ``fixed`` if none is learned."""
        return fixed if self.temperature is None else self.temperature


class DualEncoder(nn.Module):
    """Encode → pool → dropout → tanh → unit length.

    ``backbone`` reads captions, and images too if ``image_backbone`` is None. ``log_temperature`` is a number that only the
    loss needs; it lives here so that it is trained, saved and continued with the weights.
    """

    def __init__(
        self,
        backbone: Backbone,
        image_backbone: Backbone | None,
        pooling: Pooling,
        dropout: float,
        initial_temperature: float | None = None,
    ) -> None:
        super().__init__()
        self.backbone, self.image_backbone, self.pooling = backbone, image_backbone, pooling
        self.dropout = nn.Dropout(dropout)
        self.log_temperature: nn.Parameter | None = None
        if initial_temperature is not None:
            self.log_temperature = nn.Parameter(torch.tensor(math.log(initial_temperature)))

    @property
    def embedding_size(self) -> int:
        """Width D of the vectors: H, or 2 H with pooling ``mean_max``."""
        return pooled_size(self.backbone.hidden_size, self.pooling)

    @property
    def temperature(self) -> Float[Tensor, ""] | None:
        """The learned temperature, which cosines are divided by; None if it is not learned."""
        return None if self.log_temperature is None else self.log_temperature.exp()

    def encode_text(self, text: TextInput) -> Float[Tensor, "B D"]:
        """Unit vectors of captions."""
        return self._read(text, self.backbone, self.backbone.text_sequence)

    def encode_visual(self, visual: VisualInput) -> Float[Tensor, "B D"]:
        """Unit vectors of images."""
        reader = self.backbone if self.image_backbone is None else self.image_backbone
        return self._read(visual, reader, reader.visual_sequence)

    def _read(self, items: AnyInput, reader: Backbone, embed: Callable[[AnyInput], Sequence]) -> Float[Tensor, "B D"]:
        whole = self.pooling == "mean_all"  # padding is part of what it averages

        def vectors(part: AnyInput) -> Float[Tensor, "B D"]:
            sequence = dataclasses.replace(embed(part), whole=whole)
            pooled = self.dropout(pool(reader.encode(sequence), self.pooling))
            return unit(pooled)

        if whole:
            return vectors(items)
        tokens = packed.TOKENS_AT_ONCE if reader.skips_padding else None
        return read_by_length(items.lengths, lambda rows: vectors(items.select(rows).trimmed()), tokens)

    def forward(self, batch: PairBatch) -> PairVectors:
        """All that the loss needs; one call, so that a distributed wrapper sees one forward pass."""
        return PairVectors(
            self.encode_text(batch.text),
            self.encode_visual(batch.visual),
            None if batch.hard_text is None else self.encode_text(batch.hard_text),
            None if batch.hard_visual is None else self.encode_visual(batch.hard_visual),
            self.temperature,
            self._encode_further(batch) if batch.further_text else None,
        )

    def _encode_further(self, batch: PairBatch) -> Float[Tensor, "B C-1 D"]:
        turns: Tensor = self.encode_text(stacked(batch.further_text)).unflatten(0, (-1, len(batch)))
        return turns.transpose(0, 1)
