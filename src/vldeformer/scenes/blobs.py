"""Objects in pixels: found as whatever does not look like the background, and described by numbers.

Nothing here uses the scenes. The background is a smooth surface fitted to the border, the threshold is the picture's own (Otsu),
and objects that touch come out as one, as they do from a real detector.
"""

import functools
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import regionprops

BORDER = 4
"""Width in pixels of the frame that is taken for background."""
LOWEST, HIGHEST = 26.0, 46.0
"""Otsu's threshold is kept within these grey levels: above the texture of a background, below the palest object."""
FEWEST_PIXELS = 20
COLOUR_WIDTH = 6


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


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """silhouette: (crop_size * crop_size,) float32 in 0..1; colour: (6,) mean and deviation of RGB in 0..1; form: (8,)."""

    silhouette: np.ndarray
    colour: np.ndarray
    form: np.ndarray


def describe(pixels: np.ndarray, blob: Blob, crop_size: int) -> Appearance:
    """Appearance of one blob of a picture (height, width, 3) uint8.

    Its silhouette is resized to one size, so that a small and a large star look alike; the form says how large it is.
    """
    return Appearance(
        _silhouette(blob.mask, crop_size), _colour(pixels, blob), _form(blob.mask, pixels.shape[0], pixels.shape[1])
    )


def _silhouette(mask: np.ndarray, crop_size: int) -> np.ndarray:
    """The mask in the middle of a square with a pixel of air around it, resampled linearly to crop_size x crop_size."""
    height, width = mask.shape
    side = max(height, width) + 2
    steps = (np.arange(crop_size) + 0.5) * side / crop_size - 0.5
    rows, columns = np.meshgrid(steps - (side - height) / 2, steps - (side - width) / 2, indexing="ij")
    crop: np.ndarray = ndimage.map_coordinates(mask.astype(np.float32), [rows, columns], order=1, mode="constant", cval=0.0)
    return crop.ravel()


def _colour(pixels: np.ndarray, blob: Blob) -> np.ndarray:
    """Mean and deviation of the inner pixels; the rim is mixed with the background and counts only if nothing else is left."""
    x1, y1, x2, y2 = blob.box
    inner = ndimage.binary_erosion(blob.mask)
    values = pixels[y1:y2, x1:x2][inner if inner.any() else blob.mask] / np.float32(255)
    return np.concatenate([values.mean(axis=0), values.std(axis=0)])


def _form(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """Box sides and root of the area as fractions of the picture, filled share of box and of convex hull, length, holes, rim."""
    shape = regionprops(mask.astype(np.uint8))[0]
    return np.array(
        [
            mask.shape[1] / width,
            mask.shape[0] / height,
            np.sqrt(shape.area / (width * height)),
            shape.extent,
            shape.solidity,
            shape.eccentricity,
            1 - shape.euler_number,
            shape.perimeter / np.sqrt(shape.area),
        ],
        dtype=np.float32,
    )
