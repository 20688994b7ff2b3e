"""Fast checksums of an index's files: 100,000 vectors are compared within the first query, where sha256 would take its time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash

from vldeformer.artifact import map_array
from vldeformer.errors import InputError


@dataclass(frozen=True, eq=False)
class MappedFile:
    """A .npy file as a plain array that holds no file open, and its bytes; None: it is no file."""

    array: np.ndarray
    content: Any

    def compare(self, path: Path, expected: str | None) -> None:
        """Raises InputError naming the file if its checksum is another."""
        if self.content is not None:
            check_checksum(path, self.content, expected)


def mapped_file(path: Path) -> MappedFile:
    """NumPy's own map keeps a file open, and an index has a thousand shards; and each slice of it is a file object.

    Raises InputError as ``map_array`` does.
    """
    header: Any = map_array(path)
    with pa.memory_map(str(path)) as file:
        content = file.read_buffer()
    return MappedFile(np.frombuffer(content, header.dtype, header.size, header.offset).reshape(header.shape), content)


def file_checksum(path: Path) -> str:
    """XXH3 of a file's bytes, in hexadecimal digits."""
    with pa.memory_map(str(path)) as file:
        return xxhash.xxh3_64_hexdigest(memoryview(file.read_buffer()))


def check_checksum(path: Path, content: Any, expected: str | None) -> None:
    """Raises InputError naming the file if its bytes have another checksum; None: an older version wrote it without one."""
    if expected is not None and xxhash.xxh3_64_hexdigest(memoryview(content)) != expected:
        raise InputError(f"{path}: not as it was written (another checksum); the index is damaged, make it again")
