"""Find objects in pixels: whatever does not look like the background that the picture's own border shows.

Nothing here knows the scenes. The background is a smooth surface fitted to the border, the threshold is the picture's own (Otsu),
and objects that touch come out as one, as they do from a real detector.
"""

import functools
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

BORDER = 4
"""Width in pixels of the frame that is taken for background."""
LOWEST, HIGHEST = 26.0, 46.0
"""Otsu's threshold is kept within these grey levels: above the texture of a background, below the palest object."""
FEWEST_PIXELS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Blob:
    """One connected piece of foreground. ``top`` and ``left`` place ``mask`` (bool, tight) in the picture; pixels throughout."""

    top: int
    left: int
    mask: np.ndarray

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x1 y1 x2 y2, ends exclusive."""
        return self.left, self.top, self.left + self.mask.shape[1], self.top + self.mask.shape[0]


def foreground(pixels: np.ndarray) -> np.ndarray:
    """(height, width) bool from (height, width, 3) uint8."""
    difference = np.abs(pixels.astype(np.float32) - _background(pixels)).max(axis=2)
    if difference.max() < LOWEST:
        return np.zeros(difference.shape, dtype=bool)
    threshold = np.clip(threshold_otsu(difference), LOWEST, HIGHEST)
    found: np.ndarray = difference > threshold
    return found


def find_blobs(pixels: np.ndarray) -> list[Blob]:
    """Objects of a picture (height, width, 3) uint8, largest first; an empty list if nothing stands out."""
    labels, _ = ndimage.label(foreground(pixels), structure=np.ones((3, 3)))
    blobs = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        mask = labels[rows, columns] == number
        if mask.sum() >= FEWEST_PIXELS:
            blobs.append(Blob(rows.start, columns.start, mask))
    return sorted(blobs, key=lambda blob: (-int(blob.mask.sum()), blob.top, blob.left))


def find_boxes(pixels: np.ndarray) -> np.ndarray:
    """(objects, 4) float32: x1 y1 x2 y2 as fractions of the picture, largest object first."""
    height, width = pixels.shape[:2]
    boxes = np.array([blob.box for blob in find_blobs(pixels)], dtype=np.float32).reshape(-1, 4)
    return boxes / np.array([width, height, width, height], dtype=np.float32)


def _background(pixels: np.ndarray) -> np.ndarray:
    """(height, width, 3) float32: per channel the plane that fits the border, fitted again without outliers."""
    height, width = pixels.shape[:2]
    surface, border = _surface(height, width)
    basis, values = surface[border], pixels.reshape(-1, 3)[border].astype(np.float64)
    plane = np.linalg.lstsq(basis, values, rcond=None)[0]
    kept = np.abs(values - basis @ plane).max(axis=1) < LOWEST
    if kept.sum() > len(values) // 2:
        plane = np.linalg.lstsq(basis[kept], values[kept], rcond=None)[0]
    background: np.ndarray = (surface @ plane).reshape(height, width, 3).astype(np.float32)
    return background


@functools.cache
def _surface(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns 1, x, y for every pixel (row-major), and which pixels are border."""
    y, x = np.mgrid[0:height, 0:width].reshape(2, -1).astype(np.float64)
    border = (x < BORDER) | (y < BORDER) | (x >= width - BORDER) | (y >= height - BORDER)
    return np.stack([np.ones_like(x), x / width - 0.5, y / height - 0.5], axis=1), border
