"""Whole numbers up to 65,535 as short text: uint16, first the low bytes, then the high ones, compressed, in base 85."""

import base64
import lzma

import numpy as np

from vldeformer.errors import InputError

LARGEST = np.iinfo(np.uint16).max


def pack(numbers: np.ndarray, what: str) -> str:
    """Numbers as text.

    Args:
        numbers: (N,) integers of at least 0.
        what: what they are, for the message.

    Raises:
        InputError: a number is above 65,535.

    """
    if len(numbers) and numbers.max() > LARGEST:
        raise InputError(f"{what}: expected numbers up to {LARGEST:,}, got {numbers.max():,}, which no record holds")
    planes = numbers.astype("<u2").view(np.uint8).reshape(-1, 2).T
    return base64.b85encode(lzma.compress(planes.tobytes(), lzma.FORMAT_ALONE)).decode()


def unpack(text: str) -> np.ndarray:
    """The numbers that ``pack`` made a text of: (N,) int64. Raises ValueError or lzma.LZMAError if it is damaged."""
    planes = np.frombuffer(lzma.decompress(base64.b85decode(text), lzma.FORMAT_ALONE), np.uint8).reshape(2, -1)
    return np.ascontiguousarray(planes.T).view("<u2").ravel().astype(np.int64)
