"""What a pre-trained vision-language transformer must offer to be decomposed: three methods.

    make a text sequence, make a visual sequence, encode a sequence

Joint reading encodes text ++ visual as one sequence; the decomposed model encodes either alone. The weights are the same.
Layers can be run in two parts, so that a model may read both apart in its lower layers and together in its upper ones.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from vldeformer.inputs.batch import TextInput, VisualInput
from vldeformer.models.settings import BackboneSettings, TransformerSettings


@dataclass(frozen=True)
class Sequence:
    """Vectors and which of them are there; ``whole``: what becomes of the others is asked for too, by pooling ``mean_all``."""

    states: Float[Tensor, "B S H"]
    mask: Bool[Tensor, "B S"]
    whole: bool = False

    def followed_by(self, other: "Sequence") -> "Sequence":
        """Both, one behind the other."""
        return Sequence(torch.cat([self.states, other.states], 1), torch.cat([self.mask, other.mask], 1))

    def select(self, rows: Int64[Tensor, " rows"]) -> "Sequence":
        """The given rows, in the given order, repeats allowed."""
        return Sequence(self.states[rows], self.mask[rows])


class Backbone(nn.Module, ABC):
    """An encoder of sequences of words and regions."""

    hidden_size: int
    layers: int

    @abstractmethod
    def __init__(self, settings: BackboneSettings, vocabulary_size: int, feature_width: int) -> None:
        """Random weights. ``feature_width``: numbers that a reader gives of a region (3 of a pixel)."""
        super().__init__()
        self.layers = settings.layers if isinstance(settings, TransformerSettings) else 0

    @abstractmethod
    def text_sequence(self, text: TextInput) -> Sequence:
        """Embedded captions, not yet encoded."""

    @abstractmethod
    def visual_sequence(self, visual: VisualInput, after: TextInput | None = None) -> Sequence:
        """Embedded images, not yet encoded; ``after``: the captions that they follow when both are read together.

        Of a caption in ``after`` only the length may matter, because positions go on behind it, and not its words.
        """

    @abstractmethod
    def encode(self, sequence: Sequence, first: int = 0, last: int | None = None) -> Sequence:
        """The states behind the layers ``first`` up to ``last``, which is left out; None: to the transformer's end.

        What the transformer does behind its last layer, such as a final norm, belongs to the end: it is done if ``last`` is None.
        """

    @property
    def skips_padding(self) -> bool:
        """Whether ``encode`` does, as things are, no work for what is not there: in inference, of some backbones."""
        return False

    @abstractmethod
    def summary(self, encoded: Sequence) -> Float[Tensor, "B H"]:
        """The state that speaks for the whole sequence: the pooled first position."""

    @abstractmethod
    def word_embeddings(self) -> Float[Tensor, "words H"]:
        """The table of word vectors, to predict masked words with."""

    def encode_jointly(self, text: TextInput, visual: VisualInput) -> Sequence:
        """Early interaction: caption and image in one sequence."""
        return self.encode(self.text_sequence(text).followed_by(self.visual_sequence(visual, after=text)))
