"""The k best gallery items of every query by exact scores: what a fast model proposes and a slow one looks at again.

Of equal scores wrong items stand before right ones, then the lower gallery row first. So a right item is never proposed by the
luck of its place, and recall after re-ranking is what it would be under the worst way to break the ties.
"""

from dataclasses import dataclass

import numpy as np

from vldeformer.data.relevance import Direction, Relevance
from vldeformer.errors import InputError
from vldeformer.retrieval.scored import Scored

BLOCK_QUERIES = 256


@dataclass(frozen=True, eq=False)
class Candidates:
    """Of each query of one direction, best first: gallery rows (Q, K) int64, scores (Q, K) float64, right (Q, K) bool."""

    direction: Direction
    rows: np.ndarray
    scores: np.ndarray
    right: np.ndarray

    def first(self, k: int) -> "Candidates":
        """The k best of each query, or all, if there are fewer."""
        return Candidates(self.direction, self.rows[:, :k], self.scores[:, :k], self.right[:, :k])

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Image rows and caption rows (Q, K) of all candidates."""
        queries = np.broadcast_to(np.arange(len(self.rows))[:, None], self.rows.shape)
        return (queries, self.rows) if self.direction == "i2t" else (self.rows, queries)


def propose(scored: Scored, relevance: Relevance, direction: Direction, k: int) -> Candidates:
    """The k best of each query, or the whole gallery, if it is smaller; a function of the items alone, not of blocks or threads.

    relevance only decides between equal scores. Raises InputError if k is below 1.
    """
    if k < 1:
        raise InputError(f"k: expected at least 1 candidate a query, got {k}")
    i2t = direction == "i2t"
    sizes = (len(scored.image_ids), len(scored.caption_ids))
    n_queries, n_gallery = sizes if i2t else sizes[::-1]
    block_of = scored.block if i2t else scored.caption_block
    rights = relevance.i2t if i2t else relevance.t2i
    k = min(k, n_gallery)
    rows, scores, right = (np.empty((n_queries, k), kind) for kind in (np.int64, np.float64, np.bool_))
    for start in range(0, n_queries, BLOCK_QUERIES):
        block = block_of(start, min(start + BLOCK_QUERIES, n_queries))
        # What lies within the error of the k-th best score is scored again exactly, the rest is surely outside.
        last = np.partition(block, n_gallery - k, axis=1)[:, n_gallery - k]
        within = block >= (last - np.float32(2 * scored.block_error))[:, None]
        queries, near = np.nonzero(within)
        queries = queries + start
        exact = scored.pairs(queries, near) if i2t else scored.pairs(near, queries)
        is_right = rights.contain(queries, near)
        order = np.lexsort((near, is_right, -exact, queries))
        firsts = np.searchsorted(queries, np.arange(start, start + len(block)))
        chosen = order[firsts[:, None] + np.arange(k)]
        part = slice(start, start + len(block))
        rows[part], scores[part], right[part] = near[chosen], exact[chosen], is_right[chosen]
    return Candidates(direction, rows, scores, right)
