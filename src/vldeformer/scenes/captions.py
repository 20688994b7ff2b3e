"""Five English sentences about a scene, from a loose mention of two objects to a full inventory, with what each one claims.

Text and facts are made by the same few lines, so they cannot drift apart. A relation is said only if it holds with the margin of
``scene_space.SAID``.
"""

from collections.abc import Sequence

from vldeformer.scenes.caption_draft import CaptionDraft
from vldeformer.scenes.layout import Dice
from vldeformer.scenes.records import Mention, Relation, SceneCaption, SceneObject
from vldeformer.scenes.space import PLACES, SAID, between_holds, place_holds
from vldeformer.scenes.words import (
    COLOUR_WORDS,
    JOINTS,
    LAST_JOINTS,
    NUMBER_WORDS,
    OPENINGS,
    PLACE_WORDS,
    PLURAL_OPENINGS,
    SHAPE_WORDS,
    THING_WORDS,
    VERBS,
    plural,
    word_for,
)

LOOSE = (("c", "s"), ("s", "s"), ("s", "c"), ("cs", "s"), ("c", "cs"), ("zs", "c"), ("zc", "s"), ("zs", "s"))
"""What a loose caption says of its two objects: z size, c colour, s shape."""
FEWEST_WORDS, MOST_WORDS = 5, 30


def captions_of(dice: Dice, objects: Sequence[SceneObject]) -> tuple[SceneCaption, ...]:
    """Five different captions: a loose one, a full one, and three of other kinds, in random order."""
    kinds = [_loose, _full, _related, dice.choice((_related, _placed, _between)), dice.choice((_counted, _listed, _placed))]
    captions: list[SceneCaption] = []
    for kind in dice.shuffled(kinds):
        caption = kind(CaptionDraft(dice, objects))
        while not _fits(caption, captions):
            caption = kind(CaptionDraft(dice, objects))
        captions.append(caption)
    return tuple(captions)


def _fits(caption: SceneCaption, others: Sequence[SceneCaption]) -> bool:
    words = len(caption.text.split())
    return FEWEST_WORDS <= words <= MOST_WORDS and all(caption.text != other.text for other in others)


def _loose(draft: CaptionDraft) -> SceneCaption:
    dice = draft.dice
    first, second = dice.shuffled(range(len(draft.objects)))[:2]
    said = dice.choice(LOOSE)
    if said[0] == said[1] and (pair := _listing(draft, (first, second), said[0])) and len(set(draft.mentions)) == 1:
        return draft.finish(dice.choice(PLURAL_OPENINGS) + pair)
    draft = CaptionDraft(dice, draft.objects)
    return draft.finish(dice.choice(OPENINGS) + draft.a(first, said[0]) + dice.choice(JOINTS) + draft.a(second, said[1]))


def _related(draft: CaptionDraft) -> SceneCaption:
    dice = draft.dice
    first, second = dice.shuffled(range(len(draft.objects)))[:2]
    return draft.finish(
        _relation_clause(draft, first, second, dice.choice(("cs", "cs", "czs")), dice.choice(("cs", "cs", "czs")), True)
    )


def _relation_clause(draft: CaptionDraft, first: int, second: int, said_first: str, said_second: str, opening: bool) -> str:
    """``A left of B``, or turned round: ``left of B sits A``."""
    dice = draft.dice
    if dice.chance(25):
        b, a = draft.a(second, said_second), draft.a(first, said_first)
        return f"{draft.relate(first, second)} {b} {dice.choice(VERBS)} {a}"
    a, b = draft.a(first, said_first), draft.a(second, said_second)
    words = draft.relate(first, second)
    if dice.chance(25):
        return f"{a} {dice.choice(VERBS)} {words} {b}"
    return f"{dice.choice(OPENINGS) if opening else ''}{a} {words} {b}"


def _place(draft: CaptionDraft, number: int) -> str | None:
    """Words for where an object is, if there are any."""
    item = draft.objects[number]
    true = [kind for kind in PLACES if place_holds(kind, item.x, item.y, SAID)]
    if not true:
        return None
    # The first is the most exact: PLACES has the corners before the edges.
    kind = true[0] if draft.dice.chance(70) else draft.dice.choice(true)
    draft.relations.append(Relation(kind, (draft.numbers[number],)))
    return word_for(draft.dice, PLACE_WORDS[kind])


def _placed_clause(draft: CaptionDraft, number: int, said: str) -> str:
    """``A in the top left corner``, or ``in the top left corner is A``; only A if it is nowhere in particular."""
    phrase = draft.a(number, said)
    where = _place(draft, number)
    if where is None:
        return phrase
    return f"{where} {draft.dice.choice(VERBS)} {phrase}" if draft.dice.chance(30) else f"{phrase} {where}"


def _placed(draft: CaptionDraft) -> SceneCaption:
    """Where one or two objects are in the picture."""
    dice = draft.dice
    first, second = dice.shuffled(range(len(draft.objects)))[:2]
    text = _placed_clause(draft, first, dice.choice(("cs", "cs", "c", "s")))
    if dice.chance(40):
        return draft.finish(text)
    said = dice.choice(("cs", "cs", "czs", "s"))
    return draft.finish(text + dice.choice((" and ", ", and ", "; ")) + _placed_clause(draft, second, said))


