"""English for the ``scenes`` world: synonyms, pieces of sentences, articles and plurals. No word stands for two meanings."""

from vldeformer.scenes.layout import Dice

SHAPE_WORDS: dict[str, tuple[str, ...]] = {
    "circle": ("circle", "disc", "dot"),
    "square": ("square", "box", "block"),
    "triangle": ("triangle", "wedge"),
    "star": ("star",),
    "ring": ("ring", "hoop", "donut"),
    "cross": ("cross", "plus"),
    "heart": ("heart",),
    "diamond": ("diamond", "rhombus", "lozenge"),
    "moon": ("moon", "crescent"),
    "arrow": ("arrow", "pointer"),
    "drop": ("drop", "teardrop", "droplet"),
    "bolt": ("bolt", "flash", "zigzag"),
    "flower": ("flower", "blossom", "daisy"),
    "house": ("house", "hut", "cottage"),
    "tree": ("tree", "fir", "pine"),
    "fish": ("fish", "trout"),
}
COLOUR_WORDS: dict[str, tuple[str, ...]] = {
    "red": ("red", "crimson", "scarlet"),
    "orange": ("orange", "tangerine"),
    "yellow": ("yellow", "golden", "lemon"),
    "green": ("green", "emerald"),
    "blue": ("blue", "azure"),
    "purple": ("purple", "violet"),
    "white": ("white", "ivory"),
    "black": ("black", "ebony"),
}
SIZE_WORDS: dict[str, tuple[str, ...]] = {
    "small": ("small", "little", "tiny"),
    "large": ("large", "big", "huge"),
}
THING_WORDS = ("thing", "shape", "figure", "object", "item")
NUMBER_WORDS = ("no", "one", "two", "three", "four")

RELATION_WORDS: dict[str, tuple[str, ...]] = {
    "left": ("to the left of", "left of", "on the left side of"),
    "right": ("to the right of", "right of", "on the right side of"),
    "above": ("above", "over", "higher up than", "on top of"),
    "below": ("below", "under", "beneath", "lower down than"),
    "near": ("next to", "beside", "close to", "near"),
}
PLACE_WORDS: dict[str, tuple[str, ...]] = {
    "top-left": ("in the top left corner", "at the upper left"),
    "top-right": ("in the top right corner", "at the upper right"),
    "bottom-left": ("in the bottom left corner", "at the lower left"),
    "bottom-right": ("in the bottom right corner", "at the lower right"),
    "top": ("at the top", "near the upper edge"),
    "bottom": ("at the bottom", "near the lower edge"),
    "left-side": ("on the left", "near the left edge"),
    "right-side": ("on the right", "near the right edge"),
    "centre": ("in the middle", "at the centre", "in the centre of the picture"),
}

OPENINGS = (
    "", "", "", "", "there is ", "we see ", "you can spot ", "a picture of ", "an image showing ", "this drawing has ",
    "here one finds ", "the scene contains ",
)  # fmt: skip
PLURAL_OPENINGS = ("there are ", "we see ", "a picture of ", "this drawing has ")
JOINTS = (" and ", " with ", " together with ", " as well as ", " along with ", " accompanied by ")
VERBS = ("is", "lies", "sits", "stands", "floats", "appears")
LAST_JOINTS = (", and ", "; ", " and ", ", then ")

# The usual word comes first and is chosen half of the time; rare words stay rare, as in real captions.
USUAL_PERCENT = 50
IRREGULAR_PLURALS = {"fish": "fish", "trout": "trout", "daisy": "daisies"}


def word_for(dice: Dice, words: tuple[str, ...]) -> str:
    """One of the synonyms."""
    return words[0] if dice.chance(USUAL_PERCENT) else dice.choice(words)


def in_usual_words(text: str) -> str:
    """The text with the usual word of each meaning, in the singular, in place of its synonyms."""
    return " ".join(_USUAL.get(word.strip(",.;:"), word) for word in text.split())


def plural(noun: str) -> str:
    """More than one of a noun of this world."""
    if noun in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[noun]
    return noun + ("es" if noun.endswith(("s", "x", "sh")) else "s")


def with_article(phrase: str) -> str:
    """``a`` or ``an`` before a phrase."""
    return ("an " if phrase[0] in "aeiou" else "a ") + phrase


_USUAL = {
    form: usual
    for table in (SHAPE_WORDS, COLOUR_WORDS, SIZE_WORDS)
    for usual, words in table.items()
    for word in words
    for form in ((word, plural(word)) if table is SHAPE_WORDS else (word,))
}
"""Word → the usual one of its meaning."""
