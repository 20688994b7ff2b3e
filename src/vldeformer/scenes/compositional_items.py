"""The compositional test of the ``scenes`` world: true captions of an image, each beside one that is false of it.

A negative is the caption with one thing said otherwise, in the world's own words, and no reading of it is true of the scene.
Nothing in the text may tell which of the two is true. New words are drawn as the world draws them, swaps keep all words, and
what replacing can change of how usual a sentence is (the relation said, two objects alike) is balanced: items are taken in
couples of which one changes A to B and the other B to A. What is added makes a caption longer; this cannot be balanced.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from vldeformer.data.sugarcrepe import SUBSETS, CompositionalItem
from vldeformer.scenes.captions import MOST_WORDS
from vldeformer.scenes.layout import Dice
from vldeformer.scenes.reading import COLOURS, SHAPES, SIZES, NounPhrase, Reading, RelationWords, mention_of, readings
from vldeformer.scenes.records import Facts, Relation, Scene, SceneObject
from vldeformer.scenes.space import MAX_OBJECTS, PAIR_RELATIONS, PLACES, Limits, between_holds, pair_holds, place_holds
from vldeformer.scenes.words import COLOUR_WORDS, LAST_JOINTS, PLACE_WORDS, RELATION_WORDS, SHAPE_WORDS, SIZE_WORDS, word_for
from vldeformer.scenes.world_settings import CompositionalSettings
from vldeformer.seeding import named_generator

ALMOST = Limits(aside=20, near=450, corner=450, edge=420, centre=240, between_tenths=10)
"""A relation that does not hold even with these is clearly false."""
MEANINGS = {"size": SIZES, "colour": COLOURS, "noun": SHAPES}
WORDS = {"size": SIZE_WORDS, "colour": COLOUR_WORDS, "noun": SHAPE_WORDS}
TRIES = 3  # draws for each caption until one is clearly false


@dataclass(frozen=True, slots=True)
class Change:
    """A caption said otherwise. ``before`` and ``after``: what the change replaces by what, where one may be more usual."""

    negative: Reading
    before: str = ""
    after: str = ""


Changer = Callable[[Dice, Reading], Change | None]
Candidate = tuple[Scene, Reading, Change]


def scene_items(scenes: Sequence[Scene], settings: CompositionalSettings) -> list[CompositionalItem]:
    """At most ``settings.items`` items a subset, the file of scene ID called ``ID.png``; a function of scenes and settings."""
    items, numbers = [], {subset: itertools.count() for subset in SUBSETS}
    for subset, scene, told, change in contrasts(scenes, settings):
        number = str(next(numbers[subset]))
        items.append(CompositionalItem(subset, number, f"{scene.id}.png", told.text, change.negative.text))
    return items


def contrasts(scenes: Sequence[Scene], settings: CompositionalSettings) -> Iterator[tuple[str, Scene, Reading, Change]]:
    """The same with what the captions claim: subset, scene, true caption and change; by subset, then by scene id."""
    read = [(scene, list(readings(scene.captions))) for scene in scenes]
    for subset in SUBSETS:
        dice = Dice(named_generator(settings.seed, "compositional", subset))
        chosen = balanced(dice, _candidates(dice, read, CHANGES[subset]), settings.items)
        for scene, told, change in sorted(chosen, key=lambda candidate: candidate[0].id):
            yield subset, scene, told, change


def may_be_true(facts: Facts, objects: Sequence[SceneObject], limits: Limits = ALMOST) -> bool:
    """Whether some assignment of the objects mentioned to different objects of the scene makes every claim true."""

    def holds(relation: Relation, reading: Sequence[SceneObject]) -> bool:
        at = [(reading[number].x, reading[number].y) for number in relation.of]
        if relation.kind == "between":
            return bool(between_holds(*at[0], *at[1], *at[2], limits))
        if relation.kind in PAIR_RELATIONS:
            return bool(pair_holds(relation.kind, *at[0], *at[1], limits))
        return bool(place_holds(relation.kind, *at[0], limits))

    return facts.total in (None, len(objects)) and any(
        all(mention.describes(item) for mention, item in zip(facts.mentions, reading, strict=True))
        and all(holds(relation, reading) for relation in facts.relations)
        for reading in itertools.permutations(objects, len(facts.mentions))
    )


def balanced(dice: Dice, candidates: Iterable[Candidate], limit: int) -> list[Candidate]:
    """At most ``limit`` of them: those that change nothing of how usual a caption is, and couples of opposite changes."""
    units: list[list[Candidate]] = []
    waiting: dict[tuple[str, str], list[Candidate]] = {}
    for candidate in candidates:
        before, after = candidate[2].before, candidate[2].after
        opposite = waiting.get((after, before), [])
        if before == after:
            units.append([candidate])
        elif opposite:
            units.append([opposite.pop(0), candidate])
        else:
            waiting.setdefault((before, after), []).append(candidate)
    chosen: list[Candidate] = []
    for unit in dice.shuffled(units):
        chosen += unit if len(chosen) + len(unit) <= limit else []
    return chosen


def _candidates(dice: Dice, read: Sequence[tuple[Scene, list[Reading]]], changed: Changer) -> Iterator[Candidate]:
    """One change of each scene of which there is one: of a caption at random, the first that is fluent and clearly false."""
    for scene, told in dice.shuffled(read):
        proposals = ((reading, changed(dice, reading)) for reading in dice.shuffled(told) for _ in range(TRIES))
        for reading, change in proposals:
            if change is not None and _is_fluent(change.negative) and not may_be_true(change.negative.facts, scene.objects):
                yield scene, reading, change
                break


def _is_fluent(reading: Reading) -> bool:
    """The world does not say one thing twice (it counts), nor ``the ring`` where there are two, nor very long sentences."""
    said = [mention_of(phrase) for phrase in reading.phrases]
    shapes = [mention.shape for mention in reading.facts.mentions]
    repeated = [part for part in reading.parts if isinstance(part, NounPhrase) and part.determiner == "the"]
    clear = all(shapes.count(SHAPES[part.noun]) == 1 for part in repeated)
    return len(set(said)) == len(said) and clear and len(reading.text.split()) <= MOST_WORDS


def _slots(reading: Reading, *names: str) -> list[tuple[NounPhrase, str]]:
    """Phrases and those of their words (size, colour, noun) that have a meaning."""
    return [(phrase, name) for phrase in reading.phrases for name in names if getattr(phrase, name) in MEANINGS[name]]


def _replaced(dice: Dice, reading: Reading, *names: str) -> Change | None:
    slots = _slots(reading, *names)
    if not slots or not _is_fluent(reading):
        return None
    phrase, name = dice.choice(slots)
    meaning, words = MEANINGS[name], WORDS[name]
    old = meaning[getattr(phrase, name)]
    new = dice.choice([value for value in words if value != old])
    others = [meaning[getattr(other, name)] for other, _ in _slots(reading, name) if other != phrase]
    negative = reading.renamed(phrase, **{name: word_for(dice, words[new])})
    return Change(negative, *(f"{name} alike {others.count(value)}" for value in (old, new)))


def _replaced_relation(dice: Dice, reading: Reading) -> Change | None:
    said = [part for part in reading.parts if isinstance(part, RelationWords) and part.words != "between"]
    if not said:
        return None
    number = dice.choice(said).number
    old = reading.facts.relations[number].kind
    tables = RELATION_WORDS if old in PAIR_RELATIONS else PLACE_WORDS
    new = dice.choice([kind for kind in tables if kind != old])
    return Change(reading.related(number, word_for(dice, tables[new])), old, new)


def _swapped(dice: Dice, reading: Reading, *names: str) -> Change | None:
    """Two objects exchange a word."""
    pairs = [
        (name, a, b)
        for (a, name), (b, other) in itertools.combinations(_slots(reading, *names), 2)
        if name == other and MEANINGS[name][getattr(a, name)] != MEANINGS[name][getattr(b, name)]
    ]
    if not pairs:
        return None
    name, a, b = dice.choice(pairs)
    half = reading.renamed(a, **{name: getattr(b, name)})
    return Change(half.renamed(b, **{name: getattr(a, name)}))


def _added_attribute(dice: Dice, reading: Reading) -> Change | None:
    slots = [(phrase, name) for phrase in reading.phrases for name in ("size", "colour") if not getattr(phrase, name)]
    if not slots:
        return None
    phrase, name = dice.choice(slots)
    return Change(reading.renamed(phrase, **{name: word_for(dice, WORDS[name][dice.choice(list(WORDS[name]))])}))


def _added_object(dice: Dice, reading: Reading) -> Change | None:
    """A further object, described as fully as the last one. A caption that says how many there are takes no more."""
    mentions, last = reading.facts.mentions, reading.phrases[-1]
    if len(mentions) == MAX_OBJECTS or reading.facts.total is not None:
        return None
    drawn = {name: word_for(dice, dice.choice(list(table.values()))) for name, table in WORDS.items()}
    size, colour = (drawn[name] if getattr(last, name) else "" for name in ("size", "colour"))
    phrase = NounPhrase("a", size, colour, drawn["noun"], False, (len(mentions),))
    facts = replace(reading.facts, mentions=(*mentions, mention_of(phrase)))
    return Change(Reading((*reading.parts, dice.choice(LAST_JOINTS), phrase), facts))


def _added_place(dice: Dice, reading: Reading) -> Change | None:
    """Where the object is with which the caption ends; the other relations and places stay as they are."""
    last, facts = reading.parts[-2], reading.facts
    if reading.parts[-1] or not isinstance(last, NounPhrase) or last.determiner != "a":
        return None
    if any(relation.kind in PLACES and relation.of == last.mentions for relation in facts.relations):
        return None
    kind = dice.choice(PLACES)
    place = RelationWords(word_for(dice, PLACE_WORDS[kind]), len(facts.relations))
    facts = replace(facts, relations=(*facts.relations, Relation(kind, last.mentions)))
    return Change(Reading((*reading.parts, " ", place), facts))


CHANGES: dict[str, Changer] = {
    "replace_obj": lambda dice, reading: _replaced(dice, reading, "noun"),
    "replace_att": lambda dice, reading: _replaced(dice, reading, "size", "colour"),
    "replace_rel": _replaced_relation,
    "swap_obj": lambda dice, reading: _swapped(dice, reading, "noun"),
    "swap_att": lambda dice, reading: _swapped(dice, reading, "size", "colour"),
    "add_obj": _added_object,
    "add_att": _added_attribute,
    "add_rel": _added_place,
}
"""How each subset changes a caption."""
