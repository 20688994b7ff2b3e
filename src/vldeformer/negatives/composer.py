"""Composed bi-modal hard negatives (paper section 3; released in the data set classes, never used by a released loss).

Text: words of a caption replaced or exchanged, so that its words alone do not tell (``hard_texts``). Image: part of the own
regions joined with part of another image's (``hard_images``). Both work on inputs, not on embeddings, and come out as indices
and words, so that they can be looked at, stored and versioned.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import joblib
import numpy as np

from vldeformer.data.records import Caption, Regions
from vldeformer.errors import InputError
from vldeformer.inputs.settings import NegativeSettings
from vldeformer.negatives.caption_reading import read_caption
from vldeformer.negatives.equivalence import learn_alike
from vldeformer.negatives.grammar import qualities_of, things_of
from vldeformer.negatives.hard_images import ImageComposer, Partners, categories_of, nearest_images, needs_of
from vldeformer.negatives.hard_texts import ComposedText, Described, Tally, TextComposer, compose_part
from vldeformer.negatives.lexicon import learn_lexicon
from vldeformer.negatives.replacements import learn_replacements
from vldeformer.workers import in_processes

SETTLING_ROUNDS = 5
SETTLING_IMAGES = 1000
PART_IMAGES = 500
"""Images whose captions one process composes at a time."""


@dataclass(frozen=True)
class Corpus:
    """The training images: their captions by image id, and their detector's tags (None: there is no detector)."""

    captions: Mapping[str, Sequence[Caption]]
    tags: Mapping[str, tuple[str, ...]] | None

    @property
    def texts(self) -> dict[str, list[str]]:
        """Image id → the texts of its captions."""
        return {image: [caption.text for caption in captions] for image, captions in self.captions.items()}

    def described(self) -> list[Described]:
        """What is said of each image."""
        tags = self.tags or {}
        return [Described(tuple(captions), tags.get(image, ())) for image, captions in self.captions.items()]


class HardNegativeComposer:
    """Learns from a corpus what words may be replaced and by what, and composes negatives of its captions and images.

    What comes out depends on corpus and settings alone: any number of processes composes the same.
    """

    def __init__(self, settings: NegativeSettings, corpus: Corpus, workers: int) -> None:
        """Raises InputError if the settings ask for tags and the corpus has none."""
        self.settings, self.corpus, self.workers = settings, corpus, workers
        self.lexicon = learn_lexicon(corpus.texts, corpus.tags)
        readings = [[read_caption(caption.text, self.lexicon) for caption in captions] for captions in corpus.captions.values()]
        replacements = learn_replacements((one for image in readings for one in image), self._members())
        self._texts = TextComposer(settings, self.lexicon, learn_alike(readings), replacements)
        self._settle()

    def _members(self) -> dict[str, frozenset[str]] | None:
        """Kind → the only words that come in."""
        if self.settings.replacements == "corpus":
            return None
        if self.corpus.tags is None:
            raise InputError("negatives.replacements is tags, but there is no detector here; set it to corpus")
        tags = {tag for row in self.corpus.tags.values() for tag in row}
        return {"noun": frozenset(things_of(tags)), "attribute": frozenset(qualities_of(tags))}

    def _settle(self) -> None:
        """Weigh the words so that each comes in as often as it goes out, on the first images."""
        images = self.corpus.described()[:SETTLING_IMAGES]
        for _ in range(SETTLING_ROUNDS):
            _, tally = self._compose(images, 1)
            self._texts.replacements.settle(tally.came, tally.went)

    def texts(self) -> tuple[list[ComposedText], Tally]:
        """Negatives of all captions in all variants, in the corpus's order, and what was counted."""
        return self._compose(self.corpus.described(), self.settings.variants)

    def _compose(self, images: Sequence[Described], variants: int) -> tuple[list[ComposedText], Tally]:
        parts = [images[start : start + PART_IMAGES] for start in range(0, len(images), PART_IMAGES)]
        jobs = (joblib.delayed(compose_part)(self._texts, part, range(variants)) for part in parts)
        found: list[ComposedText] = []
        total = Tally()
        for texts, tally in in_processes(min(self.workers, max(1, len(parts))), jobs):
            found += texts
            total.add(tally)
        return found, total

    def image_composer(self, vectors: tuple[Sequence[str], np.ndarray] | None) -> ImageComposer:
        """What composes the images. ``vectors``: image ids and (N, D), for near partners."""
        ids, texts = tuple(self.corpus.captions), self.corpus.texts
        tags = self.corpus.tags or {}
        partners = Partners(ids)
        if self.settings.image_partner == "category":
            partners = Partners(ids, categories=categories_of(self.corpus.tags, texts, self.lexicon))
        elif self.settings.image_partner == "near":
            partners = Partners(ids, nearest=nearest_images(*_of_images(ids, vectors)))
        needs = {
            image: {caption.id: needs_of(caption.text, tags[image], self.lexicon) for caption in captions}
            for image, captions in self.corpus.captions.items()
            if image in tags
        }
        return ImageComposer(self.settings, partners, tags, needs)


def _of_images(ids: Sequence[str], vectors: tuple[Sequence[str], np.ndarray] | None) -> tuple[Sequence[str], np.ndarray]:
    if vectors is None:
        raise InputError(
            "negatives.image_partner is near, but there are no regions here; give --embeddings (`vldeformer embed --split train`)"
        )
    rows = {image: row for row, image in enumerate(vectors[0])}
    missing = next((image for image in ids if image not in rows), None)
    if missing is not None:
        raise InputError(f"--embeddings: training image {missing!r} is not among its {len(rows)} images; embed --split train")
    return ids, vectors[1][[rows[image] for image in ids]]


def sample_pairs(texts: Iterable[ComposedText], most: int) -> list[ComposedText]:
    """One negative of each caption, the first ``most`` captions: what a blind reader is shown."""
    first: dict[str, ComposedText] = {}
    for text in texts:
        first.setdefault(text.caption_id, text)
        if len(first) == most:
            break
    return list(first.values())


def mean_features(image: Regions, width: int) -> np.ndarray:
    """(V,) float32 mean of an image's region features, V = ``width``; zeros for an image without regions."""
    mean: np.ndarray = image.features.mean(axis=0, dtype=np.float32) if len(image.features) else np.zeros(width, np.float32)
    return mean