def _between(draft: CaptionDraft) -> SceneCaption:
    objects, dice = draft.objects, draft.dice
    places = range(len(objects))
    for a, b, c in dice.shuffled([(i, j, k) for i in places for j in places for k in range(j) if i not in (j, k)]):
        if between_holds(objects[a].x, objects[a].y, objects[b].x, objects[b].y, objects[c].x, objects[c].y, SAID):
            first, second, third = draft.a(a, "cs"), draft.a(b, dice.choice(("s", "cs"))), draft.a(c, "cs")
            draft.relations.append(Relation("between", (0, 1, 2)))
            return draft.finish(f"{dice.choice(OPENINGS)}{first} between {second} and {third}")
    return _related(draft)


def _listing(draft: CaptionDraft, numbers: Sequence[int], said: str) -> str:
    """``two red rings, a star and a blue fish``: objects that are called the same are counted together."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for number in numbers:
        item = draft.objects[number]
        called = tuple(word for letter, word in (("s", item.shape), ("c", item.colour), ("z", item.size)) if letter in said)
        groups.setdefault(called, []).append(number)
    phrases = []
    for members in groups.values():
        if len(members) == 1:
            phrases.append(draft.a(members[0], said))
            continue
        phrase = draft.name(members[0], said)
        for _ in members[1:]:
            draft.mentions.append(draft.mentions[-1])
        noun = draft.nouns[members[0]]
        phrase = phrase.replace(" that is ", " that are ").replace(noun, plural(noun), 1)
        phrases.append(f"{NUMBER_WORDS[len(members)]} {phrase}")
    return phrases[0] if len(phrases) == 1 else ", ".join(phrases[:-1]) + " and " + phrases[-1]


def _heading(draft: CaptionDraft) -> str:
    """``three objects`` and the like; says the total."""
    dice, draft.total = draft.dice, len(draft.objects)
    noun = plural(word_for(dice, THING_WORDS))
    return f"{NUMBER_WORDS[draft.total]} {noun}" if dice.chance(70) else f"a group of {NUMBER_WORDS[draft.total]} {noun}"


def _counted(draft: CaptionDraft) -> SceneCaption:
    """``four shapes, one of them a red star, another a blue ring``; or, of two alike: ``two rings, one red, one blue``."""
    dice, objects = draft.dice, draft.objects
    for first, second in dice.shuffled([(a, b) for a in range(len(objects)) for b in range(len(objects)) if a != b]):
        a, b = objects[first], objects[second]
        if a.shape == b.shape and a.colour != b.colour:
            draft.mentions += [Mention(a.shape, a.colour, None), Mention(b.shape, b.colour, None)]
            nouns = plural(word_for(dice, SHAPE_WORDS[a.shape]))
            return draft.finish(
                f"{dice.choice(PLURAL_OPENINGS)}two {nouns}, one {word_for(dice, COLOUR_WORDS[a.colour])} "
                f"and the other {word_for(dice, COLOUR_WORDS[b.colour])}"
            )
    numbers = dice.shuffled(range(len(objects)))
    heading = _heading(draft)
    if len(objects) == 2:
        return draft.finish(f"{heading}: {_listing(draft, numbers, 'cs')}")
    return draft.finish(f"{heading}, one of them {draft.a(numbers[0], 'cs')}, another {draft.a(numbers[1], 'cs')}")


def _listed(draft: CaptionDraft) -> SceneCaption:
    """Every object by shape and colour, or two things of one colour with the rest."""
    numbers = draft.dice.shuffled(range(len(draft.objects)))
    heading = _heading(draft) + draft.dice.choice((": ", ", namely ", " including ")) if draft.dice.chance(50) else ""
    return draft.finish(heading + _listing(draft, numbers, "cs"))


def _full(draft: CaptionDraft) -> SceneCaption:
    """Every object with size, colour and shape, tied together by relations."""
    dice = draft.dice
    numbers = dice.shuffled(range(len(draft.objects)))
    clauses = [_relation_clause(draft, numbers[0], numbers[1], "czs", "czs", len(numbers) == 2)]
    if len(numbers) == 4 and dice.chance(50):
        clauses.append(_relation_clause(draft, numbers[2], numbers[3], "czs", "czs", False))
    else:
        clauses += [_tied_clause(draft, number, numbers[:2]) for number in numbers[2:]]
    return draft.finish(", ".join(clauses[:-1]) + dice.choice(LAST_JOINTS) + clauses[-1] if len(clauses) > 1 else clauses[0])


def _tied_clause(draft: CaptionDraft, number: int, known: Sequence[int]) -> str:
    """A further object, by its relation to one already named (``a green tree below the star``) or by its place."""
    dice, objects = draft.dice, draft.objects
    shapes = [item.shape for item in objects]
    clear = [other for other in known if shapes.count(shapes[other]) == 1]
    if not clear or dice.chance(40):
        return _placed_clause(draft, number, "czs")
    other = dice.choice(clear)
    phrase = draft.a(number, "czs")
    return f"{phrase} {draft.relate(number, other)} the {draft.nouns[other]}"
