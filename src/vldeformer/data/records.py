"""The small frozen records that cross borders: an image, a caption, what a detector saw in an image, and who has those by id."""

from dataclasses import dataclass
from typing import Protocol

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


class RegionSource(Protocol):
    """Image id → Regions; raises InputError for an id that it has not. A store on disk, several of them, or a list."""

    @property
    def feature_width(self) -> int:
        """V, box numbers not counted."""
        ...

    def __getitem__(self, image_id: str) -> Regions: ...


class PictureSource(Protocol):
    """Image id → (height, width, 3) uint8, RGB; raises InputError for an id that it has not."""

    def __getitem__(self, image_id: str) -> np.ndarray: ...


class SquareSource(PictureSource, Protocol):
    """The same, with all pictures of one size."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        ...
