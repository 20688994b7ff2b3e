"""Re-ranking: a decomposed model proposes, the joint model orders what was proposed (retrieve fast, re-rank smart).

The candidates stand above the rest of the gallery, which keeps the order of the decomposed model. With the whole gallery as
candidates the ranks are the joint model's, with one candidate the decomposed model's.
"""

from dataclasses import dataclass

import numpy as np

from vldeformer.data.relevance import Relevance
from vldeformer.retrieval.candidates import Candidates, propose
from vldeformer.retrieval.ranking import Ranks, exact_ranks
from vldeformer.retrieval.scored import Scored


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
