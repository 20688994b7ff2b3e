"""Which images a step sees: a pure function of the step, so that a run can stop and go on anywhere."""

import functools

import numpy as np

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
