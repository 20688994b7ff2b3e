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
from vldeformer.training.settings import Stage

QUERIES_AT_ONCE = 256


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
) -> torch.Tensor:
    """Gallery rows of the highest cosines of other images than a query's own.

    Args:
        queries: (Q, D) unit vectors.
        gallery: (G, D) unit vectors.
        query_images: (Q,) the image that each query is of.
        gallery_images: (G,) the image that each of the gallery is of.
        depth: how many of a query.
        below_own: leave out what is nearer than the nearest of the query's own image: it is likely a match too.

    Returns:
        (Q, min(depth, G)) int64, the highest first; -1: no more.

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
        rows.append(best.indices.masked_fill(best.values.isinf(), -1))
    return torch.cat(rows)


class RankedShares:
    """Gives ``negatives`` the top of one ranking of the training set, narrower as the training goes on.

    ``stages``: which share of all captions, and of all images, negatives are drawn from; of share 1 are the pairs of the batch.
    """

    def __init__(self, negatives: MinedNegatives, ranked: Embeddings, stages: Sequence[Stage]) -> None:
        self.negatives, self.stages = negatives, stages
        images, index = np.arange(len(ranked.image_ids)), ranked.caption_image_index
        widest = max((stage.share for stage in stages if stage.share < 1), default=0.0)
        self._captions = (
            hardest(ranked.images, ranked.captions, images, index, _depth(widest, len(index)), below_own=True)
            .to(torch.int32)
            .numpy()
        )
        self._images = (
            hardest(ranked.captions, ranked.images, index, images, _depth(widest, len(images)), below_own=True)
            .to(torch.int32)
            .numpy()
        )

    def prepare(self, step: int) -> bool:
        """To be called before the batch of each ``step`` (from 0). Returns whether negatives are drawn from the ranking."""
        share = [stage.share for stage in self.stages if stage.step <= step][-1]
        ranked = share < 1
        captions, images = (_depth(share, count) for count in (len(self._images), len(self._captions)))
        self.negatives.captions_of_images = self._captions[:, :captions] if ranked else None
        self.negatives.images_of_captions = self._images[:, :images] if ranked else None
        return ranked


def _depth(share: float, count: int) -> int:
    return max(1, round(share * count))
