"""R-Precision and mAP@R: how much of the head of a ranked list is right, where a query has many right items.

Definitions of ECCV Caption (arXiv 2204.03359): with R right items, R-Precision is the share of right ones among the first R;
mAP@R is the sum of the precision at each right one among the first R, divided by R. Of equal scores the wrong items stand first.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from vldeformer.data.relevance import Direction
from vldeformer.retrieval.scored import Scored

BLOCK_QUERIES = 256


@dataclass(frozen=True, eq=False)
class Judgement:
    """The right gallery rows of one query, and their number ``total`` with those that are not in the gallery."""

    rows: frozenset[int]
    total: int


def list_precisions(scored: Scored, judged: Mapping[int, Judgement], direction: Direction) -> np.ndarray:
    """(len(judged), 2) float64: R-Precision and mAP@R, between 0 and 1, of each judged query row in the order of ``judged``."""
    i2t = direction == "i2t"
    sizes = (len(scored.image_ids), len(scored.caption_ids))
    n_queries, n_gallery = sizes if i2t else sizes[::-1]
    block_of = scored.block if i2t else scored.caption_block
    values: dict[int, tuple[float, float]] = {}
    for start in tqdm(range(0, n_queries, BLOCK_QUERIES), desc=direction, unit="block", delay=2, leave=False, disable=None):
        stop = min(start + BLOCK_QUERIES, n_queries)
        rows = [row for row in range(start, stop) if row in judged]
        block = block_of(start, stop) if rows else np.empty((0, n_gallery))
        for row in rows:
            total = judged[row].total
            length = min(total, n_gallery)
            near = _near_the_head(block[row - start], length, scored.block_error)
            right = np.zeros(n_gallery, dtype=bool)
            right[list(judged[row].rows)] = True
            query = np.full(len(near), row)
            exact = scored.pairs(query, near) if i2t else scored.pairs(near, query)
            order = np.lexsort((right[near], -exact))
            hits = right[near[order[:length]]]
            precision = np.cumsum(hits) / np.arange(1, length + 1)
            values[row] = (hits.sum() / total, (precision * hits).sum() / total)
    return np.array([values[row] for row in judged]).reshape(-1, 2)


def _near_the_head(scores: np.ndarray, length: int, error: float) -> np.ndarray:
    """Gallery rows that may be among the first ``length`` of the list; ``scores`` (N,) are within ``error`` of the exact ones."""
    last = np.partition(scores, len(scores) - length)[len(scores) - length]
    return np.flatnonzero(scores >= np.float32(last - 2 * error))
