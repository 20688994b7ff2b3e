"""The ceiling of the ``scenes`` tables: a judge that reads the scene instead of its pixels, and claims instead of words.

A caption fits a scene as well as its best reading: an assignment of the objects it mentions to different objects of the scene.
The score is the share of its claims that the best reading makes true; among captions that are wholly true, one that says more of
the scene comes first. Which caption was written for which scene is never looked at, so what the oracle gets wrong is
ambiguity that no model can resolve.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from vldeformer.scenes.records import Facts, Mention, Scene
from vldeformer.scenes.space import (
    COLOURS,
    MAX_OBJECTS,
    PAIR_RELATIONS,
    PLACES,
    SHAPES,
    SIZES,
    TRUE,
    between_holds,
    pair_holds,
    place_holds,
)

COVERAGE_WEIGHT = 0.01
"""Less than the share of one claim in the longest caption, so that saying more never makes up for a false claim."""


class SceneTruth:
    """What is true in N scenes, as arrays. A scene with fewer than four objects is filled up with slots where nothing is true."""

    def __init__(self, scenes: Sequence[Scene]) -> None:
        shape = (len(scenes), MAX_OBJECTS)
        self.counts = np.array([len(scene.objects) for scene in scenes])
        self.real = np.arange(MAX_OBJECTS)[None, :] < self.counts[:, None]
        words = {name: np.full(shape, -1) for name in ("shape", "colour", "size")}
        x, y = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for row, scene in enumerate(scenes):
            for slot, item in enumerate(scene.objects):
                words["shape"][row, slot] = SHAPES.index(item.shape)
                words["colour"][row, slot] = COLOURS.index(item.colour)
                words["size"][row, slot] = SIZES.index(item.size)
                x[row, slot], y[row, slot] = item.x, item.y
        self.words = words
        both = self.real[:, :, None] & self.real[:, None, :]
        pair = x[:, :, None], y[:, :, None], x[:, None, :], y[:, None, :]
        self.pairs = {kind: pair_holds(kind, *pair, TRUE) & both for kind in PAIR_RELATIONS}
        self.places = {kind: place_holds(kind, x, y, TRUE) & self.real for kind in PLACES}
        self.between = both[:, :, :, None] & both[:, None, :, :]
        self.between &= between_holds(
            *(x[:, :, None, None], y[:, :, None, None]),
            *(x[:, None, :, None], y[:, None, :, None]),
            *(x[:, None, None, :], y[:, None, None, :]),
            limits=TRUE,
        )

    def mention(self, mention: Mention) -> np.ndarray:
        """(N, 4) int64: number of claims of a mention that are true of each object; that it is there counts as one."""
        true = self.real.astype(np.int64)
        for name, vocabulary, word in (
            ("shape", SHAPES, mention.shape),
            ("colour", COLOURS, mention.colour),
            ("size", SIZES, mention.size),
        ):
            if word is not None:
                true += self.words[name] == vocabulary.index(word)
        return true

    def claims_true(self, facts: Facts) -> np.ndarray:
        """(N,) int64: how many claims the best reading makes true in each scene."""
        readings = np.array(list(itertools.permutations(range(MAX_OBJECTS), len(facts.mentions))))  # (P, mentions)
        total = np.zeros((len(self.counts), len(readings)), dtype=np.int64)
        for number, mention in enumerate(facts.mentions):
            total += self.mention(mention)[:, readings[:, number]]
        for relation in facts.relations:
            slots = [readings[:, number] for number in relation.of]
            if relation.kind == "between":
                total += self.between[:, slots[0], slots[1], slots[2]]
            elif relation.kind in PAIR_RELATIONS:
                total += self.pairs[relation.kind][:, slots[0], slots[1]]
            else:
                total += self.places[relation.kind][:, slots[0]]
        best: np.ndarray = total.max(axis=1)
        return best if facts.total is None else best + (self.counts == facts.total)


def claims(facts: Facts) -> int:
    """Number of claims a caption makes."""
    said = sum(1 + sum(word is not None for word in (m.shape, m.colour, m.size)) for m in facts.mentions)
    return said + len(facts.relations) + (facts.total is not None)


def oracle_scores(scenes: Sequence[Scene], captions: Sequence[Facts]) -> np.ndarray:
    """(N, M) float32: how well each caption's claims fit each scene; at least 1 exactly if all of them are true."""
    truth = SceneTruth(scenes)
    scores = np.zeros((len(scenes), len(captions)), dtype=np.float32)
    known: dict[Facts, np.ndarray] = {}
    for column, facts in enumerate(captions):
        if facts not in known:
            said = claims(facts)
            true = truth.claims_true(facts)
            # Four words an object (that it is there, its shape, colour and size) and a relation each would say it all.
            coverage = np.minimum(said / (5.0 * truth.counts), 1.0)
            known[facts] = true / said + np.where(true == said, COVERAGE_WEIGHT * coverage, 0.0)
        scores[:, column] = known[facts]
    return scores
