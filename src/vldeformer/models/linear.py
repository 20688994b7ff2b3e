"""The linear backbone: no transformer that is trained, so what it reaches a decomposed transformer must surpass.

An image is the mean of its regions' features through one linear layer. A caption is the mean of its words: of vectors learned
from nothing, or of the states of a pre-trained BERT of sentences, which stays as it is, through one linear layer. The pooling
takes the mean, behind the linear layer; a linear map of a mean is the mean of the linear maps.
"""

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from vldeformer.errors import InputError
from vldeformer.inputs.batch import RegionInput, TextInput, VisualInput
from vldeformer.models.backbone import Backbone, Sequence
from vldeformer.models.linear_settings import LinearSettings


class LinearBackbone(Backbone):
    """``bert`` is the frozen BERT of sentences, or None; ``words`` the learned vectors of words, or None."""

    def __init__(self, settings: LinearSettings, vocabulary_size: int, feature_width: int) -> None:
        super().__init__(settings, vocabulary_size, feature_width)
        self.hidden_size = settings.hidden
        self.dropout = nn.Dropout(settings.dropout)
        self.region_map = nn.Linear(feature_width, settings.hidden)
        self.bert: BertModel | None = None
        self.words: nn.Embedding | None = None
        if settings.text_model is None:
            self.words = nn.Embedding(vocabulary_size, settings.hidden)
            return
        config = BertConfig(
            vocab_size=vocabulary_size,
            hidden_size=settings.text_hidden,
            num_hidden_layers=settings.text_layers,
            num_attention_heads=settings.text_heads,
            intermediate_size=settings.text_intermediate,
            attn_implementation="sdpa",
        )
        self.bert = BertModel(config, add_pooling_layer=False).requires_grad_(False)
        self.text_map = nn.Linear(settings.text_hidden, settings.hidden)

    def train(self, mode: bool = True) -> Self:
        """The BERT of sentences has no dropout in training either."""
        super().train(mode)
        if self.bert is not None:
            self.bert.eval()
        return self

    def text_sequence(self, text: TextInput) -> Sequence:
        """Mapped states of words."""
        if self.words is not None:
            return Sequence(self.dropout(self.words(text.ids)), text.mask)
        assert self.bert is not None
        with torch.no_grad():
            states = self.bert(input_ids=text.ids, attention_mask=text.mask.long()).last_hidden_state
        return Sequence(self.text_map(self.dropout(states)), text.mask)

    def visual_sequence(self, visual: VisualInput, after: TextInput | None = None) -> Sequence:
        """Mapped regions."""
        assert isinstance(visual, RegionInput)
        return Sequence(self.region_map(self.dropout(visual.features)), visual.region_mask)

    def encode(self, sequence: Sequence, first: int = 0, last: int | None = None) -> Sequence:
        """There is nothing to encode."""
        return sequence

    def summary(self, encoded: Sequence) -> Float[Tensor, "B H"]:
        """No pair is scored: ``LinearSettings`` refuse joint training."""
        raise InputError("a linear backbone reads captions and images apart only")

    def word_embeddings(self) -> Float[Tensor, "words H"]:
        """No masked word is predicted: it is trained from scratch."""
        raise InputError("a linear backbone is not pre-trained; set train.start to scratch")
