"""Mined negatives: for every image the hardest captions of the whole training set, and for every caption the hardest images.

Hard is what the current model takes for right: the highest cosine among items of other images. The tables are looked up again
every few epochs and kept in the state of the run, so that a continued run draws what an uninterrupted one would have drawn.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from vldeformer.inputs.drawn_negatives import MinedNegatives
from vldeformer.retrieval.embeddings import Embeddings

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
    queries: np.ndarray, gallery: np.ndarray, query_images: np.ndarray, gallery_images: np.ndarray, depth: int
) -> torch.Tensor:
    """(Q, min(depth, G)) int64: gallery rows of the highest cosines of other images than its own; -1: no more."""
    rows = []
    candidates, owners = torch.from_numpy(gallery), torch.from_numpy(gallery_images)
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        block = slice(start, start + QUERIES_AT_ONCE)
        cosines = torch.from_numpy(queries[block]) @ candidates.T
        cosines[torch.from_numpy(query_images[block])[:, None] == owners[None, :]] = -torch.inf
        best = cosines.topk(min(depth, len(gallery)), dim=1)
        rows.append(best.indices.masked_fill(best.values.isinf(), -1))
    return torch.cat(rows)
