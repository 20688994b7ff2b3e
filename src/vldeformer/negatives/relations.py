"""English words for where one thing is to another or in the picture: a closed class, so a list and not learned.

A phrase is replaced as a whole, and only by a relation that cannot hold at the same time: what is left of a thing may well
be above it too, but not right of it.
"""

RELATIONS: dict[str, tuple[str, ...]] = {
    "left": ("to the left of", "on the left side of", "on the left of", "left of"),
    "right": ("to the right of", "on the right side of", "on the right of", "right of"),
    "above": ("above", "over", "higher up than", "on top of", "atop"),
    "below": ("below", "under", "beneath", "underneath", "lower down than"),
    "front": ("in front of",),
    "behind": ("behind",),
    "near": ("next to", "beside", "close to", "near", "alongside"),
    "on": ("on", "upon"),
    "in": ("in", "inside", "inside of", "within"),
    "outside": ("outside of",),  # "outside" alone is mostly no relation: "sits outside"
    "into": ("into",),
    "out": ("out of",),
    "onto": ("onto",),
    "off": ("off of", "off"),
    "up": ("up",),
    "down": ("down",),
    "toward": ("toward", "towards"),
    "away": ("away from",),
    "with": ("with",),
    "without": ("without",),
    "left side": ("on the left", "on the left side"),
    "right side": ("on the right", "on the right side"),
    "top": ("at the top",),
    "bottom": ("at the bottom",),
    "middle": (
        "in the middle", "in the center", "in the centre", "at the center", "at the centre", "in the centre of the picture",
        "in the center of the picture",
    ),
    "foreground": ("in the foreground",),
    "background": ("in the background",),
    "top left": ("in the top left corner", "at the top left", "at the upper left"),
    "top right": ("in the top right corner", "at the top right", "at the upper right"),
    "bottom left": ("in the bottom left corner", "at the bottom left", "at the lower left"),
    "bottom right": ("in the bottom right corner", "at the bottom right", "at the lower right"),
    "left edge": ("near the left edge",),
    "right edge": ("near the right edge",),
    "upper edge": ("near the upper edge",),
    "lower edge": ("near the lower edge",),
}  # fmt: skip
"""Relation → its phrases."""

_EXCLUSIVE = (
    "left|right", "above|below", "front|behind", "in|outside", "on|below", "on|behind", "on|front", "in|behind", "in|front",
    "near|on", "near|in", "into|out", "onto|off", "up|down", "toward|away", "with|without", "left side|right side", "top|bottom",
    "middle|left side", "middle|right side", "middle|top", "middle|bottom", "middle|top left", "middle|top right",
    "middle|bottom left", "middle|bottom right", "top left|bottom right", "top left|top right", "top left|bottom left",
    "top right|bottom right", "top right|bottom left", "bottom left|bottom right", "left edge|right edge",
    "upper edge|lower edge", "foreground|background",
)  # fmt: skip
EXCLUDES: dict[str, frozenset[str]] = {
    relation: frozenset(
        other for pair in _EXCLUSIVE if relation in pair.split("|") for other in pair.split("|") if other != relation
    )
    for relation in RELATIONS
}
"""Relation → those that cannot hold of the same two things (or of the same thing) at the same time."""

INVERSE = {
    "left": "right", "right": "left", "above": "below", "below": "above", "front": "behind", "behind": "front", "near": "near",
    "with": "with",
}  # fmt: skip
"""``A left of B`` says the same as ``B right of A``."""

RELATION_OF: dict[str, str] = {phrase: relation for relation, phrases in RELATIONS.items() for phrase in phrases}

PHRASES: dict[str, tuple[tuple[str, ...], ...]] = {
    first: tuple(sorted((tuple(p.split()) for p in RELATION_OF if p.split()[0] == first), key=len, reverse=True))
    for first in {phrase.split()[0] for phrase in RELATION_OF}
}
"""First word → the phrases that begin with it, the longest first."""

SYMMETRIC = frozenset(
    """and or with together along as well accompanied by plus next to close near beside alongside another other one of
    them is are there""".split()
)
"""Words between two things that say nothing new when the things change places."""


def phrase_at(words: list[str], place: int) -> int:
    """Number of words of the longest relation phrase that begins at a place; 0: there is none."""
    for phrase in PHRASES.get(words[place], ()):
        if tuple(words[place : place + len(phrase)]) == phrase:
            return len(phrase)
    return 0
