"""A caption read as units, nouns, attributes, relations and the rest, and what it says as facts.

Facts tell whether an exchange makes a caption false: "a star and a ring" says the same when its nouns are swapped, "a red star
and a blue ring" does not, and "a star left of a ring" does not either.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from vldeformer.negatives.grammar import DETERMINERS, FUNCTION_WORDS, WORD
from vldeformer.negatives.lexicon import Lexicon
from vldeformer.negatives.relations import INVERSE, RELATION_OF, SYMMETRIC, phrase_at

Fact: TypeAlias = tuple[object, str | None, str | None]
"""("is", attribute, noun), (relation, noun, noun) or (words between, noun, noun), all by concept; None: nothing known."""

MODIFIERS_BETWEEN = 2


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or a relation phrase. start, end: characters; place: the number of its first word in the caption.

    kind: noun, attribute, relation or "" for all else; concept: what it stands for; form: only words of one form are exchanged.
    """

    start: int
    end: int
    place: int
    word: str
    kind: str
    concept: str
    form: str


@dataclass(frozen=True)
class Reading:
    """A caption and its units in order."""

    text: str
    units: tuple[Unit, ...]

    def of_kind(self, kind: str) -> list[int]:
        """Numbers of the units of a kind."""
        return [number for number, unit in enumerate(self.units) if unit.kind == kind]


def read_caption(text: str, lexicon: Lexicon) -> Reading:
    """Find the units of a caption."""
    spans = [match.span() for match in WORD.finditer(text)]
    words = [text[start:end].lower() for start, end in spans]
    units: list[Unit] = []
    place = 0
    while place < len(words):
        length = max(1, phrase_at(words, place))
        start, end = spans[place][0], spans[place + length - 1][1]
        word, kind, form = text[start:end].lower(), "", ""
        if word in RELATION_OF:
            kind, concept = "relation", RELATION_OF[word]
        else:  # no relation, or its words stand apart: "next, to"
            word, end, length = words[place], spans[place][1], 1
            concept = word
            if word in lexicon.nouns:
                kind, concept, form = "noun", lexicon.nouns[word], lexicon.forms.number(word, words[:place])
            elif word in lexicon.attributes:
                kind, concept = "attribute", lexicon.attributes[word]
        units.append(Unit(start, end, place, word, kind, concept, form))
        place += length
    return Reading(text, tuple(units))


def facts_of(units: Sequence[Unit]) -> set[Fact]:
    """What a caption says."""
    facts: set[Fact] = set()
    nouns = [number for number, unit in enumerate(units) if unit.kind == "noun"]
    for number, unit in enumerate(units):
        if unit.kind == "attribute":
            facts.add(("is", unit.concept, described(units, number)))
        elif unit.kind == "relation":
            facts |= with_inverse(relation_fact(units, number, unit.concept))
    for first, second in itertools.pairwise(nouns):
        between = words_between(units, first, second)
        if not between <= SYMMETRIC:
            facts.add((between, units[first].concept, units[second].concept))
    return facts


def words_between(units: Sequence[Unit], first: int, second: int) -> frozenset[str]:
    """What ties two things: the words between them, by concept, without determiners and attributes."""
    between = units[first + 1 : second]
    return frozenset(unit.concept for unit in between if unit.kind != "attribute" and unit.word not in DETERMINERS)


def relation_fact(units: Sequence[Unit], number: int, relation: str) -> Fact:
    """A relation between the nouns before and after a place."""
    before = next((unit.concept for unit in reversed(units[:number]) if unit.kind == "noun"), None)
    after = next((unit.concept for unit in units[number + 1 :] if unit.kind == "noun"), None)
    return relation, before, after


def with_inverse(fact: Fact) -> set[Fact]:
    """The fact, and the same said the other way round."""
    relation, before, after = fact
    return {fact, (INVERSE[relation], after, before)} if isinstance(relation, str) and relation in INVERSE else {fact}


def tag_facts(tags: Iterable[str]) -> set[Fact]:
    """What detector tags say: "red ring" is a fact of a ring."""
    return {("is", word, tag.split()[-1]) for tag in tags for word in tag.split()[:-1]}


def may_hold(fact: Fact, facts: Iterable[Fact]) -> bool:
    """Whether a fact is among those, where of one of its things it may not be known which it is."""
    relation, before, after = fact
    nothing = before is None and after is None
    for other, a, b in facts:
        if relation == other:
            fits = (before == a or before is None or a is None) and (after == b or after is None or b is None)
            if fits and (nothing or a == before is not None or b == after is not None):
                return True
    return False


def described(units: Sequence[Unit], number: int) -> str | None:
    """The thing that an attribute is said of: what follows it ("a red ring"), else what went before ("a ring that is red")."""
    unknown = 0
    for unit in units[number + 1 :]:
        if unit.kind == "noun":
            return unit.concept
        if unit.kind == "attribute":
            continue
        if unit.kind == "relation" or unit.word in FUNCTION_WORDS:
            if unknown:
                return None  # "a yellow thing": a thing without a name
            break
        unknown += 1
        if unknown > MODIFIERS_BETWEEN:
            return None
    else:
        if unknown:
            return None
    return next((unit.concept for unit in reversed(units[:number]) if unit.kind == "noun"), None)
