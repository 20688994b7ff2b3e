"""Facts of one image from its captions and its detector's tags, and whether a changed caption may still be true of it."""

from collections.abc import Sequence
from dataclasses import replace

from vldeformer.negatives.caption_reading import (
    Fact,
    Reading,
    Unit,
    facts_of,
    may_hold,
    relation_fact,
    tag_facts,
    with_inverse,
    words_between,
)
from vldeformer.negatives.equivalence import Alike
from vldeformer.negatives.grammar import words_of
from vldeformer.negatives.lexicon import Lexicon
from vldeformer.negatives.relations import RELATION_OF, SYMMETRIC


class KnownFacts:
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

    def may_be_said(self, units: Sequence[Unit], number: int, word: str) -> bool:
        """Whether a word in the place of a unit may say something true."""
        kind = units[number].kind
        if kind == "relation":
            fact = relation_fact(units, number, RELATION_OF[word])
            return any(may_hold(each, self.facts) for each in with_inverse(fact))
        table = self.lexicon.nouns if kind == "noun" else self.lexicon.attributes
        alike = self.alike.get(units[number].word, ())
        return word in self.words or table[word] in self.words or word in alike
