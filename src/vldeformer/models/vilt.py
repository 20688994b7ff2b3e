"""The ViLT backbone: a transformer that reads word pieces and patches of pixels, no detector.

The weights are those of transformers' ``ViltModel``. Its own forward always joins text and image, finds the valid patches
with Python loops over the batch and draws surplus ones at random; here all images have one size, so every patch is
valid and the same embeddings are computed directly (a test compares both).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import ViltConfig, ViltModel

from vldeformer.inputs.batch import PixelInput, TextInput, VisualInput
from vldeformer.models.backbone import Backbone, Sequence
from vldeformer.models.settings import BackboneSettings


class ViltBackbone(Backbone):
    """Patches of square images of one size."""

    def __init__(self, settings: BackboneSettings, vocabulary_size: int) -> None:
        super().__init__()
        self.hidden_size = settings.hidden
        config = ViltConfig(
            vocab_size=vocabulary_size,
            hidden_size=settings.hidden,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            intermediate_size=settings.intermediate,
            hidden_dropout_prob=settings.dropout,
            attention_probs_dropout_prob=settings.dropout,
            image_size=settings.crop_size,
            patch_size=settings.patch_size,
            max_position_embeddings=max(settings.caption_tokens, 40),
            max_image_length=-1,
        )
        self.vilt = ViltModel(config)
        # transformers leaves these at zero, which makes a model trained from scratch blind to where a patch is.
        nn.init.normal_(self.vilt.embeddings.position_embeddings, std=config.initializer_range)
        nn.init.normal_(self.vilt.embeddings.cls_token, std=config.initializer_range)

    def text_sequence(self, text: TextInput) -> Sequence:
        """Words of modality 0."""
        embeddings = self.vilt.embeddings
        words = embeddings.text_embeddings(input_ids=text.ids)
        return Sequence(words + embeddings.token_type_embeddings.weight[0], text.mask)

    def visual_sequence(self, visual: VisualInput, after: TextInput | None = None) -> Sequence:
        """A [CLS] vector and all patches, modality 1; the same behind a caption and alone."""
        assert isinstance(visual, PixelInput)
        embeddings = self.vilt.embeddings
        patches = embeddings.patch_embeddings(visual.pixels).flatten(2).transpose(1, 2)
        states = torch.cat([embeddings.cls_token.expand(len(patches), -1, -1), patches], 1) + embeddings.position_embeddings
        states = embeddings.dropout(states) + embeddings.token_type_embeddings.weight[1]
        return Sequence(states, torch.ones(states.shape[:2], dtype=torch.bool, device=states.device))

    def encode(self, sequence: Sequence) -> Sequence:
        """ViLT's layers and final layer norm."""
        hidden = torch.where(sequence.mask, 0.0, torch.finfo(sequence.states.dtype).min)[:, None, None, :]
        states = self.vilt.encoder(sequence.states, hidden.to(sequence.states.dtype)).last_hidden_state
        return Sequence(self.vilt.layernorm(states), sequence.mask)

    def summary(self, encoded: Sequence) -> Float[Tensor, "B H"]:
        """ViLT's pooler on the first position."""
        pooled: Tensor = self.vilt.pooler(encoded.states)
        return pooled

    def word_embeddings(self) -> Float[Tensor, "words H"]:
        """ViLT's word table."""
        table: Tensor = self.vilt.embeddings.text_embeddings.word_embeddings.weight
        return table
