"""Mined negatives: for every image the hardest captions of the whole training set, and for every caption the hardest images.

Hard is what the current model takes for right: the highest cosine among items of other images. The tables are looked up again
every few epochs and kept in the state of the run, so that a continued run draws what an uninterrupted one would have drawn.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from vldeformer.inputs.drawn_negatives import MinedNegatives
from vldeformer.retrieval.embeddings import Embeddings
from vldeformer.training.joint_settings import Stage

QUERIES_AT_ONCE = 256
MOST_KEPT = 256
"""Of the negatives of a query at a stage of a curriculum: all of a share of COCO would take many gigabytes."""


class Miner:
    """Keeps the tables of ``negatives`` up to date. ``embed``: model → vectors of all of the training set, in its order."""

    def __init__(
        self,
        negatives: MinedNegatives,
        embed: Callable[[nn.Module], Embeddings],
        every_steps: int,
        depth: int,
        state: dict[str, Any],
    ) -> None:
        self.negatives, self.embed, self.every_steps, self.depth, self.state = negatives, embed, every_steps, depth, state

    def prepare(self, model: nn.Module, step: int) -> None:
        """To be called before the batch of each ``step`` (from 0). ``model`` comes back in the mode that it was in."""
        if step % self.every_steps == 0:
            training = model.training
            model.eval()
            found = self.embed(model)
            model.train(training)
            images = np.arange(len(found.image_ids))
            index = found.caption_image_index
            self.state["captions_of_images"] = hardest(found.images, found.captions, images, index, self.depth)
            self.state["images_of_captions"] = hardest(found.captions, found.images, index, images, self.depth)
        self.negatives.captions_of_images = self.state["captions_of_images"].numpy()
        self.negatives.images_of_captions = self.state["images_of_captions"].numpy()


def hardest(
    queries: np.ndarray,
    gallery: np.ndarray,
    query_images: np.ndarray,
    gallery_images: np.ndarray,
    depth: int,
    below_own: bool = False,
    kept: np.ndarray | None = None,
) -> torch.Tensor:
    """Gallery rows of the highest cosines of other images than a query's own.

    Args:
        queries: (Q, D) unit vectors.
        gallery: (G, D) unit vectors.
        query_images: (Q,) the image that each query is of.
        gallery_images: (G,) the image that each of the gallery is of.
        depth: how many of a query.
        below_own: leave out what is nearer than the nearest of the query's own image: it is likely a match too.
        kept: (K,) which places of the order are kept, from 0; None: all.

    Returns:
        (Q, K) or (Q, min(depth, G)) int64, the highest first; -1: no more.

    """
    rows = []
    candidates, owners = torch.from_numpy(gallery), torch.from_numpy(gallery_images)
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        block = slice(start, start + QUERIES_AT_ONCE)
        cosines = torch.from_numpy(queries[block]) @ candidates.T
        own = torch.from_numpy(query_images[block])[:, None] == owners[None, :]
        if below_own:
            cosines = cosines.masked_fill(cosines > cosines.where(own, -torch.inf).amax(1, keepdim=True), -torch.inf)
        cosines[own] = -torch.inf
        best = cosines.topk(min(depth, len(gallery)), dim=1)
        found = best.indices.masked_fill(best.values.isinf(), -1)
        rows.append(found if kept is None else found[:, torch.from_numpy(kept)])
    return torch.cat(rows)


class RankedShares:
    """Gives ``negatives`` the top of one ranking of the training set, narrower as the training goes on.

    ``stages``: which share of all captions, and of all images, negatives are drawn from; of share 1 are the pairs of the batch.
    """

    def __init__(self, negatives: MinedNegatives, ranked: Embeddings, stages: Sequence[Stage]) -> None:
        self.negatives, self.stages = negatives, stages
        images, index = np.arange(len(ranked.image_ids)), ranked.caption_image_index
        shares = [stage.share for stage in stages if stage.share < 1]
        captions_of_images = _tables(ranked.images, ranked.captions, images, index, shares)
        images_of_captions = _tables(ranked.captions, ranked.images, index, images, shares)
        self._tables = dict(zip(shares, zip(captions_of_images, images_of_captions, strict=True), strict=True))

    def prepare(self, step: int) -> bool:
        """To be called before the batch of each ``step`` (from 0). Returns whether negatives are drawn from the ranking."""
        share = [stage.share for stage in self.stages if stage.step <= step][-1]
        self.negatives.captions_of_images, self.negatives.images_of_captions = self._tables.get(share, (None, None))
        return share in self._tables


def _tables(
    queries: np.ndarray, gallery: np.ndarray, query_images: np.ndarray, gallery_images: np.ndarray, shares: Sequence[float]
) -> list[np.ndarray]:
    """(Q, K) int32 for each share: at most ``MOST_KEPT`` of the best so many of ``gallery``, evenly spread over their order."""
    if not shares:
        return []
    depths = [max(1, round(share * len(gallery))) for share in shares]
    places = [np.linspace(0, depth - 1, min(depth, MOST_KEPT)).round().astype(np.int64) for depth in depths]
    every = hardest(queries, gallery, query_images, gallery_images, max(depths), True, np.concatenate(places)).to(torch.int32)
    return [table.numpy() for table in every.split([len(kept) for kept in places], dim=1)]
