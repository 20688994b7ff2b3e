"""A .npy file that grows row by row on disk, so that tens of gigabytes are written once and never held in memory."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from vldeformer.artifact import write_array_header


class GrowingArray:
    """Rows of one dtype and shape, appended. ``finish`` writes the final row count into the header; ``close`` only closes.

    With ``rows`` the array of a killed process is continued after its first ``rows`` rows, which ``flush`` had put on disk;
    what follows them is dropped.
    """

    def __init__(self, path: Path, dtype: DTypeLike, row_shape: tuple[int, ...] = (), rows: int = 0) -> None:
        self.path, self.dtype, self.row_shape, self.rows = path, np.dtype(dtype), row_shape, rows
        self.file = path.open("r+b" if rows else "wb")
        self._write_header(rows)
        end = self.file.tell() + rows * self._row_bytes
        self.file.truncate(end)
        self.file.seek(end)

    @property
    def _row_bytes(self) -> int:
        return int(np.prod(self.row_shape, dtype=np.int64)) * self.dtype.itemsize

    def _write_header(self, rows: int) -> None:
        # NumPy pads the header for the largest row count, so a later one takes just as many bytes.
        write_array_header(self.file, self.dtype, (rows, *self.row_shape))

    def extend(self, rows: ArrayLike) -> None:
        """Append rows: (number, *row_shape)."""
        values = np.ascontiguousarray(rows, dtype=self.dtype).reshape(-1, *self.row_shape)
        self.file.write(values.data)
        self.rows += len(values)

    def flush(self) -> int:
        """Hand all rows to the system: they stay if this process is killed. Returns the size of the file, bytes."""
        self.file.flush()
        return self.file.tell()

    def finish(self) -> None:
        """Make it an ordinary .npy; nothing can be appended after that."""
        self.file.seek(0)
        self._write_header(self.rows)

    def close(self) -> None:
        """Close the file."""
        self.file.close()
