"""Photographs at their own aspect ratio → patches, for ViLT as it was published: no square is cut out of them.

The transform is transformers' ``ViltImageProcessor`` in its Pillow form, named so that no other is chosen where torchvision is
installed: shorter side to ``crop_size``, longer side at most 1.66 times that, both to multiples of a patch, bicubic, -1..1.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import PIL.Image
import torch

from vldeformer.data.photographs import THREADS
from vldeformer.data.pictures import Picture, trimmed, upright
from vldeformer.data.records import PictureSource
from vldeformer.inputs.batch import PhotographInput
from vldeformer.inputs.collate import ComposedImage, VisualReader

PatchRows = tuple[np.ndarray, tuple[int, int]]
"""(patches, 3 × side × side) float32 of one photograph, row by row, and its rows and columns of patches."""


class PhotographTransform:
    """Picture → patches. ``shorter``: pixels of the shorter side; ``patch``: side of a patch, which sizes are multiples of."""

    def __init__(self, shorter: int, patch: int) -> None:
        from transformers import ViltImageProcessorPil  # seconds, which models of regions and squares do without

        self.shorter, self.patch = shorter, patch
        self.processor = ViltImageProcessorPil(size={"shortest_edge": shorter}, size_divisor=patch, do_pad=False)
        # The processor's own bound on the longer side; what is more elongated than it in patches would lose its shorter side.
        self.most_elongated = shorter * 1333 // 800 // patch

    def __call__(self, pictures: Sequence[Picture], names: Sequence[str]) -> PhotographInput:
        """Patches of Pillow images or (height, width, 3) uint8 arrays. Raises InputError with the name of one that is neither."""
        with ThreadPoolExecutor(THREADS) as pool:
            return padded(list(pool.map(lambda picture, name: self.patches(upright(picture, name)), pictures, names)))

    def patches(self, rgb: PIL.Image.Image) -> PatchRows:
        """Patches of an upright RGB image."""
        return self._cut(self.processor(trimmed(rgb, self.most_elongated))["pixel_values"][0])

    def resized(self, rgb: PIL.Image.Image, grid: tuple[int, int]) -> np.ndarray:
        """Patches of an image squeezed into another's grid."""
        scaled = rgb.resize((grid[1] * self.patch, grid[0] * self.patch), PIL.Image.Resampling.BICUBIC)
        return self._cut(self.processor(scaled, do_resize=False)["pixel_values"][0])[0]

    def _cut(self, pixels: np.ndarray) -> PatchRows:
        side = self.patch
        rows, columns = pixels.shape[1] // side, pixels.shape[2] // side
        cut = pixels.reshape(3, rows, side, columns, side).transpose(1, 3, 0, 2, 4)
        return np.ascontiguousarray(cut, dtype=np.float32).reshape(rows * columns, 3 * side * side), (rows, columns)


def padded(photographs: Sequence[PatchRows]) -> PhotographInput:
    """One batch of photographs of any sizes."""
    patches = np.zeros((len(photographs), max(len(rows) for rows, _ in photographs), photographs[0][0].shape[1]), np.float32)
    for row, (values, _) in enumerate(photographs):
        patches[row, : len(values)] = values
    return PhotographInput(torch.from_numpy(patches), torch.tensor([grid for _, grid in photographs], dtype=torch.int64))


class PhotographReader(VisualReader):
    """Reads whole photographs; stored squares too, which then are photographs of aspect 1. Augmentation: a mirror image.

    A composed image's patch numbers count the cells of a square of ``crop_size``; a photograph of another shape takes from
    the partner, squeezed to its own size, what lies below those cells.
    """

    feature_width = 3

    def __init__(self, store: PictureSource, crop_size: int, patch_size: int) -> None:
        self.store, self.cells = store, crop_size // patch_size
        self.transform = PhotographTransform(crop_size, patch_size)

    def read(self, image_ids: Sequence[str], augment: np.random.Generator | None = None) -> PhotographInput:
        """The images as they are, or some of them mirrored."""
        return self._read([ComposedImage(image_id, image_id, (), ()) for image_id in image_ids], augment)

    def read_composed(self, images: Sequence[ComposedImage], augment: np.random.Generator | None = None) -> PhotographInput:
        """Patches of the partner in the place of the own ones."""
        return self._read(images, augment)

    def _read(self, images: Sequence[ComposedImage], augment: np.random.Generator | None) -> PhotographInput:
        mirrored = np.zeros((len(images), 2), bool) if augment is None else augment.integers(2, size=(len(images), 2)) > 0
        with ThreadPoolExecutor(THREADS) as pool:
            return padded(list(pool.map(self._compose, images, mirrored)))

    def _compose(self, image: ComposedImage, mirrored: np.ndarray) -> PatchRows:
        patches, grid = self.transform.patches(self._open(image.image_id, mirrored[0]))
        if image.taken:
            taken = np.isin(self._cells_below(grid), image.taken)
            patches[taken] = self.transform.resized(self._open(image.partner_id, mirrored[1]), grid)[taken]
        return patches, grid

    def _open(self, image_id: str, mirrored: bool) -> PIL.Image.Image:
        rgb = PIL.Image.fromarray(self.store[image_id])
        return rgb.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else rgb

    def _cells_below(self, grid: tuple[int, int]) -> np.ndarray:
        """(rows × columns,) number of the cell of the square that each patch's middle lies in."""
        down, across = ((2 * np.arange(patches) + 1) * self.cells // (2 * patches) for patches in grid)
        return (down[:, None] * self.cells + across).ravel()
