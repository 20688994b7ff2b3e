"""The linear backbone: no transformer that is trained, so what it reaches a decomposed transformer must surpass.

An image is the mean of its regions' features through one linear layer. A caption is the mean of its words, from a table learned
from nothing; or the mean state of a pre-trained BERT of sentences, which stays as it is, through one linear layer. Each is a
sequence of one position.
"""

from collections.abc import Iterable
from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from vldeformer.errors import InputError
from vldeformer.inputs.batch import RegionInput, TextInput, VisualInput
from vldeformer.models.backbone import Backbone, Sequence
from vldeformer.models.linear_settings import LinearSettings
from vldeformer.models.pooling import pool

WORD_DEVIATION = 0.02
"""Of word vectors at the start, as BERT's. PyTorch's 1 hides what is learned: Flickr8k, mean recall 30 on val instead of 47."""


class LinearBackbone(Backbone):
    """``bert`` is the frozen BERT of sentences, or None; ``words`` the learned vectors of words, or None."""

    def __init__(self, settings: LinearSettings, vocabulary_size: int, feature_width: int) -> None:
        super().__init__(settings, vocabulary_size, feature_width)
        self.hidden_size = settings.hidden
        self.dropout, self.feature_dropout = nn.Dropout(settings.dropout), nn.Dropout(settings.feature_dropout)
        self.region_map = nn.Linear(feature_width, settings.hidden)
        self.bert: BertModel | None = None
        self.words: nn.Embedding | None = None
        self._kept: dict[tuple[int, ...], Tensor] = {}
        if settings.text_model is None:
            self.words = nn.Embedding(vocabulary_size, settings.hidden)
            nn.init.normal_(self.words.weight, std=WORD_DEVIATION)
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
        """The mapped mean word."""
        if self.words is not None:
            return _one(self.dropout(pool(Sequence(self.words(text.ids), text.mask), "mean")), text.mask)
        return _one(self.text_map(self.dropout(self._sentences(text))), text.mask)

    def keep_sentences(self, texts: Iterable[TextInput]) -> None:
        """Read captions with the BERT of sentences once for a whole training, as it stays as it is."""
        if self.bert is None:
            return
        for text in texts:
            self._kept |= zip(_pieces(text), self._read(text).unbind(), strict=True)

    def _sentences(self, text: TextInput) -> Float[Tensor, "B H"]:
        rows = _pieces(text) if self._kept else []
        if rows and all(row in self._kept for row in rows):
            return torch.stack([self._kept[row] for row in rows]).to(text.ids.device)
        return self._read(text)

    def _read(self, text: TextInput) -> Float[Tensor, "B H"]:
        assert self.bert is not None
        with torch.no_grad():
            states = self.bert(input_ids=text.ids, attention_mask=text.mask.long()).last_hidden_state
            return pool(Sequence(states, text.mask), "mean")

    def visual_sequence(self, visual: VisualInput, after: TextInput | None = None) -> Sequence:
        """The mapped mean region."""
        assert isinstance(visual, RegionInput)
        mean = pool(Sequence(visual.features, visual.region_mask), "mean")
        return _one(self.region_map(self.dropout(self.feature_dropout(mean))), visual.region_mask)

    def encode(self, sequence: Sequence, first: int = 0, last: int | None = None) -> Sequence:
        """There is nothing to encode."""
        return sequence

    def summary(self, encoded: Sequence) -> Float[Tensor, "B H"]:
        """No pair is scored: ``LinearSettings`` refuse joint training."""
        raise InputError("a linear backbone reads captions and images apart only")

    def word_embeddings(self) -> Float[Tensor, "words H"]:
        """No masked word is predicted: it is trained from scratch."""
        raise InputError("a linear backbone is not pre-trained; set train.start to scratch")


def _pieces(text: TextInput) -> list[tuple[int, ...]]:
    return [tuple(ids[mask].tolist()) for ids, mask in zip(text.ids.cpu(), text.mask.cpu(), strict=True)]


def _one(state: Float[Tensor, "B H"], mask: Bool[Tensor, "B S"]) -> Sequence:
    """A sequence of one position, which is there if anything was."""
    return Sequence(state[:, None], mask.any(1, keepdim=True))
