"""Images of one size in one raw array on disk: reading one is a memory-mapped slice, not a decoded file."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from vldeformer.artifact import map_array, read_json, whole_folder, write_array_header, write_json
from vldeformer.data.checksums import CHECKSUMS, Checksums, checksum
from vldeformer.errors import InputError


class PixelStore:
    """Read-only view of a folder written by ``write_pixels``: image id → (height, width, 3) uint8, RGB."""

    def __init__(self, folder: Path) -> None:
        self.ids: list[str] = read_json(folder / "ids.json")
        self.pixels = map_array(folder / "pixels.npy")
        if len(self.pixels) != len(self.ids):
            raise InputError(f"{folder}: {len(self.ids)} ids but {len(self.pixels)} images; make the store again")
        self.checksums = Checksums(folder, len(self.ids))
        self.rows = {image_id: row for row, image_id in enumerate(self.ids)}

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[1], self.pixels.shape[2]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, image_id: str) -> np.ndarray:
        try:
            row = self.rows[image_id]
        except KeyError:
            raise InputError(f"image {image_id!r} is not in the pixel store of {len(self.ids)} images") from None
        image: np.ndarray = self.pixels[row]
        self.checksums.compare(row, image_id, image)
        return image

    def batch(self, image_ids: Sequence[str]) -> np.ndarray:
        """(B, height, width, 3) uint8."""
        return np.stack([self[image_id] for image_id in image_ids])


def write_pixels(
    folder: Path,
    ids: Sequence[str],
    images: Iterable[np.ndarray],
    size: tuple[int, int],
    on_image: Callable[[], object] = lambda: None,
) -> None:
    """Write images of one ``size`` (height, width), uint8 RGB, in the order of ``ids``; the folder appears when all are there."""
    with whole_folder(folder) as temporary:
        # Plain writes: on a full disk a memory map ends the process with a signal instead of an error.
        sums = []
        with (temporary / "pixels.npy").open("wb") as file:
            write_array_header(file, np.dtype(np.uint8), (len(ids), *size, 3))
            for image_id, image in zip(ids, images, strict=True):
                if image.shape != (*size, 3) or image.dtype != np.uint8:
                    raise InputError(f"image {image_id!r}: expected uint8 {(*size, 3)}, got {image.dtype} {image.shape}")
                file.write(np.ascontiguousarray(image).data)
                sums.append(checksum(image))
                on_image()
        np.save(temporary / CHECKSUMS, np.array(sums, dtype=np.uint64))
        write_json(temporary / "ids.json", list(ids))
