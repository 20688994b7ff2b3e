"""The Oscar / VinVL backbone: BERT that reads captions, detector tags and region vectors.

Region path: Linear(V → H) → LayerNorm → dropout, without position or segment embedding. Tags are words of segment 1.
Read together with a caption the tags come right behind its [SEP] (their own [CLS] is hidden); read alone they start the
sequence with their [CLS], as in the released code.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from vldeformer.inputs.batch import RegionInput, TextInput, VisualInput
from vldeformer.models.backbone import Backbone, Sequence
from vldeformer.models.settings import BackboneSettings


class OscarBackbone(Backbone):
    """``feature_width``: numbers of a region, box included (2054 for VinVL)."""

    def __init__(self, settings: BackboneSettings, vocabulary_size: int, feature_width: int) -> None:
        super().__init__()
        self.hidden_size = settings.hidden
        config = BertConfig(
            vocab_size=vocabulary_size,
            hidden_size=settings.hidden,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            intermediate_size=settings.intermediate,
            hidden_dropout_prob=settings.dropout,
            attention_probs_dropout_prob=settings.dropout,
            max_position_embeddings=max(settings.caption_tokens + settings.tag_tokens, 512),
            attn_implementation="sdpa",
        )
        self.bert = BertModel(config)
        self.region_embedding = nn.Linear(feature_width, settings.hidden)
        self.region_norm = nn.LayerNorm(settings.hidden, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(settings.dropout)
        nn.init.normal_(self.region_embedding.weight, std=config.initializer_range)
        nn.init.zeros_(self.region_embedding.bias)

    def text_sequence(self, text: TextInput) -> Sequence:
        """Words of segment 0."""
        return Sequence(self.bert.embeddings(input_ids=text.ids), text.mask)

    def visual_sequence(self, visual: VisualInput, after: TextInput | None = None) -> Sequence:
        """Tags of segment 1, then regions."""
        assert isinstance(visual, RegionInput)
        positions = torch.arange(visual.tag_ids.shape[1], device=visual.tag_ids.device).expand_as(visual.tag_ids)
        tag_mask = visual.tag_mask
        if after is not None:
            # Tags go on counting where the caption ended; their [CLS] would sit on the caption's [SEP] and is hidden.
            positions = positions + after.mask.sum(1, keepdim=True) - 1
            tag_mask = tag_mask & (torch.arange(tag_mask.shape[1], device=tag_mask.device) > 0)
        tags = self.bert.embeddings(
            input_ids=visual.tag_ids, token_type_ids=torch.ones_like(visual.tag_ids), position_ids=positions
        )
        regions = self.dropout(self.region_norm(self.region_embedding(visual.features)))
        return Sequence(tags, tag_mask).followed_by(Sequence(regions, visual.region_mask))

    def encode(self, sequence: Sequence) -> Sequence:
        """BERT's layers with full attention over what the mask shows."""
        attention_mask = sequence.mask[:, None, None, :]
        return Sequence(self.bert.encoder(sequence.states, attention_mask).last_hidden_state, sequence.mask)

    def summary(self, encoded: Sequence) -> Float[Tensor, "B H"]:
        """BERT's pooler on the first position."""
        pooled: Tensor = self.bert.pooler(encoded.states)
        return pooled

    def word_embeddings(self) -> Float[Tensor, "words H"]:
        """BERT's word table."""
        table: Tensor = self.bert.embeddings.word_embeddings.weight
        return table
