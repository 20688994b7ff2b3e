"""One fast checksum for each record of a store: a store is too large to be read whole for the sake of a few images.

A checksum is compared when a record is read for the first time in a process. It finds damage, not malice; what a store is to
others is the sha256 of its files in ``digests.json``.
"""

from pathlib import Path

import numpy as np
import xxhash

from vldeformer.artifact import load_array
from vldeformer.errors import InputError

CHECKSUMS = "checksums.npy"
"""(records,) uint64 in the folder of a store."""


def checksum(*parts: np.ndarray) -> int:
    """XXH3 of the bytes of arrays, one after the other."""
    total = xxhash.xxh3_64()
    for part in parts:
        total.update(np.ascontiguousarray(part).data)
    return total.intdigest()


class Checksums:
    """The checksums of a store with ``records`` records; a store that an older version wrote has none, and nothing is compared.

    Raises InputError if the file is damaged or of another store.
    """

    def __init__(self, folder: Path, records: int) -> None:
        self.folder, path = folder, folder / CHECKSUMS
        self.stored = load_array(path) if path.is_file() else None
        if self.stored is not None and (self.stored.shape != (records,) or self.stored.dtype != np.uint64):
            came = f"{self.stored.dtype} of shape {self.stored.shape}"
            raise InputError(f"{path}: expected a uint64 for each of {records} images, got {came}; make the store again")
        self.compared = np.zeros(records if self.stored is not None else 0, dtype=bool)

    def compare(self, row: int, image_id: str, *parts: np.ndarray) -> None:
        """Compare one record at its first reading. Raises InputError naming the store and the image."""
        if self.stored is None or self.compared[row]:
            return
        if checksum(*parts) != self.stored[row]:
            problem = f"image {image_id!r} is not as it was written (another checksum)"
            raise InputError(f"{self.folder}: {problem}: the store is damaged; make it again")
        self.compared[row] = True
