"""The small frozen records that cross borders: an image, a caption, and what a detector saw in an image."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a dataset. ``file`` is its path below the dataset's image folder, None if it has no file."""

    id: str
    split: str
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Caption:
    """One sentence said of one image."""

    id: str
    image_id: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """What a detector found in an image.

    features: (R, V) floating, without the box numbers; boxes: (R, 4) float32 x1 y1 x2 y2 as fractions of the image;
    tags: the detector's words in its own order, usually one a region.
    """

    features: np.ndarray
    boxes: np.ndarray
    tags: tuple[str, ...]
