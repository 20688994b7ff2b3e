"""What one found object looks like, in numbers: its silhouette, its colour, its form and size.

The silhouette is resized to one size, so that a small and a large star look alike; how large it is, the form says.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.measure import regionprops

from vldeformer.scenes.segmentation import Blob

COLOUR_WIDTH = 6
FORM_WIDTH = 8


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """silhouette: (crop_size * crop_size,) float32 in 0..1; colour: (6,) mean and deviation of RGB in 0..1; form: (8,)."""

    silhouette: np.ndarray
    colour: np.ndarray
    form: np.ndarray


def describe(pixels: np.ndarray, blob: Blob, crop_size: int) -> Appearance:
    """Appearance of one blob of a picture (height, width, 3) uint8."""
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
