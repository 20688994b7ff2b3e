"""Images that are handed over in Python, behind the interface of the stores on disk.

The readers that training and `embed` use read from here too, so a picture gets the same vector on either way. An image is
decoded when its batch is read; its id is its place in the list.
"""

import threading
from collections.abc import Sequence

import numpy as np

from vldeformer.data.pictures import Picture, square, upright
from vldeformer.data.records import Regions, check_regions
from vldeformer.errors import InputError
from vldeformer.extractors.base import Extractor
from vldeformer.extractors.files import EXTRACTOR_FILES

InMemoryImage = Picture | Regions


def in_memory_ids(images: Sequence[object]) -> list[str]:
    """Ids of the images of a list in the classes below."""
    return [str(row) for row in range(len(images))]


class InMemoryPictures:
    """Id → (height, width, 3) uint8 RGB: squares of ``side`` pixels as `prepare` makes them, or at their own size (None)."""

    def __init__(self, images: Sequence[InMemoryImage], side: int | None) -> None:
        self.images, self.side = images, side
        # Readers may use threads, and one image may be in the list twice: Pillow must not decode it in two threads at once.
        self.locks = {id(image): threading.Lock() for image in images}

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the squares in pixels."""
        assert self.side is not None
        return self.side, self.side

    def __getitem__(self, image_id: str) -> np.ndarray:
        name, image = f"images[{image_id}]", self.images[int(image_id)]
        if isinstance(image, Regions):
            raise InputError(f"{name}: this model reads pixels; expected a PIL image or an array, got Regions")
        with self.locks[id(image)]:
            rgb = upright(image, name)
        return np.asarray(rgb) if self.side is None else square(rgb, self.side)


class InMemoryRegions:
    """Id → Regions: given as such, or found in a picture by the model's extractor.

    Raises InputError as ``check_regions`` does, or for a picture without extractor. ``feature_width``: V without box numbers.
    """

    def __init__(self, images: Sequence[InMemoryImage], feature_width: int, extractor: Extractor | None) -> None:
        self.images, self.feature_width, self.extractor = images, feature_width, extractor
        # Readers may use threads, and one image may be in the list twice: Pillow must not decode it in two threads at once.
        self.locks = {id(image): threading.Lock() for image in images}

    def __getitem__(self, image_id: str) -> Regions:
        name, image = f"images[{image_id}]", self.images[int(image_id)]
        if isinstance(image, Regions):
            check_regions(name, image, self.feature_width)
            return image
        if self.extractor is None:
            came = (
                f"this model reads regions and carries no detector ({' or '.join(EXTRACTOR_FILES)}), got {type(image).__name__}"
            )
            raise InputError(f"{name}: {came}; give vldeformer.Regions(features, boxes, tags) of your own detector")
        with self.locks[id(image)]:
            rgb = upright(image, name)
        found = self.extractor.regions(rgb)
        if found.features.shape[1] != self.feature_width:
            came = f"the extractor with this model gives {found.features.shape[1]} numbers a region"
            raise InputError(f"{name}: {came}, the model reads {self.feature_width}; put its own extractor into its folder")
        return found
