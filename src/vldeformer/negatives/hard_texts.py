"""Composed captions: words replaced by others of their class, or two words of a caption exchanged.

A caption that is still true of its image, as far as the image's captions and tags tell, is dropped and counted. The released
code passes a caption with three or fewer nouns back unchanged; here a caption is changed or has no negative.
"""

import functools
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vldeformer.data.records import Caption
from vldeformer.inputs.settings import NegativeSettings, TextKind
from vldeformer.negatives.caption_reading import Reading, Unit, read_caption
from vldeformer.negatives.equivalence import Alike
from vldeformer.negatives.known_facts import KnownFacts
from vldeformer.negatives.lexicon import Lexicon
from vldeformer.negatives.replacements import Replacements, neighbours
from vldeformer.seeding import named_generator

SWAP_TRIES = 6


@dataclass(frozen=True)
class ComposedText:
    """A changed caption. places count the caption's words (``grammar.WORD``) from 0; words: what stands there now, the whole
    phrase where a relation of several words begins.
    """

    caption_id: str
    kind: TextKind
    places: tuple[int, ...]
    words: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Described:
    """What is said of one image: its captions and its detector's tags."""

    captions: tuple[Caption, ...]
    tags: tuple[str, ...]


@dataclass
class Tally:
    """Counts of a composition: false negatives dropped by kind, captions without a negative, words that went out and came in."""

    dropped: Counter[str] = field(default_factory=Counter)
    not_composed: int = 0
    went: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    came: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Add the counts of another part."""
        self.dropped += other.dropped
        self.not_composed += other.not_composed
        for mine, others in ((self.went, other.went), (self.came, other.came)):
            for key, counts in others.items():
                mine[key] = mine.get(key, Counter()) + counts

    def moved(self, old: Unit, new: str) -> None:
        """A word took the place of another."""
        key = (old.kind, old.form)
        self.went.setdefault(key, Counter())[old.word] += 1
        self.came.setdefault(key, Counter())[new] += 1


class TextComposer:
    """Composes captions; what it returns depends on the settings, what it learned, a caption's id and its image's captions."""

    def __init__(self, settings: NegativeSettings, lexicon: Lexicon, alike: Alike, replacements: Replacements) -> None:
        self.settings, self.lexicon, self.alike, self.replacements = settings, lexicon, alike, replacements
        kinds = {kind: weight for kind, weight in sorted(settings.text_kinds.items()) if weight}
        self._kinds, self._weights = tuple(kinds), np.array(list(kinds.values()))

    def compose(self, image: Described, variants: Iterable[int], tally: Tally) -> list[ComposedText]:
        """One negative of each caption and variant, where there is one."""
        readings = [read_caption(caption.text, self.lexicon) for caption in image.captions]
        known = KnownFacts(self.lexicon, self.alike, readings, image.tags)
        found = []
        for caption, reading in zip(image.captions, readings, strict=True):
            for variant in variants:
                one = self._compose(caption, reading, known, variant, tally)
                if one is None:
                    tally.not_composed += 1
                else:
                    found.append(one)
        return found

    def _compose(self, caption: Caption, reading: Reading, known: KnownFacts, variant: int, tally: Tally) -> ComposedText | None:
        draw = named_generator(self.settings.seed, "text", caption.id, variant)
        # The smallest of exponential times is of a kind with a chance in proportion to its weight; the others follow if it fails.
        for turn in np.argsort(draw.exponential(size=len(self._kinds)) / self._weights).tolist():
            kind = self._kinds[turn]
            changed = (
                self._swapped(reading, known, draw, tally)
                if kind == "swap"
                else self._replaced(kind, reading, known, draw, tally)
            )
            if changed:
                places = tuple(reading.units[number].place for number in sorted(changed))
                words = tuple(changed[number] for number in sorted(changed))
                return ComposedText(caption.id, kind, places, words, self._written(reading, changed))
        return None

    def _replaced(
        self, kind: str, reading: Reading, known: KnownFacts, draw: np.random.Generator, tally: Tally
    ) -> dict[int, str]:
        """Unit → what comes in."""
        units = reading.units
        candidates = reading.of_kind(kind)
        number = max(1, int(self.settings.word_ratio * len(candidates)))
        changed: dict[int, str] = {}
        for place in draw.permutation(candidates).tolist():
            word, dropped = self.replacements.draw(units, place, functools.partial(known.may_be_said, units, place), draw)
            tally.dropped[kind] += dropped
            if word is not None:
                changed[place] = word
                tally.moved(units[place], word)
            if len(changed) == number:
                break
        return changed

    def _swapped(self, reading: Reading, known: KnownFacts, draw: np.random.Generator, tally: Tally) -> dict[int, str]:
        """Two units and what stands there after the exchange."""
        units = reading.units
        pairs = [
            (a, b)
            for kind in ("noun", "attribute")
            for a, b in itertools.combinations(reading.of_kind(kind), 2)
            if self._exchangeable(units[a], units[b])
        ]
        for turn in draw.permutation(len(pairs))[:SWAP_TRIES].tolist():
            a, b = pairs[turn]
            if draw.random() >= self._swap_fit(units, a, b):
                continue
            if not known.denies_swap(units, a, b):
                tally.dropped["swap"] += 1
                continue
            return {a: units[b].word, b: units[a].word}
        return {}

    def _exchangeable(self, one: Unit, other: Unit) -> bool:
        """Whether two units are of one form and of another meaning."""
        alike = self.alike.get(one.word, frozenset())
        apart = other.place > one.place + 1
        return apart and one.form == other.form and one.concept != other.concept and other.word not in alike

    def _swap_fit(self, units: Sequence[Unit], a: int, b: int) -> float:
        """How much likelier two words are in each other's places than in their own, at most 1."""
        pool = self.replacements.pool(units[a])
        if pool is None or units[b].word not in pool.numbers:
            return 0.0
        one, other = pool.numbers[units[a].word], pool.numbers[units[b].word]
        at_a, at_b = neighbours(units, a), neighbours(units, b)
        now = pool.fit(one, at_a) * pool.fit(other, at_b)
        return min(1.0, pool.fit(other, at_a) * pool.fit(one, at_b) / now)

    def _written(self, reading: Reading, changed: Mapping[int, str]) -> str:
        """The caption with other words, its articles and capitals in order."""
        text, units, forms = reading.text, reading.units, self.lexicon.forms
        for number in sorted(changed, reverse=True):
            unit, new = units[number], changed[number]
            text = text[: unit.start] + forms.written(new, text[unit.start : unit.end]) + text[unit.end :]
            before = units[number - 1] if number else None
            if before is not None and before.word in ("a", "an"):
                # "an red box" would give the negative away to a reader who never sees the image.
                article = forms.article(new)
                article = article.upper() if text[before.start : before.end] == "AN" else text[before.start] + article[1:]
                text = text[: before.start] + article + text[before.end :]
        return text


def compose_part(
    composer: TextComposer, images: Sequence[Described], variants: Iterable[int]
) -> tuple[list[ComposedText], Tally]:
    """Negatives of some images' captions, and what was counted: the work of one process."""
    tally = Tally()
    return [text for image in images for text in composer.compose(image, variants, tally)], tally
