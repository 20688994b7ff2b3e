"""Batches of pairs for training, each a pure function of its step, so that a run can stop and go on anywhere."""

import functools
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch

from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.inputs.batch import PairBatch
from vldeformer.inputs.collate import TextReader, VisualReader
from vldeformer.inputs.drawn_negatives import ComposedNegatives, HardNegatives
from vldeformer.seeding import named_generator


class EpochSampler:
    """Every image once an epoch in a new order; the last, incomplete batch of an epoch is skipped, as in the paper."""

    def __init__(self, images: int, batch_images: int, seed: int) -> None:
        self.images, self.batch_images, self.seed = images, min(batch_images, images), seed
        self.steps_per_epoch = images // self.batch_images
        self._order = functools.lru_cache(maxsize=2)(self._draw_order)

    def _draw_order(self, epoch: int) -> np.ndarray:
        return named_generator(self.seed, "image order", epoch).permutation(self.images)

    def epoch(self, step: int) -> int:
        """The epoch that ``step`` (from 0) belongs to."""
        return step // self.steps_per_epoch

    def rows(self, step: int) -> np.ndarray:
        """(batch_images,) int64 row numbers of the images of ``step``."""
        start = step % self.steps_per_epoch * self.batch_images
        return self._order(self.epoch(step))[start : start + self.batch_images]


class PairStream:
    """One random caption an image, or ``captions`` of them; composed negatives by turns of their variants.

    ``share`` = (number, of how many): the rows of a batch that this process reads; the batch itself does not depend on it.
    """

    def __init__(
        self,
        manifest: Manifest,
        text: TextReader,
        visual: VisualReader,
        batch_images: int,
        seed: int,
        *,
        negatives: HardNegatives | None = None,
        share: tuple[int, int] = (0, 1),
        captions: int = 1,
    ) -> None:
        self.manifest, self.text, self.visual, self.seed, self.share = manifest, text, visual, seed, share
        self.captions = captions
        self.negatives = negatives or ComposedNegatives()
        if len(manifest.images) < 2:
            found = f"{manifest.dataset}: training needs at least two images, got {len(manifest.images)}"
            raise InputError(f"{found}; raise train.images")
        self.sampler = EpochSampler(len(manifest.images), batch_images, seed)
        if self.sampler.batch_images % share[1]:
            raise InputError(f"batch_images {self.sampler.batch_images} does not divide among {share[1]} processes; change one")
        index = manifest.caption_image_index
        self.first_caption = np.searchsorted(index, np.arange(len(manifest.images)))
        self.caption_counts = np.bincount(index, minlength=len(manifest.images))

    def batch(self, step: int) -> PairBatch:
        """The batch of ``step`` (from 0)."""
        rows, captions = self._rows(step)
        number, of = self.share
        rows, captions = rows[number::of], captions[:, number::of]
        # Augmentation is drawn per process; captions and images above are common to all.
        augment = named_generator(self.seed, "augmentation", step, number)
        epoch = self.sampler.epoch(step)
        turns = [[self.manifest.captions[row] for row in turn] for turn in captions]
        chosen, *further = turns
        images = [self.manifest.images[row].id for row in rows]
        hard_text, hard_text_valid = self.negatives.texts(chosen, epoch, self.text) or (None, None)
        of_images = [*zip(*turns, strict=True)]
        hard_visual, hard_visual_valid = self.negatives.images(of_images, epoch, self.visual, augment) or (None, None)
        return PairBatch(
            self.text.read([caption.text for caption in chosen]),
            self.visual.read(images, augment),
            torch.from_numpy(rows.astype(np.int64)),
            hard_text,
            hard_text_valid,
            hard_visual,
            hard_visual_valid,
            tuple(self.text.read([caption.text for caption in turn]) for turn in further),
            torch.from_numpy(np.ascontiguousarray(captions.T)),
        )

    def ids(self, step: int) -> dict[str, list[str]]:
        """Ids of the images of ``step`` and of their first, second … captions, of all processes, for a message."""
        rows, captions = self._rows(step)
        return {
            "image_ids": [self.manifest.images[row].id for row in rows],
            "caption_ids": [self.manifest.captions[row].id for row in captions.flatten()],
        }

    def _rows(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the images of the whole batch, (B,) int64, and of their captions, (C, B) int64.

        The C captions of an image are different ones; an image with fewer has them again from the first.
        """
        rows, draw = self.sampler.rows(step), named_generator(self.seed, "pairs", step)
        counts = self.caption_counts[rows]
        chosen = draw.integers(counts)[None]
        if self.captions > 1:
            drawn = zip(counts, chosen[0], strict=True)
            orders = [[first, *draw.permutation(np.delete(np.arange(count), first))] for count, first in drawn]
            chosen = np.stack([np.resize(order, self.captions) for order in orders], 1)
        return rows, self.first_caption[rows] + chosen


class Prefetcher:
    """The batches of ``stream``, bit for bit; a thread reads the next one while the model works on this one.

    Two batches are in memory.

    Only for a stream whose batches depend on nothing but their step: not for mined negatives, which change in between.
    """

    def __init__(self, stream: PairStream) -> None:
        self.stream = stream
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._ahead: dict[int, Future[PairBatch]] = {}

    def batch(self, step: int) -> PairBatch:
        """The batch of ``step`` (from 0). What goes wrong while a batch is read is raised when it is asked for."""
        found = self._ahead.pop(step, None) or self._reader.submit(self.stream.batch, step)
        batch = found.result()
        self._ahead = {step + 1: self._reader.submit(self.stream.batch, step + 1)}
        return batch
