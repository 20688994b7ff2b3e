"""The backbone with its two pre-training heads: masked words and match / no match."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from vldeformer.inputs.batch import PairBatch, TextInput, VisualInput
from vldeformer.models.dual import PairVectors, decompose
from vldeformer.models.joint import JointMatcher
from vldeformer.models.packed import buckets_by_length


class PretrainingModel(nn.Module):
    """A joint matcher that also predicts masked words; its matcher is what the retrieval fine-tuning starts from."""

    def __init__(self, matcher: JointMatcher) -> None:
        super().__init__()
        self.matcher = matcher
        hidden = matcher.backbone.hidden_size
        self.word_transform = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.LayerNorm(hidden))
        self.word_bias = nn.Parameter(torch.zeros(len(matcher.backbone.word_embeddings())))

    def forward(
        self, text: TextInput, visual: VisualInput, predict: Bool[Tensor, "B T"], aligned: PairBatch | None
    ) -> tuple[Float[Tensor, "masked words"], Float[Tensor, "B 2"], PairVectors | None]:
        """Word logits at the caption positions where ``predict`` is true, match logits, and the vectors of ``aligned``.

        All in one call, so that a distributed wrapper sees one forward pass.
        """
        matcher = self.matcher
        buckets = buckets_by_length(text.lengths + visual.lengths)
        masked, summaries, order = [], [], []
        for rows in buckets:
            encoded = matcher.backbone.encode_jointly(text.select(rows).trimmed(), visual.select(rows).trimmed())
            # Row numbers instead of a boolean mask: the gradient of a gather is deterministic.
            inside, places = predict[rows].nonzero(as_tuple=True)
            masked.append(encoded.states[inside, places])
            order.append(rows[inside] * predict.shape[1] + places)
            summaries.append(matcher.backbone.summary(encoded))
        states = self.word_transform(torch.cat(masked)[torch.cat(order).argsort()])
        words = functional.linear(states, matcher.backbone.word_embeddings(), self.word_bias)
        matches = matcher.classifier(matcher.dropout(torch.cat(summaries)[torch.cat(buckets).argsort()]))
        return words, matches, None if aligned is None else decompose(matcher.backbone).train(self.training)(aligned)
