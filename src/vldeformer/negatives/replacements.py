"""Which word takes the place of another, drawn so that the words alone do not give the change away.

A word comes in by how often it is said, and by how often it is said beside the words left and right of the place. What is
known of the image keeps frequent words out and rare ones in, so words are weighed: one that comes in too often is drawn less, and
one that goes out too often is let go less. ``settle`` counts both on captions and corrects the weights.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vldeformer.negatives.caption_reading import Reading, Unit
from vldeformer.negatives.relations import EXCLUDES, RELATION_OF

TRIES = 20
PRIOR_CONTEXTS = 2.0
PRIOR_MOVES = 3.0
LEAST_DEPARTURE = 0.02
EDGE = "|"


def neighbours(units: Sequence[Unit], number: int) -> tuple[str, str]:
    """The words left and right of a unit; "an" counts as "a"; ``EDGE``: the caption begins or ends there."""
    left = units[number - 1].word.rpartition(" ")[2] if number else EDGE
    right = units[number + 1].word.partition(" ")[0] if number + 1 < len(units) else EDGE
    return "a" if left == "an" else left, right


class Pool:
    """Words of one kind and form that may stand for each other, with their weights."""

    def __init__(self, kind: str, words: Sequence[str]) -> None:
        self.kind, self.words = kind, tuple(words)
        self.numbers = {word: number for number, word in enumerate(words)}
        self.counts = np.zeros(len(words))
        self.arrival = np.zeros(len(words))
        self.departure = np.ones(len(words))
        self._beside: dict[tuple[int, str], Counter[int]] = defaultdict(Counter)
        self._lifts: dict[tuple[int, str], np.ndarray] = {}
        self._allowed: dict[str, np.ndarray] = {}

    def see(self, word: str, beside: tuple[str, str]) -> None:
        """Count a word where it stands."""
        number = self.numbers[word]
        self.counts[number] += 1
        for side in (0, 1):
            self._beside[side, beside[side]][number] += 1

    def begin(self, members: frozenset[str] | None) -> None:
        """Weigh the words by their counts; ``members``: only these come in."""
        self.arrival = self.counts.copy()
        if members is not None and self.kind != "relation":
            self.arrival *= [word in members for word in self.words]

    def fit(self, number: int, beside: tuple[str, str]) -> float:
        """How much likelier a word is between these neighbours than anywhere; 1: as likely."""
        return float(self._lift(0, beside[0])[number] * self._lift(1, beside[1])[number])

    def weights(self, word: str, beside: tuple[str, str]) -> np.ndarray:
        """(words,) cumulative weights of what may come in for ``word``; the last is 0 if nothing may."""
        weights = self.arrival * self._lift(0, beside[0]) * self._lift(1, beside[1])
        if self.kind == "relation":
            weights *= self._exclusive(RELATION_OF[word])
        weights[self.numbers[word]] = 0
        total: np.ndarray = np.cumsum(weights)
        return total

    def _lift(self, side: int, word: str) -> np.ndarray:
        key = (side, word)
        if key not in self._lifts:
            seen = np.zeros(len(self.words))
            for number, count in self._beside.get(key, {}).items():
                seen[number] = count
            share = max(seen.sum(), 1) / max(self.counts.sum(), 1)
            self._lifts[key] = (seen + PRIOR_CONTEXTS * share) / (self.counts + PRIOR_CONTEXTS) / share
        return self._lifts[key]

    def _exclusive(self, relation: str) -> np.ndarray:
        if relation not in self._allowed:
            self._allowed[relation] = np.array([RELATION_OF[word] in EXCLUDES[relation] for word in self.words], dtype=float)
        return self._allowed[relation]

    def settle(self, came: Counter[str], went: Counter[str]) -> None:
        """Correct the weights by how often words came in and went out."""
        ins, outs = (np.array([counter[word] for word in self.words]) + PRIOR_MOVES for counter in (came, went))
        self.arrival *= np.sqrt(outs / ins)
        self.departure = np.clip(self.departure * ins / outs, LEAST_DEPARTURE, 1.0)


@dataclass
class Replacements:
    """The pools of a corpus by kind and form."""

    pools: Mapping[tuple[str, str], Pool]

    def pool(self, unit: Unit) -> Pool | None:
        """Where a unit's replacement is from; None if its word is not among what may be replaced."""
        pool = self.pools.get((unit.kind, unit.form))
        return pool if pool is not None and unit.word in pool.numbers else None

    def settle(self, came: Mapping[tuple[str, str], Counter[str]], went: Mapping[tuple[str, str], Counter[str]]) -> None:
        """Correct the weights of all pools by how often words came in and went out."""
        for key, pool in self.pools.items():
            pool.settle(came.get(key, Counter()), went.get(key, Counter()))

    def draw(
        self, units: Sequence[Unit], number: int, known: Callable[[str], bool], generator: np.random.Generator
    ) -> tuple[str | None, int]:
        """What comes in for a unit, and how many words were dropped because it is ``known`` that they may be true.

        None: the word stays, or none of ``TRIES`` words can take its place.
        """
        unit = units[number]
        pool = self.pool(unit)
        if pool is None or generator.random() >= pool.departure[pool.numbers[unit.word]]:
            return None, 0
        weights = pool.weights(unit.word, neighbours(units, number))
        if not weights[-1] > 0:
            return None, 0
        places = np.searchsorted(weights, generator.random(TRIES) * weights[-1], side="right")
        for dropped, place in enumerate(places.tolist()):
            word = pool.words[min(place, len(pool.words) - 1)]
            if not known(word):
                return word, dropped
        return None, len(set(places.tolist()))


def learn_replacements(readings: Iterable[Reading], members: Mapping[str, frozenset[str]] | None) -> Replacements:
    """Pools of all that was read. ``members``: kind → the only words that come in; None: all."""
    seen: dict[tuple[str, str], list[tuple[str, tuple[str, str]]]] = defaultdict(list)
    for reading in readings:
        for number, unit in enumerate(reading.units):
            if unit.kind:
                seen[unit.kind, unit.form].append((unit.word, neighbours(reading.units, number)))
    pools: dict[tuple[str, str], Pool] = {}
    for key, places in sorted(seen.items()):
        pools[key] = pool = Pool(key[0], sorted({word for word, _ in places}))
        for word, beside in places:
            pool.see(word, beside)
        pool.begin(None if members is None else members.get(key[0]))
    return Replacements(pools)
