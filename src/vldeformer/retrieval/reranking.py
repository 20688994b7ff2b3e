"""Re-ranking: a decomposed model proposes, the joint model orders what was proposed (retrieve fast, re-rank smart).

The candidates stand above the rest of the gallery, which keeps the order of the decomposed model. With the whole gallery as
candidates the ranks are the joint model's, with one candidate the decomposed model's.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from vldeformer.data.relevance import Direction, Relevance
from vldeformer.errors import InputError
from vldeformer.retrieval.ranking import Ranks, exact_ranks
from vldeformer.retrieval.scored import Scored
from vldeformer.section import Section

BLOCK_QUERIES = 256


class RerankSettings(Section):
    """How the joint model orders again what the decomposed model proposes.

    To choose `dual_weight`: `vldeformer embed --split val`, then `vldeformer rerank --split val --all` with a settings file for
    each weight, and keep the one with the best `mean_recall` in rerank.json.
    """

    depth: int = Field(ge=1, description="candidates a query of the result that stands in the main table, in both directions")
    depths: list[Annotated[int, Field(ge=1)]] = Field(
        description="further numbers of candidates: the curve of recall against time on the scored subset"
    )
    dual_weight: float = Field(
        ge=0, description="candidates are ordered by joint log-odds + this × cosine; 0: by the joint model alone; chosen on val"
    )


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
    """The k best gallery items of each query by exact scores, or the whole gallery if it is smaller.

    Of equal scores wrong items come before right ones, then the lower gallery row first: luck never proposes a right item, and
    recall after re-ranking is what the worst way to break the ties would give. The result does not depend on blocks or threads.

    Args:
        scored: scores of all pairs.
        relevance: decides only between equal scores.
        direction: which side the queries are.
        k: candidates a query.

    Raises:
        InputError: k is below 1.

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


@dataclass(frozen=True, eq=False)
class Proposals:
    """What a decomposed model says: its own ranks, and the candidates of every image (i2t) and of every caption (t2i)."""

    ranks: Ranks
    i2t: Candidates
    t2i: Candidates

    @classmethod
    def by(cls, scored: Scored, k: int) -> "Proposals":
        """The k best captions of every image and the k best images of every caption; each caption is right for its own image.

        k is the same in both directions: an image has several right captions, so its list needs to be no longer.
        """
        relevance = Relevance.from_caption_image_index(scored.caption_image_index, len(scored.image_ids))
        candidates = (propose(scored, relevance, direction, k) for direction in ("i2t", "t2i"))
        return cls(exact_ranks(scored, relevance), *candidates)

    def first(self, k: int) -> "Proposals":
        """The same with the k best candidates of each query."""
        return Proposals(self.ranks, self.i2t.first(k), self.t2i.first(k))

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Image rows and caption rows (P,) of the pairs that either direction needs, each once, image by image."""
        keys = np.unique(np.concatenate([self._keys(own).ravel() for own in (self.i2t, self.t2i)]))
        return np.divmod(keys, len(self.t2i.rows))

    def _keys(self, candidates: Candidates) -> np.ndarray:
        images, captions = candidates.pairs()
        keys: np.ndarray = images * len(self.t2i.rows) + captions
        return keys

    def reranked(self, pairs: tuple[np.ndarray, np.ndarray], scores: np.ndarray, dual_weight: float = 0.0) -> Ranks:
        """Ranks after candidates are ordered by joint score + ``dual_weight`` × the decomposed model's score.

        scores (P,) of ``pairs``, which are those of ``pairs()`` of these proposals or of longer ones.
        """
        known = pairs[0] * len(self.t2i.rows) + pairs[1]

        def ranks(own: Candidates, ranks_before: np.ndarray) -> np.ndarray:
            joint = scores[np.searchsorted(known, self._keys(own))].astype(np.float64)
            key = joint + dual_weight * own.scores if dual_weight else joint
            best = np.where(own.right, key, -np.inf).max(axis=1, keepdims=True)
            above = np.count_nonzero((key >= best) & ~own.right, axis=1)
            # Where no right one was proposed, all candidates stand above it as they did before.
            return np.where(own.right.any(axis=1), 1 + above, ranks_before)

        return Ranks(ranks(self.i2t, self.ranks.i2t), ranks(self.t2i, self.ranks.t2i))
