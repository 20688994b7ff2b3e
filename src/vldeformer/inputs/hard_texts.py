"""Composed captions: words replaced by others of their class, or two words of a caption exchanged.

A caption that is still true of its image, as far as the image's captions and tags tell, is dropped and counted. The released
code passes a caption with three or fewer nouns back unchanged; here a caption is changed or has no negative.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from vldeformer.data.records import Caption
from vldeformer.inputs.alike import Alike
from vldeformer.inputs.caption_reading import (
    Fact,
    Reading,
    Unit,
    facts_of,
    may_hold,
    read_caption,
    relation_fact,
    tag_facts,
    with_inverse,
    words_between,
)
from vldeformer.inputs.grammar import words_of
from vldeformer.inputs.lexicon import Lexicon
from vldeformer.inputs.relations import RELATION_OF, SYMMETRIC
from vldeformer.inputs.replacements import Replacements, neighbours
from vldeformer.inputs.settings import NegativeSettings, TextKind
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
        known = _Known(self.lexicon, self.alike, readings, image.tags)
        found = []
        for caption, reading in zip(image.captions, readings, strict=True):
            for variant in variants:
                one = self._compose(caption, reading, known, variant, tally)
                if one is None:
                    tally.not_composed += 1
                else:
                    found.append(one)
        return found

    def _compose(self, caption: Caption, reading: Reading, known: "_Known", variant: int, tally: Tally) -> ComposedText | None:
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
                if kind != "swap":
                    for number, word in changed.items():
                        tally.moved(reading.units[number], word)
                places = tuple(reading.units[number].place for number in sorted(changed))
                words = tuple(changed[number] for number in sorted(changed))
                return ComposedText(caption.id, kind, places, words, self._written(reading, changed))
        return None

    def _replaced(self, kind: str, reading: Reading, known: "_Known", draw: np.random.Generator, tally: Tally) -> dict[int, str]:
        """Unit → what comes in."""
        units = reading.units
        candidates = reading.of_kind(kind)
        ratio = self.settings.word_ratio
        number = self.settings.word_number if ratio is None else max(1, int(ratio * len(candidates)))
        changed: dict[int, str] = {}
        for place in draw.permutation(candidates).tolist():
            word, dropped = self.replacements.draw(units, place, known.asking(units, place), draw)
            tally.dropped[kind] += dropped
            if word is not None:
                changed[place] = word
            if len(changed) == number:
                break
        return changed

    def _swapped(self, reading: Reading, known: "_Known", draw: np.random.Generator, tally: Tally) -> dict[int, str]:
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


class _Known:
    """Everything said of an image by its captions and tags: words with what is alike, concepts, and facts."""

    def __init__(self, lexicon: Lexicon, alike: Alike, readings: Sequence[Reading], tags: Sequence[str]) -> None:
        self.lexicon, self.alike = lexicon, alike
        words = {word for reading in readings for word in words_of(reading.text)} | {word for tag in tags for word in tag.split()}
        same = {other for word in words if word in lexicon.nouns for other in alike.get(word, ())}
        concepts = {table[word] for table in (lexicon.nouns, lexicon.attributes) for word in words if word in table}
        self.words = words | same | concepts
        self.facts: set[Fact] = tag_facts(tags).union(*(facts_of(reading.units) for reading in readings))

    def denies_swap(self, units: Sequence[Unit], a: int, b: int) -> bool:
        """Whether an exchange says something false, as far as captions and tags tell.

        That is an attribute of a thing that is known to have another one, or, unless both things are only listed, a relation
        between things of which it is not known.
        """
        after = list(units)
        after[a] = replace(units[a], word=units[b].word, concept=units[b].concept)
        after[b] = replace(units[b], word=units[a].word, concept=units[a].concept)
        new = facts_of(after) - self.facts
        if any(fact[0] == "is" and self._denies(fact) for fact in new):
            return True
        if units[a].kind != "noun" or words_between(units, a, b) <= SYMMETRIC:
            return False
        return any(fact[0] != "is" and not may_hold(fact, self.facts) for fact in new)

    def _denies(self, fact: Fact) -> bool:
        """Whether a thing is known to have an attribute that excludes this one, and not known to have this one."""
        _, quality, thing = fact
        if thing is None or may_hold(fact, self.facts):
            return False
        compatible = self.alike.get(str(quality), frozenset())
        others = {other for name, other, noun in self.facts if name == "is" and noun == thing}
        return any(other not in compatible for other in others)

    def asking(self, units: Sequence[Unit], number: int) -> "_Question":
        """Whether a word in the place of a unit may say something true."""
        return _Question(self, units, number)


@dataclass(frozen=True)
class _Question:
    known: _Known
    units: Sequence[Unit]
    number: int

    def __call__(self, word: str) -> bool:
        known, kind = self.known, self.units[self.number].kind
        if kind == "relation":
            fact = relation_fact(self.units, self.number, RELATION_OF[word])
            return any(may_hold(each, known.facts) for each in with_inverse(fact))
        table = known.lexicon.nouns if kind == "noun" else known.lexicon.attributes
        alike = known.alike.get(self.units[self.number].word, ())
        return word in known.words or table[word] in known.words or word in alike


def compose_part(
    composer: TextComposer, images: Sequence[Described], variants: Iterable[int]
) -> tuple[list[ComposedText], Tally]:
    """Negatives of some images' captions, and what was counted: the work of one process."""
    tally = Tally()
    return [text for image in images for text in composer.compose(image, variants, tally)], tally
