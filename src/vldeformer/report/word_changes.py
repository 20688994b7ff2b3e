"""Two texts in one: what they share, what only the first has, what only the second has. Each reader marks it in its own way."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """Part of a text: ``change`` is empty, ``out`` (only in the first text) or ``in`` (only in the second)."""

    text: str
    change: str


def changes(first: Sequence[str], second: Sequence[str], between: str) -> Iterator[Piece]:
    """Pieces of two texts that are given as words; ``between``: what joins the words of a piece."""
    for what, a, b, c, d in difflib.SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if what == "equal":
            yield Piece(between.join(first[a:b]), "")
            continue
        if b > a:
            yield Piece(between.join(first[a:b]), "out")
        if d > c:
            yield Piece(between.join(second[c:d]), "in")
