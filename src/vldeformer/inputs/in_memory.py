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
from vldeformer.scenes.detector import Detector

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
    """Id → Regions: given as such, or found in a picture by the model's detector.

    Raises InputError as ``check_regions`` does, or for a picture without detector. ``feature_width``: V, box numbers not counted.
    """

    def __init__(self, images: Sequence[InMemoryImage], feature_width: int, detector: Detector | None) -> None:
        self.images, self.feature_width, self.detector = images, feature_width, detector

    def __getitem__(self, image_id: str) -> Regions:
        name, image = f"images[{image_id}]", self.images[int(image_id)]
        if isinstance(image, Regions):
            check_regions(name, image, self.feature_width)
            return image
        if self.detector is None:
            came = f"this model reads regions and carries no detector (extractor.npz), got {type(image).__name__}"
            raise InputError(f"{name}: {came}; give vldeformer.Regions(features, boxes, tags) of your own detector")
        return self.detector.regions(square(upright(image, name), self.detector.picture_size))
