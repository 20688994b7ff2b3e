"""Composed images: part of an image's own regions (or patches) joined with part of another's; a tag travels with its region.

The partner is any image, one that shows a thing of the same name, or one of the nearest. A composed image that still holds
everything that a caption names, as far as tags tell, is no negative of that caption, and says so; one that is true of all
captions is dropped and counted.
"""

import dataclasses
import functools
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from vldeformer.inputs.collate import ComposedImage
from vldeformer.inputs.settings import NegativeSettings
from vldeformer.negatives.grammar import qualities_of, things_of, words_of
from vldeformer.negatives.lexicon import Lexicon
from vldeformer.seeding import named_generator

PARTNER_TRIES = 20
NEAREST = 10
"""So many nearest images, of which a near partner is one."""


@dataclass(frozen=True, slots=True)
class Need:
    """What an image must show for a caption to be true: a thing (None: any) of these qualities."""

    thing: str | None
    qualities: frozenset[str]

    def met(self, shown: Mapping[str, Sequence[frozenset[str]]]) -> bool:
        """``shown``: thing → the qualities of each such thing of an image."""
        alike = itertools.chain(*shown.values()) if self.thing is None else shown.get(self.thing, ())
        return any(self.qualities <= qualities for qualities in alike)


def needs_of(text: str, tags: Iterable[str], lexicon: Lexicon) -> set[Need]:
    """What a caption says of its image, in the words of the image's tags.

    That is the things it names, each with those of its qualities that it says ("red moon" → a moon, in a caption without "red");
    of a caption that names none of them, the qualities alone; of one that says nothing of them, all tags.
    """
    words = set(words_of(text))
    said = words | {lexicon.nouns[word] for word in words if word in lexicon.nouns}
    seen = [told for tag in tags for told in _told(tag)]
    named = {Need(thing, qualities & said) for thing, qualities in seen if thing in said}
    described = {Need(None, qualities & said) for _, qualities in seen if qualities & said}
    return named or described or {Need(thing, qualities) for thing, qualities in seen}


@functools.cache
def _told(tag: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """The thing that a tag names, with its qualities; nothing of an empty tag."""
    return tuple((thing, frozenset(qualities_of([tag]))) for thing in things_of([tag]))


def categories_of(
    tags: Mapping[str, Sequence[str]] | None, captions: Mapping[str, Sequence[str]], lexicon: Lexicon
) -> dict[str, list[str]]:
    """Image → the things it shows: the last words of its tags; without a detector the nouns of its captions."""
    if tags is not None:
        return {image: sorted(things_of(row)) for image, row in tags.items()}
    found = {}
    for image, texts in captions.items():
        words = {word for text in texts for word in words_of(text)}
        found[image] = sorted({lexicon.nouns[word] for word in words if word in lexicon.nouns})
    return found


def nearest_images(image_ids: Sequence[str], vectors: np.ndarray) -> dict[str, list[str]]:
    """Image → its ``NEAREST`` others by the cosine of vectors (N, D), the nearest first."""
    count = min(NEAREST + 1, len(image_ids))
    centred = vectors - vectors.mean(axis=0)
    _, rows = NearestNeighbors(n_neighbors=count, metric="cosine", algorithm="brute").fit(centred).kneighbors(centred)
    return {
        image: [image_ids[row] for row in found if image_ids[row] != image][:NEAREST]
        for image, found in zip(image_ids, rows.tolist(), strict=True)
    }


class Partners:
    """Draws the other image; every image has some where there are two that go together."""

    def __init__(
        self,
        image_ids: Sequence[str],
        categories: Mapping[str, Sequence[str]] | None = None,
        nearest: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """With neither of them: any image."""
        self._all, self._categories, self._nearest = tuple(image_ids), categories, nearest
        self._members: dict[str, list[str]] = defaultdict(list)
        for image, names in (categories or {}).items():
            for name in names:
                self._members[name].append(image)

    def draw(self, image_id: str, generator: np.random.Generator) -> str | None:
        """Another image, None if there is none (or, by chance, itself was drawn)."""
        among: Sequence[str] = self._all
        if self._nearest is not None:
            among = self._nearest[image_id]
        elif self._categories is not None:
            names = self._categories[image_id]
            among = self._members[names[int(generator.integers(len(names)))]] if names else ()
        partner = among[int(generator.integers(len(among)))] if among else image_id
        return None if partner == image_id else partner


class ImageComposer:
    """Composes images; what it returns depends on the settings' seed and an id alone."""

    def __init__(
        self,
        settings: NegativeSettings,
        partners: Partners,
        tags: Mapping[str, Sequence[str]],
        needs: Mapping[str, Mapping[str, set[Need]]],
    ) -> None:
        """``tags``: image id → its detector's tags; ``needs``: image id → caption id → what it says. Empty without a detector."""
        self.settings, self.partners, self.tags, self.needs = settings, partners, tags, needs
        self.dropped = 0
        """Composed images that were true of every caption."""

    def compose(self, image_id: str, variant: int, counts: Mapping[str, int] | int) -> ComposedImage | None:
        """One negative of an image.

        ``counts``: regions of each image, or one number of patches for all (then a patch keeps its place). None if there is
        no partner, or none that makes the image another.
        """
        draw, ratio = named_generator(self.settings.seed, "image", image_id, variant), self.settings.image_ratio
        for _ in range(PARTNER_TRIES):
            partner = self.partners.draw(image_id, draw)
            if partner is None:
                continue
            rows = (
                _mixed_patches(counts, ratio, draw)
                if isinstance(counts, int)
                else _mixed_regions(counts[image_id], counts[partner], ratio, draw)
            )
            if rows is None:
                continue
            composed = ComposedImage(image_id, partner, *(tuple(part.tolist()) for part in rows))
            if isinstance(counts, int):
                return composed
            true_of = self._true_of(composed)
            if true_of and len(true_of) == len(self.needs[image_id]):
                self.dropped += 1
                continue
            return dataclasses.replace(composed, true_of=true_of)
        return None

    def _true_of(self, image: ComposedImage) -> tuple[str, ...]:
        """Ids of the captions whose needs it all meets. One that is known to need nothing is not judged."""
        own, other = self.tags.get(image.image_id, ()), self.tags.get(image.partner_id, ())
        tags = [*(own[row] for row in image.kept if row < len(own)), *(other[row] for row in image.taken if row < len(other))]
        shown: dict[str, list[frozenset[str]]] = defaultdict(list)
        for thing, qualities in (told for tag in tags for told in _told(tag)):
            shown[thing].append(qualities)
        captions = self.needs.get(image.image_id, {}).items()
        return tuple(caption for caption, needs in captions if needs and all(need.met(shown) for need in needs))


def _mixed_patches(count: int, ratio: float, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
    """Patches that stay and patches of the partner, each in its place."""
    if count < 2:
        return None
    taken = np.sort(draw.permutation(count)[: min(count - 1, max(1, round(ratio * count)))])
    return np.setdiff1d(np.arange(count), taken), taken


def _mixed_regions(own: int, other: int, ratio: float, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
    """Own regions that stay, and the partner's in the place of the others."""
    if min(own, other) < 1:
        return None
    # One own region stays, unless there is only one to be replaced.
    number = min(max(1, round(ratio * min(own, other))), max(1, own - 1))
    taken = np.sort(draw.permutation(other)[:number])
    return np.sort(draw.permutation(own)[: own - number]), taken
