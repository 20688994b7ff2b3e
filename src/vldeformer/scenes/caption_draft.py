"""A caption of a scene in the making: its words, and the facts that they state."""

from collections.abc import Sequence

from vldeformer.scenes.layout import Dice
from vldeformer.scenes.records import Facts, Mention, Relation, SceneCaption, SceneObject
from vldeformer.scenes.space import PAIR_RELATIONS, SAID, pair_holds
from vldeformer.scenes.words import COLOUR_WORDS, RELATION_WORDS, SHAPE_WORDS, SIZE_WORDS, THING_WORDS, with_article, word_for


class CaptionDraft:
    """Objects mentioned so far, relations stated, and the noun used for each object."""

    def __init__(self, dice: Dice, objects: Sequence[SceneObject]) -> None:
        self.dice = dice
        self.objects = objects
        self.mentions: list[Mention] = []
        self.relations: list[Relation] = []
        self.total: int | None = None
        self.numbers: dict[int, int] = {}  # object → number of its mention
        self.nouns: dict[int, str] = {}

    def name(self, number: int, said: str) -> str:
        """An object's phrase without an article. ``said``: which of s(hape), c(olour) and z (size) to say."""
        item, dice = self.objects[number], self.dice
        self.numbers[number] = len(self.mentions)
        self.mentions.append(
            Mention(item.shape if "s" in said else None, item.colour if "c" in said else None, item.size if "z" in said else None)
        )
        self.nouns[number] = word_for(dice, SHAPE_WORDS[item.shape]) if "s" in said else word_for(dice, THING_WORDS)
        size = word_for(dice, SIZE_WORDS[item.size]) + " " if "z" in said else ""
        if "c" not in said:
            return size + self.nouns[number]
        colour = word_for(dice, COLOUR_WORDS[item.colour])
        if dice.chance(4):
            return f"{size}{self.nouns[number]} that is {colour}"
        return f"{size}{colour} {self.nouns[number]}"

    def a(self, number: int, said: str) -> str:
        """The phrase with its article."""
        return with_article(self.name(number, said))

    def relate(self, first: int, second: int) -> str:
        """Words of a true relation of the first to the second object; both must have been named."""
        a, b = self.objects[first], self.objects[second]
        true = [kind for kind in PAIR_RELATIONS if pair_holds(kind, a.x, a.y, b.x, b.y, SAID)]
        # Objects too close for left or above with a margin are always near enough for near.
        kind = self.dice.choice(true)
        self.relations.append(Relation(kind, (self.numbers[first], self.numbers[second])))
        return word_for(self.dice, RELATION_WORDS[kind])

    def finish(self, text: str) -> SceneCaption:
        """The caption and its facts."""
        return SceneCaption(text, Facts(tuple(self.mentions), tuple(self.relations), self.total))
