"""The early-interaction teacher: reads a caption and an image together and says whether they match.

Its lower layers may read both apart, as the decomposed model does; then only the top layers run for every pair.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from vldeformer.inputs.batch import TextInput, VisualInput
from vldeformer.models.backbone import Backbone, Sequence
from vldeformer.models.packed import read_by_length
from vldeformer.models.pooling import pool, unit

COSINE_SCALE = 10.0
"""What the cosine is multiplied with at the start; it is learned."""


class JointMatcher(nn.Module):
    """Two-way classifier on the summary of caption and image.

    ``apart``: how many lower layers read captions and images each alone; 0: every layer reads both. What is read apart is read
    exactly as by the decomposed model: each counts its positions from 0, and an image opens with its own first token, which
    stays visible to the layers above. What a transformer does behind its last layer is done to both together.

    ``cosine``: that of the mean states of caption and image, each behind tanh as in the decomposed model, counts as well. With
    a backbone whose captions and images are aligned a matcher then does not start at chance.
    """

    def __init__(self, backbone: Backbone, dropout: float = 0.1, apart: int = 0, cosine: bool = False) -> None:
        super().__init__()
        self.backbone, self.apart = backbone, apart
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(backbone.hidden_size, 2)
        nn.init.normal_(self.classifier.weight, std=0.02)
        nn.init.zeros_(self.classifier.bias)
        self.cosine_scale = nn.Parameter(torch.tensor(COSINE_SCALE)) if cosine else None

    def read_text(self, text: TextInput) -> Sequence:
        """Captions behind the layers that read them apart: what ``match`` needs of them, once for any number of pairs."""
        return self.backbone.encode(self.backbone.text_sequence(text), last=self.apart)

    def read_visual(self, visual: VisualInput, after: TextInput) -> Sequence:
        """The same for images; ``after``: captions as long as those that they will be paired with, one for each image.

        If anything is read apart, captions are of no account.
        """
        return self.backbone.encode(self.backbone.visual_sequence(visual, None if self.apart else after), last=self.apart)

    def match(self, text: Sequence, visual: Sequence) -> Float[Tensor, "B 2"]:
        """Logits of no match and match of pairs of what ``read_text`` and ``read_visual`` gave, by the layers that see both."""
        encoded = self.backbone.encode(text.followed_by(visual), first=self.apart)
        logits: Tensor = self.classifier(self.dropout(self.backbone.summary(encoded)))
        if self.cosine_scale is None:
            return logits
        split = text.mask.shape[1]
        caption, image = (
            unit(pool(Sequence(encoded.states[:, part], encoded.mask[:, part]), "mean"))
            for part in (slice(split), slice(split, None))
        )
        cosine = (caption * image).sum(1)
        return logits + functional.pad((self.cosine_scale * cosine)[:, None], (1, 0)).to(logits.dtype)

    def forward(self, text: TextInput, visual: VisualInput) -> Float[Tensor, "B 2"]:
        """Logits of no match and match."""

        def read(rows: Int64[Tensor, " rows"]) -> Float[Tensor, "rows 2"]:
            captions, images = text.select(rows).trimmed(), visual.select(rows).trimmed()
            return self.match(self.read_text(captions), self.read_visual(images, after=captions))

        return read_by_length(text.lengths + visual.lengths, read)

    def score(self, text: TextInput, visual: VisualInput) -> Float[Tensor, " B"]:
        """Log-odds of a match: ranks as its probability does, and does not saturate into ties at 1."""
        return log_odds(self(text, visual))


def log_odds(logits: Float[Tensor, "B 2"]) -> Float[Tensor, " B"]:
    """Of a match, from the two logits."""
    return logits[:, 1] - logits[:, 0]
