"""The VisualBERT backbone: BERT that reads a caption and bare region features, without tags and boxes.

The weights are those of transformers' ``VisualBertModel``. A region is its projected feature + visual segment 1 + visual
position 0. VisualBERT never saw regions without words, so an image that is read alone opens with an empty caption,
``[CLS] [SEP]``, in whose place the caption stands when both are read together.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import VisualBertConfig, VisualBertModel

from vldeformer.inputs.batch import RegionInput, TextInput, VisualInput
from vldeformer.models import packed
from vldeformer.models.backbone import Backbone, Sequence
from vldeformer.models.visualbert_settings import VisualBertSettings


class VisualBertBackbone(Backbone):
    """``feature_width``: numbers of a region's feature (2048 for uclanlp/visualbert-vqa-coco-pre)."""

    def __init__(self, settings: VisualBertSettings, vocabulary_size: int, feature_width: int) -> None:
        super().__init__(settings, vocabulary_size, feature_width)
        self.hidden_size, self.heads = settings.hidden, settings.heads
        config = VisualBertConfig(
            **settings.transformer_sizes(vocabulary_size),
            visual_embedding_dim=feature_width,
            max_position_embeddings=settings.position_rows(settings.caption_tokens, 512),
            pad_token_id=None,
        )
        self.visual_bert = VisualBertModel(config)

    def text_sequence(self, text: TextInput) -> Sequence:
        """Words of segment 0."""
        return Sequence(self.visual_bert.embeddings(input_ids=text.ids), text.mask)

    def visual_sequence(self, visual: VisualInput, after: TextInput | None = None) -> Sequence:
        """Regions behind the caption, or behind an empty one."""
        assert isinstance(visual, RegionInput)
        embeddings = self.visual_bert.embeddings
        places = embeddings.visual_token_type_embeddings.weight[1] + embeddings.visual_position_embeddings.weight[0]
        project = packed.project if self.skips_padding else nn.Linear.__call__
        regions = embeddings.LayerNorm(project(embeddings.visual_projection, visual.features) + places)
        sequence = Sequence(embeddings.dropout(regions), visual.region_mask)
        return (
            sequence
            if after is not None
            else self.text_sequence(TextInput(visual.tag_ids, visual.tag_mask)).followed_by(sequence)
        )

    def encode(self, sequence: Sequence, first: int = 0, last: int | None = None) -> Sequence:
        """VisualBERT's layers with full attention over what the mask shows."""
        layers = self.visual_bert.encoder.layer[first:last]
        if self.skips_padding:
            return packed.encode(layers, sequence, self.heads)
        states = sequence.states
        hidden = torch.where(sequence.mask, 0.0, torch.finfo(states.dtype).min)[:, None, None, :].to(states.dtype)
        for layer in layers:
            (states,) = layer(states, hidden)
        return Sequence(states, sequence.mask)

    @property
    def skips_padding(self) -> bool:
        """In inference on a CPU."""
        return packed.packs(self)

    def summary(self, encoded: Sequence) -> Float[Tensor, "B H"]:
        """VisualBERT's pooler on the first position."""
        pooled: Tensor = self.visual_bert.pooler(encoded.states)
        return pooled

    def word_embeddings(self) -> Float[Tensor, "words H"]:
        """VisualBERT's word table."""
        table: Tensor = self.visual_bert.embeddings.word_embeddings.weight
        return table
