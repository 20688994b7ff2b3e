"""The early-interaction teacher: reads a caption and an image together and says whether they match.

Its lower layers may read both apart, as the decomposed model does; then only the top layers run for every pair. The cosine of the
decomposed reading may count in its score, as BLIP adds both scores when it ranks.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from vldeformer.inputs.batch import PairBatch, TextInput, VisualInput, stacked
from vldeformer.models.backbone import Backbone, Sequence
from vldeformer.models.dual import DualEncoder, PairVectors, decompose
from vldeformer.models.packed import read_by_length

COSINE_SCALE = 20.0
"""What the cosine is multiplied with at the start; it is learned."""

PairRows = tuple[Int64[Tensor, " P"], Int64[Tensor, " P"]]
"""Of P pairs: rows of captions and rows of images."""


@dataclass(frozen=True)
class HalfRead:
    """Captions or images before they are paired: behind the layers that read them apart, and their vectors.

    vectors: unit vectors by the decomposed reading, D numbers each; None: the score has no cosine.
    """

    sequence: Sequence
    vectors: Float[Tensor, "B D"] | None

    def select(self, rows: Int64[Tensor, " rows"]) -> "HalfRead":
        """The given rows, in the given order, repeats allowed."""
        return HalfRead(self.sequence.select(rows), None if self.vectors is None else self.vectors[rows])

    @classmethod
    def stacked(cls, parts: list["HalfRead"]) -> "HalfRead":
        """The rows of several, one behind the other."""
        states, mask = (torch.cat([getattr(part.sequence, name) for part in parts]) for name in ("states", "mask"))
        vectors = [part.vectors for part in parts if part.vectors is not None]
        return cls(Sequence(states, mask), torch.cat(vectors) if vectors else None)


class JointMatcher(nn.Module):
    """Two-way classifier on the summary of caption and image.

    ``apart``: how many lower layers read captions and images each alone; 0: every layer reads both. What is read apart is read
    exactly as by the decomposed model: each counts its positions from 0, and an image opens with its own first token, which
    stays visible to the layers above. What a transformer does behind its last layer is done to both together.

    ``cosine``: that of caption and image as the decomposed model reads them, by the same weights, adds to the logit of a match.
    """

    def __init__(self, backbone: Backbone, dropout: float = 0.1, apart: int = 0, cosine: bool = False) -> None:
        super().__init__()
        self.backbone, self.apart = backbone, apart
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(backbone.hidden_size, 2)
        nn.init.normal_(self.classifier.weight, std=0.02)
        nn.init.zeros_(self.classifier.bias)
        self.cosine_scale = nn.Parameter(torch.tensor(COSINE_SCALE)) if cosine else None

    @property
    def encoder(self) -> DualEncoder:
        """The decomposed reading, by the same weights, with the dropout of the matching head."""
        return decompose(self.backbone, dropout=self.dropout.p).train(self.training)

    def read_text(self, text: TextInput) -> HalfRead:
        """Captions as far as they are read apart: what ``match`` needs of them, once for any number of pairs."""
        return HalfRead(self._text_apart(text), None if self.cosine_scale is None else self.encoder.encode_text(text))

    def read_visual(self, visual: VisualInput, after: TextInput, before: HalfRead | None = None) -> HalfRead:
        """The same for images.

        Args:
            visual: the images.
            after: captions as long as those that they will be paired with, one for each image; of no account if anything is read
                apart.
            before: the same images, read for captions of another length: their vectors are the same.

        """
        if before is not None:
            vectors = before.vectors
        else:
            vectors = None if self.cosine_scale is None else self.encoder.encode_visual(visual)
        return HalfRead(self._visual_apart(visual, after), vectors)

    def match(self, text: HalfRead, visual: HalfRead) -> Float[Tensor, "B 2"]:
        """Logits of no match and match of pairs of what ``read_text`` and ``read_visual`` gave, by the layers that see both."""
        logits = self._classify(text.sequence, visual.sequence)
        if text.vectors is None or visual.vectors is None:
            return logits
        return self._with_cosine(logits, text.vectors, visual.vectors)

    def logits(self, text: TextInput, visual: VisualInput, pairs: PairRows | None = None) -> Float[Tensor, "P 2"]:
        """Logits of no match and match of ``pairs``, rows of captions and of images; None: caption i with image i."""
        captions, images = (torch.arange(len(text), device=text.ids.device),) * 2 if pairs is None else pairs
        logits = self._read_together(text.select(captions), visual.select(images))
        if self.cosine_scale is None:
            return logits
        encoder = self.encoder
        return self._with_cosine(logits, encoder.encode_text(text)[captions], encoder.encode_visual(visual)[images])

    def forward(
        self, batch: PairBatch, captions: Int64[Tensor, " P"], images: Int64[Tensor, " P"]
    ) -> tuple[Float[Tensor, "P 2"], PairVectors | None]:
        """All that the losses need; one call, so that a distributed wrapper sees one forward pass.

        Args:
            batch: B pairs and their hard negatives.
            captions: of each of P pairs to match, row of the batch's captions; B + row: of its hard captions.
            images: the same of images.

        Returns:
            Logits of no match and match; the vectors of the batch, if the score has a cosine.

        """
        text = batch.text if batch.hard_text is None else stacked([batch.text, batch.hard_text])
        visual = batch.visual if batch.hard_visual is None else stacked([batch.visual, batch.hard_visual])
        logits = self._read_together(text.select(captions), visual.select(images))
        if self.cosine_scale is None:
            return logits, None
        vectors: PairVectors = self.encoder(batch)
        return self._with_cosine(logits, vectors.all_captions[captions], vectors.all_images[images]), vectors

    def _read_together(self, text: TextInput, visual: VisualInput) -> Float[Tensor, "B 2"]:
        """Logits by the summaries of the pairs alone."""

        def read(rows: Int64[Tensor, " rows"]) -> Float[Tensor, "rows 2"]:
            captions, images = text.select(rows).trimmed(), visual.select(rows).trimmed()
            return self._classify(self._text_apart(captions), self._visual_apart(images, captions))

        return read_by_length(text.lengths + visual.lengths, read)

    def _text_apart(self, text: TextInput) -> Sequence:
        return self.backbone.encode(self.backbone.text_sequence(text), last=self.apart)

    def _visual_apart(self, visual: VisualInput, after: TextInput) -> Sequence:
        return self.backbone.encode(self.backbone.visual_sequence(visual, None if self.apart else after), last=self.apart)

    def _classify(self, text: Sequence, visual: Sequence) -> Float[Tensor, "B 2"]:
        encoded = self.backbone.encode(text.followed_by(visual), first=self.apart)
        logits: Tensor = self.classifier(self.dropout(self.backbone.summary(encoded)))
        return logits

    def _with_cosine(
        self, logits: Float[Tensor, "B 2"], captions: Float[Tensor, "B D"], images: Float[Tensor, "B D"]
    ) -> Float[Tensor, "B 2"]:
        assert self.cosine_scale is not None
        cosine = (captions * images).sum(1)
        return logits + functional.pad((self.cosine_scale * cosine)[:, None], (1, 0)).to(logits.dtype)

    def score(self, text: TextInput, visual: VisualInput, pairs: PairRows | None = None) -> Float[Tensor, " P"]:
        """Log-odds of a match, arguments as in ``logits``: ranks as the probability does, without its ties at 1."""
        return log_odds(self.logits(text, visual, pairs))


def log_odds(logits: Float[Tensor, "B 2"]) -> Float[Tensor, " B"]:
    """Of a match, from the two logits."""
    return logits[:, 1] - logits[:, 0]
