"""Fingerprints: texts and integers exactly, floats within a tolerance that covers processors and no change of the method."""

import hashlib
import json
from collections.abc import Iterator, Mapping

import numpy as np

TOLERANCE = 1e-4
SHOWN = 8
"""Numbers of an array that are kept as they are; the whole array enters through as many sums."""


def exact(value):
    """sha256 of a JSON value, text or bytes: what must be equal on every machine."""
    data = value if isinstance(value, bytes) else json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(data).hexdigest()


def floats(values):
    """A list of floats, rounded beyond the tolerance."""
    return [round(float(value), 7) for value in np.asarray(values, dtype=np.float64).ravel()]


def array(values):
    """Shape, the first numbers, and sums over the whole array with different signs, which see every number and its place."""
    given = np.asarray(values, dtype=np.float64)
    flat = given.ravel()
    # A fixed sequence of signs that depends on no version of NumPy.
    bits = np.frombuffer(hashlib.shake_256(b"signs").digest(-(-len(flat) * SHOWN // 8)), np.uint8)
    signs = np.unpackbits(bits)[: len(flat) * SHOWN].reshape(SHOWN, -1).astype(np.float64) * 2 - 1
    scale = max(np.sqrt(len(flat)), 1.0)
    return {"shape": list(given.shape), "first": floats(flat[:SHOWN]), "sums": floats(signs @ flat / scale)}


def differences(recorded, found, place="") -> Iterator[str]:
    """Where two fingerprints differ, a line each."""
    if isinstance(recorded, Mapping) and isinstance(found, Mapping):
        for key in sorted({*recorded, *found}):
            if key not in recorded or key not in found:
                yield f"{place}{key}: {'not recorded' if key not in recorded else 'no longer computed'}"
            else:
                yield from differences(recorded[key], found[key], f"{place}{key}.")
    elif isinstance(recorded, list) and isinstance(found, list) and len(recorded) == len(found):
        for number, pair in enumerate(zip(recorded, found, strict=True)):
            yield from differences(*pair, f"{place}{number}.")
    elif isinstance(recorded, float) and isinstance(found, int | float):
        if not abs(recorded - found) <= TOLERANCE * max(1.0, abs(recorded)):
            yield f"{place.rstrip('.')}: recorded {recorded}, found {found}"
    elif recorded != found:
        yield f"{place.rstrip('.')}: recorded {recorded!r}, found {found!r}"
