"""The Oscar / VinVL backbone: BERT that reads captions, detector tags and region vectors.

Region path: dropout of features → Linear(V → H) → LayerNorm (VinVL; not the first Oscar) → dropout, without position or segment
embedding. Tags are words of segment 1. Read together with a caption the tags come right behind its [SEP] (their own [CLS] is
hidden), in the room that it leaves; read alone they start the sequence with their [CLS], as in the released code.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from vldeformer.inputs.batch import RegionInput, TextInput, VisualInput
from vldeformer.models import packed
from vldeformer.models.backbone import Backbone, Sequence
from vldeformer.models.oscar_settings import OscarSettings


class OscarBackbone(Backbone):
    """``feature_width``: numbers of a region, box included (2054 for VinVL)."""

    def __init__(self, settings: OscarSettings, vocabulary_size: int, feature_width: int) -> None:
        super().__init__(settings, vocabulary_size, feature_width)
        self.hidden_size, self.heads, self.joint_tokens = settings.hidden, settings.heads, settings.joint_tokens
        longest = max(
            settings.caption_tokens, settings.tag_tokens, self.joint_tokens or settings.caption_tokens + settings.tag_tokens
        )
        config = BertConfig(
            **settings.transformer_sizes(vocabulary_size),
            max_position_embeddings=settings.position_rows(longest, 512),
            attn_implementation="sdpa",
        )
        self.bert = BertModel(config)
        self.bert.embeddings.word_embeddings.requires_grad_(not settings.freeze_words)
        self.region_embedding = nn.Linear(feature_width, settings.hidden)
        self.region_norm = nn.LayerNorm(settings.hidden, settings.region_norm_eps) if settings.region_norm else nn.Identity()
        self.dropout, self.feature_dropout = nn.Dropout(settings.dropout), nn.Dropout(settings.feature_dropout)
        nn.init.normal_(self.region_embedding.weight, std=config.initializer_range)
        nn.init.zeros_(self.region_embedding.bias)

    def text_sequence(self, text: TextInput) -> Sequence:
        """Words of segment 0."""
        return Sequence(self.bert.embeddings(input_ids=text.ids), text.mask)

    def visual_sequence(self, visual: VisualInput, after: TextInput | None = None) -> Sequence:
        """Tags of segment 1, then regions."""
        assert isinstance(visual, RegionInput)
        ids, mask = visual.tag_ids, visual.tag_mask
        positions = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
        if after is not None:
            ids, mask, positions = self._behind(after, ids, mask, positions)
        # Padding is of segment 0, as released: pooling `mean_all` averages over its states too.
        tags = self.bert.embeddings(input_ids=ids, token_type_ids=visual.tag_mask.long(), position_ids=positions)
        project = packed.project if self.skips_padding else nn.Linear.__call__
        features = visual.features
        if self.training and self.feature_dropout.p > 0:
            # The same numbers of all regions of an image: dropped one by one they would come back in the mean of the regions.
            features = features * self.feature_dropout(torch.ones_like(features[:, :1]))
        regions = self.dropout(self.region_norm(project(self.region_embedding, features)))
        return Sequence(tags, mask).followed_by(Sequence(regions, visual.region_mask))

    def _behind(self, caption: TextInput, ids: Tensor, mask: Tensor, positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tags that go on counting where the caption ended; their [CLS] would sit on the caption's [SEP] and is hidden."""
        length, last = caption.mask.sum(1, keepdim=True), mask.sum(1, keepdim=True) - 1
        if self.joint_tokens is None:
            return ids, mask & (positions > 0), positions + length - 1
        room = self.joint_tokens - length
        shown = mask & (positions > 0) & (positions <= room)
        # The last that has room is the [SEP] of the whole row; what is hidden needs a position that exists, no matter which.
        return ids.where(positions != room, ids.gather(1, last)), shown, (positions + length - 1).where(shown, 0)

    def encode(self, sequence: Sequence, first: int = 0, last: int | None = None) -> Sequence:
        """BERT's layers with full attention over what the mask shows."""
        layers = self.bert.encoder.layer[first:last]
        if self.skips_padding:
            return packed.encode(layers, sequence, self.heads)
        states, shown = sequence.states, sequence.mask[:, None, None, :]
        for layer in layers:
            states = layer(states, shown)
        return Sequence(states, sequence.mask)

    @property
    def skips_padding(self) -> bool:
        """In inference on a CPU."""
        return packed.packs(self)

    def summary(self, encoded: Sequence) -> Float[Tensor, "B H"]:
        """BERT's pooler on the first position."""
        pooled: Tensor = self.bert.pooler(encoded.states)
        return pooled

    def word_embeddings(self) -> Float[Tensor, "words H"]:
        """BERT's word table."""
        table: Tensor = self.bert.embeddings.word_embeddings.weight
        return table
