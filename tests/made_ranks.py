"""Ranks of ten captions of four images, drawn at random."""

import numpy as np

from vldeformer.retrieval.ranking import Ranks

UNEVEN = np.array([0, 0, 0, 1, 2, 2, 3, 3, 3, 3])
"""Image of each caption."""


def some_ranks(seed, n_images=4, n_captions=10, worst=14):
    generator = np.random.default_rng(seed)
    return Ranks(generator.integers(1, worst, size=n_images), generator.integers(1, worst, size=n_captions))
