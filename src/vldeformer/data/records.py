"""The small frozen records that cross borders: an image, a caption, what a detector saw in an image, and who has those by id."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vldeformer.errors import InputError

BOX_ROUNDING = 0.01
"""Boxes that stick out of the image by a rounded pixel, this share of a side, are kept as they are, for the released code
reads them so. What lies further out is in pixels or of an image of another size."""


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


def check_characters(where: str, *texts: str) -> None:
    """Raises InputError if a text holds half of a surrogate pair, as broken JSON leaves behind: no file or tokenizer takes it."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            half = f"{text[error.start]!r} in place {error.start}"
            raise InputError(f"{where}: expected whole characters, got half of one ({half}); correct or delete it") from None


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """What a detector found in an image.

    features: (R, V) floating, without the box numbers; boxes: (R, 4) float32 x1 y1 x2 y2 as fractions of the image;
    tags: the detector's words in its own order, usually one a region.
    """

    features: np.ndarray
    boxes: np.ndarray
    tags: tuple[str, ...]


def check_regions(name: str, regions: Regions, feature_width: int) -> None:
    """Raises InputError, which calls the image ``name``, if Regions are not what they should be or of another width V."""
    for what, array in (("features", regions.features), ("boxes", regions.boxes)):
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
            came = str(array.dtype) if isinstance(array, np.ndarray) else type(array).__name__
            raise InputError(f"{name}: expected {what} as a NumPy array of floats, got {came}; use numpy.asarray(…, 'float32')")
    count = len(regions.boxes) if regions.boxes.ndim else 0
    expected = (count, feature_width), (count, 4)
    if (regions.features.shape, regions.boxes.shape) != expected:
        came = f"got {regions.features.shape} and {regions.boxes.shape}"
        raise InputError(f"{name}: expected features {expected[0]} and boxes {expected[1]}, {came}")
    if not (np.isfinite(regions.features).all() and np.isfinite(regions.boxes).all()):
        raise InputError(f"{name}: features or boxes hold NaN or infinity")
    low, high = regions.boxes.min(initial=0), regions.boxes.max(initial=0)
    if low < -BOX_ROUNDING or high > 1 + BOX_ROUNDING:
        came = f"got numbers from {low:g} to {high:g}"
        raise InputError(f"{name}: expected boxes as fractions of the image, {came}; divide by its width and height")
    if not isinstance(regions.tags, tuple | list) or not all(isinstance(tag, str) for tag in regions.tags):
        raise InputError(f"{name}: expected tags as a tuple of words, got {str(regions.tags)[:60]!r}")


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
