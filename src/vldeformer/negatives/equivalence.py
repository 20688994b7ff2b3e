"""Which words may both be true of one thing, learned from what different people say of one image: they never replace each other.

Nouns: "boy" and "child" are said of one image by different captions, but seldom by one caption. Attributes: "large" and "red",
or "large" and "huge", are said of one thing as often as chance has it; "red" and "blue" are not.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

from vldeformer.negatives.caption_reading import Reading, described

NOUN_RATIO = 2.0
"""Said of one image by two captions so many times as often as by one caption."""
CHANCE_RATIO = 0.5
"""Said of one image by two captions, or (attributes) of one thing, so many times as often as chance has it."""
LEAST_EVIDENCE = 5.0
"""Co-occurrences, seen or expected, from which on there is something to tell from."""

Alike = Mapping[str, frozenset[str]]


def learn_alike(images: Iterable[Sequence[Reading]]) -> Alike:
    """Word → words that may say the same, from the readings of each image's captions."""
    captions: list[list[frozenset[str]]] = []
    things: list[frozenset[str]] = []
    for readings in images:
        captions.append([frozenset(unit.word for unit in reading.units if unit.kind == "noun") for reading in readings])
        said: dict[str, set[str]] = defaultdict(set)
        for reading in readings:
            for number in reading.of_kind("attribute"):
                thing = described(reading.units, number)
                if thing is not None:
                    said[thing].add(reading.units[number].word)
        things += map(frozenset, said.values())
    return {**_same_nouns(captions), **_compatible(things)}


def _same_nouns(captions: Sequence[Sequence[frozenset[str]]]) -> dict[str, frozenset[str]]:
    words = sorted({word for image in captions for caption in image for word in caption})
    numbers = {word: number for number, word in enumerate(words)}
    within = _together([caption for image in captions for caption in image], numbers)
    whole = _together([[word for caption in image for word in caption] for image in captions], numbers)
    others = max(1.0, sum(map(len, captions)) / max(1, len(captions)) - 1)  # captions of an image beside one
    across = coo_matrix(whole - within)
    if across.nnz == 0:  # scipy's own indexing would give a sparse nothing
        return {}
    inside = np.asarray(within[across.row, across.col]).ravel()
    counts = within.diagonal()
    chance = (
        counts[across.row] * counts[across.col] / sum(map(len, captions))
    )  # both said of one image, and nothing to do with each other
    least = np.maximum(NOUN_RATIO * (inside + 1), CHANCE_RATIO * chance)
    alike = (across.data >= LEAST_EVIDENCE * others) & (across.data / others > least)
    return _by_word(words, across.row[alike], across.col[alike])


def _compatible(things: Sequence[frozenset[str]]) -> dict[str, frozenset[str]]:
    words = sorted(frozenset().union(*things))
    together = _together(things, {word: number for number, word in enumerate(words)}).toarray()
    counts = together.diagonal()
    expected = np.outer(counts, counts) / max(1, len(things))
    rows, columns = np.nonzero((np.maximum(together, expected) >= LEAST_EVIDENCE) & (together > CHANCE_RATIO * expected))
    return _by_word(words, rows, columns)


def _together(rows: Sequence[Iterable[str]], numbers: Mapping[str, int]) -> csr_matrix:
    """(words, words) how often two words are of one row."""
    columns = [[numbers[word] for word in row] for row in rows]
    ends = np.cumsum([0, *map(len, columns)])
    flat = np.fromiter((number for row in columns for number in row), dtype=np.int64, count=int(ends[-1]))
    table = csr_matrix((np.ones(len(flat)), flat, ends), shape=(len(rows), len(numbers)))
    return csr_matrix(table.T @ table)


def _by_word(words: Sequence[str], rows: np.ndarray, columns: np.ndarray) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if row != column:
            found[words[row]].add(words[column])
    return {word: frozenset(others) for word, others in found.items()}
