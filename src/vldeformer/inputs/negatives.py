"""Composed bi-modal hard negatives (paper section 3; released in the data set classes, never used by a released loss).

Text: some of a caption's nouns and attributes are replaced by words of another meaning that neither the image's captions
nor its tags know. Image: part of the own regions joined with part of another image's. Both work on inputs, not on
embeddings, and come out as indices and words, so that they can be looked at, stored and versioned. The released code
passes a caption with three or fewer nouns back unchanged; here at least one word is replaced or there is no negative.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vldeformer.data.records import Caption
from vldeformer.inputs.collate import ComposedImage
from vldeformer.inputs.lexicon import WORD, Lexicon, words_of
from vldeformer.inputs.settings import NegativeSettings
from vldeformer.seeding import named_generator

PARTNER_TRIES = 20


@dataclass(frozen=True)
class ComposedText:
    """A caption with words replaced: places count the caption's words (``lexicon.WORD``) from 0."""

    caption_id: str
    places: tuple[int, ...]
    words: tuple[str, ...]
    text: str


class HardNegativeComposer:
    """Composes negatives for the images it is given; what it returns depends on the settings' seed and an id alone."""

    def __init__(
        self,
        settings: NegativeSettings,
        lexicon: Lexicon,
        captions: Mapping[str, Sequence[str]],
        tags: Mapping[str, Sequence[str]],
    ) -> None:
        """``captions`` and ``tags``: image id → its captions and its detector's tags (empty where there is no detector)."""
        self.settings, self.lexicon = settings, lexicon
        self.image_ids = tuple(captions)
        self.tags = {image: tuple(tags.get(image, ())) for image in captions}
        classes = [lexicon.nouns, lexicon.attributes] if settings.attributes else [lexicon.nouns]
        self._pools = [_Pool(members, lexicon.counts) for members in classes]
        self._known = {image: self._concepts(texts, self.tags[image]) for image, texts in captions.items()}

    def _concepts(self, texts: Sequence[str], tags: Sequence[str]) -> frozenset[str]:
        """Everything said of an image by its captions and tags."""
        said = {word for text in texts for word in words_of(text)} | {word for tag in tags for word in tag.split()}
        return frozenset(said | {pool.concepts[word] for pool in self._pools for word in said if word in pool.concepts})

    def text(self, caption: Caption, variant: int) -> ComposedText | None:
        """One negative of a caption; None if it has no word to replace or no word can take its place."""
        draw = named_generator(self.settings.seed, "text", caption.id, variant)
        spans = list(WORD.finditer(caption.text))
        words = [span.group().lower() for span in spans]
        known = self._known[caption.image_id]
        candidates = [place for place, word in enumerate(words) if any(word in pool.concepts for pool in self._pools)]
        if not candidates:
            return None
        number = max(1, int(self.settings.word_ratio * len(candidates)))
        replaced: dict[int, str] = {}
        for place in draw.permutation(candidates):
            pool = next(pool for pool in self._pools if words[place] in pool.concepts)
            word = pool.draw(words[place], known, draw)
            if word is not None:
                replaced[int(place)] = word
            if len(replaced) == number:
                break
        if not replaced:
            return None
        text = caption.text
        for place in sorted(replaced, reverse=True):
            text = text[: spans[place].start()] + replaced[place] + text[spans[place].end() :]
            if place > 0 and words[place - 1] in ("a", "an"):
                # "an red box" would give the negative away to a reader who never sees the image.
                article = spans[place - 1]
                letter = article.group()[0] + ("n" if replaced[place][0] in "aeiou" else "")
                text = text[: article.start()] + letter + text[article.end() :]
        places = tuple(sorted(replaced))
        return ComposedText(caption.id, places, tuple(replaced[place] for place in places), text)

    def image(self, image_id: str, variant: int, counts: Mapping[str, int] | int) -> ComposedImage | None:
        """One negative of an image.

        ``counts``: regions of each image, or one number of patches for all (then a patch keeps its place). None if no
        partner brings anything the image does not have, as far as tags tell.
        """
        draw = named_generator(self.settings.seed, "image", image_id, variant)
        for _ in range(PARTNER_TRIES):
            partner = self.image_ids[int(draw.integers(len(self.image_ids)))]
            if partner == image_id:
                continue
            if isinstance(counts, int):
                if counts < 2:
                    return None
                number = min(counts - 1, max(1, round(self.settings.image_ratio * counts)))
                taken = np.sort(draw.permutation(counts)[:number])
                kept = np.setdiff1d(np.arange(counts), taken)
            else:
                if min(counts[image_id], counts[partner]) < 1:
                    continue
                number = max(1, round(self.settings.image_ratio * min(counts[image_id], counts[partner])))
                # One own region stays, unless there is only one to be replaced.
                number = min(number, max(1, counts[image_id] - 1))
                taken = np.sort(draw.permutation(counts[partner])[:number])
                if {self.tags[partner][row] for row in taken if row < len(self.tags[partner])} <= set(self.tags[image_id]):
                    continue
                kept = np.sort(draw.permutation(counts[image_id])[: counts[image_id] - number])
            return ComposedImage(image_id, partner, tuple(kept.tolist()), tuple(taken.tolist()))
        return None


class _Pool:
    """Words of one class, drawn by their frequency in the captions; plurals stand in for plurals."""

    def __init__(self, concepts: Mapping[str, str], counts: Mapping[str, int]) -> None:
        self.concepts = concepts
        self._words: dict[bool, list[str]] = {}
        self._weights: dict[bool, np.ndarray] = {}
        for plural in (False, True):
            words = sorted(word for word in concepts if word.endswith("s") == plural)
            weights = np.array([counts[word] for word in words], dtype=np.float64)
            self._words[plural], self._weights[plural] = words, np.cumsum(weights / max(weights.sum(), 1))

    def draw(self, word: str, known: frozenset[str], generator: np.random.Generator) -> str | None:
        """Another word of another concept that is not known of the image."""
        plural = word.endswith("s")
        words, weights = self._words[plural], self._weights[plural]
        for place in np.searchsorted(weights, generator.random(PARTNER_TRIES), side="right"):
            other = words[min(int(place), len(words) - 1)]
            if other != word and other not in known and self.concepts[other] not in known:
                return other
        return None
