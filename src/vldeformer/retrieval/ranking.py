"""Exact ranks of the right items, and sorted lists: where every model, joint or dual, becomes comparable.

Rank = 1 + the number of wrong candidates that score at least as high as the best right one. Other right ones never
count, and ties count against the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from vldeformer.data.relevance import Relevance, RightRows
from vldeformer.errors import InputError
from vldeformer.retrieval.scored import Scored

BLOCK_IMAGES = 256
CROWDED = 1 / 50  # share of undecided scores above which a block in float64 is quicker than pairs one by one


@dataclass(frozen=True, eq=False)
class Ranks:
    """Rank of the best right item of each query, the first being 1: ``i2t`` (N,) and ``t2i`` (M,), int64."""

    i2t: np.ndarray
    t2i: np.ndarray


@dataclass(frozen=True, eq=False)
class Ranking:
    """The K best gallery items of each query, best first; of equal scores the lower gallery row stands first.

    rows: (Q, K) int64 into ``gallery_ids``; scores: (Q, K) float32. A list is for showing and re-ranking; measures come
    from ``exact_ranks``, as a list cut at K hides the ranks beyond it.
    """

    query_ids: tuple[str, ...]
    gallery_ids: tuple[str, ...]
    rows: np.ndarray
    scores: np.ndarray

    @classmethod
    def from_scores(cls, query_ids: Sequence[str], gallery_ids: Sequence[str], scores: np.ndarray, k: int) -> "Ranking":
        """scores: (Q, N) float32. Raises InputError for a score that is NaN or k outside 1 to N."""
        if not 1 <= k <= len(gallery_ids):
            raise InputError(f"k: expected 1 to {len(gallery_ids)} (the gallery), got {k}")
        if np.isnan(scores).any():
            row = int(np.argwhere(np.isnan(scores))[0, 0])
            raise InputError(f"query {query_ids[row]!r} has a score that is not a number; check model and store")
        rows = np.stack([_best_rows(query_scores, k) for query_scores in scores])
        return cls(tuple(query_ids), tuple(gallery_ids), rows, np.take_along_axis(scores, rows, axis=1))


def _best_rows(scores: np.ndarray, k: int) -> np.ndarray:
    """(K,) rows of the k highest of (N,) scores in stable order, without sorting the rest."""
    threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
    candidates = np.flatnonzero(scores >= threshold)
    return candidates[np.argsort(-scores[candidates], kind="stable")[:k]]


def exact_ranks(scored: Scored, relevance: Relevance | None = None, block_images: int = BLOCK_IMAGES) -> Ranks:
    """Ranks in both directions from one pass over all pairs, in blocks of images (256 x 25,000 scores take 26 MB).

    ``relevance`` defaults to each caption being right for its own image alone. A score that a block leaves undecided,
    being within its error of the best right one, is computed again by itself; so the ranks are a function of the items and
    depend neither on ``block_images`` nor on the number of threads, and copies of the right item always tie with it.
    """
    n_images, n_captions = len(scored.image_ids), len(scored.caption_ids)
    if relevance is None:
        relevance = Relevance.from_caption_image_index(scored.caption_image_index, n_images)
    i2t, t2i = relevance.i2t, relevance.t2i
    if (len(i2t), len(t2i)) != (n_images, n_captions):
        raise InputError(f"relevance is of {len(i2t)} images and {len(t2i)} captions, the scores of {n_images} and {n_captions}")
    best_i2t = np.maximum.reduceat(scored.pairs(i2t.queries, i2t.rows), i2t.offsets[:-1])
    best_t2i = np.maximum.reduceat(scored.pairs(t2i.rows, t2i.queries), t2i.offsets[:-1])
    ranks_i2t, ranks_t2i = np.ones(n_images, dtype=np.int64), np.ones(n_captions, dtype=np.int64)
    for start in tqdm(range(0, n_images, block_images), desc="ranks", unit="block", delay=2, leave=False, disable=None):
        stop = min(start + block_images, n_images)
        block = scored.block(start, stop)

        block, above, images, captions = _compare(scored, start, block, best_i2t[start:stop, None])
        ranks_i2t[start:stop] += np.count_nonzero(above, axis=1)
        ranks_i2t += _undecided(scored.pairs(images, captions), best_i2t, images, captions, i2t)

        block, above, images, captions = _compare(scored, start, block, best_t2i[None, :])
        ranks_t2i += np.count_nonzero(above, axis=0)
        ranks_t2i += _undecided(scored.pairs(images, captions), best_t2i, captions, images, t2i)
    return Ranks(ranks_i2t, ranks_t2i)


def _compare(
    scored: Scored, start: int, block: np.ndarray, best: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Which scores of a block from row ``start`` are surely above the best right one; images and captions too near to say.

    The block comes back first, in float64 if it had to be looked at more closely.
    """
    above, near = _apart(block, best, scored.block_error if block.dtype == np.float32 else scored.fine_error)
    if block.dtype == np.float32 and len(near) > CROWDED * block.size:
        block = scored.fine_block(start, start + len(block))
        above, near = _apart(block, best, scored.fine_error)
    images, captions = np.divmod(near, block.shape[1])
    return block, above, images + start, captions


def _apart(block: np.ndarray, best: np.ndarray, error: float) -> tuple[np.ndarray, np.ndarray]:
    """(rows, M) bool: surely above ``best``; positions in the flattened block of those within ``error`` of it."""
    above = block > (best + error).astype(block.dtype)
    near = block >= (best - error).astype(block.dtype)
    near ^= above
    return above, np.flatnonzero(near)


def _undecided(scores: np.ndarray, best: np.ndarray, queries: np.ndarray, rows: np.ndarray, rights: RightRows) -> np.ndarray:
    """(Q,) how many of these pairs of a query and a wrong gallery row score at least as high as the query's best right one."""
    wrong_and_as_high = (scores >= best[queries]) & ~rights.contain(queries, rows)
    return np.bincount(queries[wrong_and_as_high], minlength=len(best))
