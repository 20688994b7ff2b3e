"""A caption of the ``scenes`` world taken apart into its phrases, so that one of them can be said otherwise.

The words of the world have one meaning each, and a caption's facts stand in the order of its words. So a reading is certain:
either the phrases say exactly the facts, or there is none.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from vldeformer.scenes.records import Facts, Mention, SceneCaption
from vldeformer.scenes.words import (
    COLOUR_WORDS,
    NUMBER_WORDS,
    PLACE_WORDS,
    RELATION_WORDS,
    SHAPE_WORDS,
    SIZE_WORDS,
    THING_WORDS,
    plural,
    with_article,
)


def _meanings(table: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {word: meaning for meaning, words in table.items() for word in words}


def _one_of(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


SHAPES, COLOURS, SIZES = _meanings(SHAPE_WORDS), _meanings(COLOUR_WORDS), _meanings(SIZE_WORDS)
RELATIONS = _meanings(RELATION_WORDS) | _meanings(PLACE_WORDS) | {"between": "between"}
SINGULARS = {form: noun for noun in (*SHAPES, *THING_WORDS) for form in (plural(noun), noun)}
PART = re.compile(
    rf"\b(?:(?P<relation>{_one_of(RELATIONS)})|(?P<determiner>an?|the|{_one_of(NUMBER_WORDS)}) (?:(?P<size>{_one_of(SIZES)}) )?"
    rf"(?:(?P<colour>{_one_of(COLOURS)}) )?(?P<noun>{_one_of(SINGULARS)})(?: that (?:is|are) (?P<behind>{_one_of(COLOURS)}))?)\b"
)


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """``a small red ring``, ``two rings that are red``, ``the ring``: words of the objects mentioned under ``mentions``.

    Words that are not said are empty; ``noun`` is in the singular. ``behind``: the colour comes after the noun.
    """

    determiner: str
    size: str
    colour: str
    noun: str
    behind: bool
    mentions: tuple[int, ...]

    def __str__(self) -> str:
        noun = plural(self.noun) if len(self.mentions) > 1 else self.noun
        said = " ".join(filter(None, (self.size, "" if self.behind else self.colour, noun)))
        if self.behind:
            said += f" that {'are' if len(self.mentions) > 1 else 'is'} {self.colour}"
        return with_article(said) if self.determiner == "a" else f"{self.determiner} {said}"

    def said_otherwise(self, words: Mapping[str, str]) -> "NounPhrase":
        """The same with other words; ``the ring``, which says no more than a noun, takes just that."""
        noun = words.get("noun", self.noun)
        if self.determiner == "the":
            return replace(self, noun=noun)
        return replace(self, size=words.get("size", self.size), colour=words.get("colour", self.colour), noun=noun)


@dataclass(frozen=True, slots=True)
class RelationWords:
    """Words of the relation numbered ``number`` in the facts."""

    words: str
    number: int

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class Reading:
    """A caption as its parts in order; other words are plain text. ``facts`` is what the parts say."""

    parts: tuple[str | NounPhrase | RelationWords, ...]
    facts: Facts

    @property
    def text(self) -> str:
        """The caption."""
        return "".join(map(str, self.parts))

    @property
    def phrases(self) -> list[NounPhrase]:
        """The phrases that mention objects, each for the first time."""
        return [part for part in self.parts if isinstance(part, NounPhrase) and part.determiner != "the"]

    def renamed(self, phrase: NounPhrase, **words: str) -> "Reading":
        """The same with other words (``size``, ``colour``, ``noun``) for a phrase's objects, wherever they are named."""
        parts = tuple(
            part.said_otherwise(words) if isinstance(part, NounPhrase) and part.mentions == phrase.mentions else part
            for part in self.parts
        )
        said = next(mention_of(part) for part in parts if isinstance(part, NounPhrase) and part.mentions == phrase.mentions)
        mentions = tuple(said if number in phrase.mentions else old for number, old in enumerate(self.facts.mentions))
        return Reading(parts, replace(self.facts, mentions=mentions))

    def related(self, number: int, words: str) -> "Reading":
        """The same with other words for one of the relations."""
        parts = tuple(
            RelationWords(words, number) if isinstance(part, RelationWords) and part.number == number else part
            for part in self.parts
        )
        relations = list(self.facts.relations)
        relations[number] = replace(relations[number], kind=RELATIONS[words])
        return Reading(parts, replace(self.facts, relations=tuple(relations)))


def mention_of(phrase: NounPhrase) -> Mention:
    """What a phrase says of each of its objects."""
    return Mention(SHAPES.get(phrase.noun), COLOURS.get(phrase.colour), SIZES.get(phrase.size))


def read_caption(caption: SceneCaption) -> Reading | None:
    """The reading of a caption; None if its phrases do not say its facts, as in ``two rings, one red and the other blue``."""
    parts, end = [], 0
    mentioned: list[Mention] = []
    numbers = iter(range(len(caption.facts.relations)))
    heading = caption.facts.total is not None  # ``three shapes: …`` counts objects and mentions none
    for match in PART.finditer(caption.text):
        if match["relation"]:
            part: NounPhrase | RelationWords | None = RelationWords(match["relation"], next(numbers, -1))
        elif heading:
            part, heading = None, False
        else:
            part = _phrase(match, mentioned)
        if part is not None:
            parts += [caption.text[end : match.start()], part]
            end = match.end()
    reading = Reading((*parts, caption.text[end:]), caption.facts)
    kinds = [RELATIONS[part.words] for part in reading.parts if isinstance(part, RelationWords)]
    as_told = tuple(mentioned) == caption.facts.mentions and kinds == [relation.kind for relation in caption.facts.relations]
    return reading if as_told and reading.text == caption.text else None


def _phrase(match: re.Match[str], mentioned: list[Mention]) -> NounPhrase:
    """The phrase of a match; what it mentions for the first time is added to ``mentioned``."""
    noun = SINGULARS[match["noun"]]
    determiner = "a" if match["determiner"] == "an" else match["determiner"]
    first, count = len(mentioned), NUMBER_WORDS.index(determiner) if determiner in NUMBER_WORDS else 1
    if determiner == "the":
        # An object is called ``the ring`` only if it is the one ring of the scene.
        first = next((number for number, mention in enumerate(mentioned) if mention.shape == SHAPES.get(noun)), 0)
    colour = match["colour"] or match["behind"] or ""
    numbers = tuple(range(first, first + count))
    phrase = NounPhrase(determiner, match["size"] or "", colour, noun, match["behind"] is not None, numbers)
    if determiner != "the":
        mentioned += [mention_of(phrase)] * count
    return phrase


def readings(captions: Iterable[SceneCaption]) -> Iterator[Reading]:
    """Those of the captions that have one."""
    return (reading for caption in captions if (reading := read_caption(caption)) is not None)
