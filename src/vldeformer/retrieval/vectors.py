"""What vectors must be to be compared: an array of floats, a row an item, each of unit length; messages name the row."""

from typing import Any

import numpy as np

from vldeformer.errors import InputError

LENGTH_TOLERANCE = 1e-3


def as_array(what: str, values: Any) -> np.ndarray:
    """An array of what a user gave. Raises InputError, which calls it ``what``, if NumPy cannot make one."""
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:  # rows of different length, a tensor on a GPU
        raise InputError(
            f"{what}: expected an array, cannot make one of this {type(values).__name__} ({str(error).partition('. ')[0]})"
        ) from None


def as_float32(what: str, vectors: np.ndarray) -> np.ndarray:
    """(rows, width) of any float type as float32. Raises InputError for other types and shapes."""
    array = as_array(what, vectors)
    if array.dtype.kind != "f":
        raise InputError(f"{what}: expected floats of unit length, got {array.dtype}; turn them back into floats and normalise")
    if array.ndim != 2:
        raise InputError(f"{what}: expected one vector a row, (rows, width), got shape {array.shape}")
    with np.errstate(over="ignore"):  # such a row is refused for its length
        return array.astype(np.float32, copy=False)


def check_vectors(what: str, vectors: np.ndarray, ids: tuple[str, ...]) -> None:
    """Raises InputError naming the row if not all are float32, finite and of unit length, one for each id."""
    if vectors.ndim != 2 or len(vectors) != len(ids) or vectors.dtype != np.float32:
        raise InputError(
            f"{what}: expected float32, one row for each of {len(ids)} ids, got {vectors.dtype} of shape {vectors.shape}"
        )
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(vectors, axis=1)
    wrong = np.flatnonzero(~(np.abs(lengths - 1) <= LENGTH_TOLERANCE))  # written so that NaN counts as wrong
    if len(wrong):
        row = int(wrong[0])
        raise InputError(f"{what}: row {row} ({ids[row]!r}) has length {lengths[row]:.6g}, expected 1; normalise the vectors")
