"""The words of the built-in world by meaning."""

from collections.abc import Iterator

from vldeformer.scenes.words import COLOUR_WORDS, SHAPE_WORDS, SIZE_WORDS, plural


def synonym_groups() -> Iterator[frozenset[str]]:
    """Sets of words that mean the same, one for each shape (with plurals), colour and size."""
    for words in SHAPE_WORDS.values():
        yield frozenset(words) | {plural(word) for word in words}
    for table in (COLOUR_WORDS, SIZE_WORDS):
        for words in table.values():
            yield frozenset(words)
