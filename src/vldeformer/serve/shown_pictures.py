"""Photographs as they are shown: every one is decoded here, and only JPEGs made here go out.

What goes out is made anew, so a file that is half picture and half page, or that holds where it was taken, is not handed on.
"""

import contextlib
import io
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image

from vldeformer.data.pictures import DECODING_ERRORS, READ_FORMATS, check_bounds, upright
from vldeformer.errors import InputError
from vldeformer.search.index import SearchIndex
from vldeformer.serve.refusal import RefusedError

IMAGE_SIDE, THUMB_SIDE = 1_600, 320  # pixels
QUALITY = 88
KEPT_BYTES = 64 << 20


class ShownPictures:
    """JPEGs of the images of an index, those asked for last kept in memory (64 MiB)."""

    def __init__(self) -> None:
        self._kept, self._bytes, self._lock = OrderedDict[tuple[str, str, int], bytes](), 0, threading.Lock()

    def stamp(self, index: SearchIndex, image_id: str) -> str:
        """What changes when the image's file does. Raises RefusedError if the index has no such image or it has no picture."""
        if image_id not in index:
            raise RefusedError(404, f"image {image_id[:200]!r} is not in the index")
        if index.description.images_kind == "regions":
            raise RefusedError(404, f"image {image_id!r} is kept as regions; there is no photograph to show")
        with _readable_now(image_id):
            place = index.path(image_id) or _pixels(index)
            found = place.stat()
            return f"{found.st_mtime_ns:x}-{found.st_size:x}"

    def jpeg(self, index: SearchIndex, image_id: str, stamp: str, side: int) -> bytes:
        """The image with at most ``side`` pixels a side, never enlarged. Raises RefusedError if it cannot be read now."""
        key = (image_id, stamp, side)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        with _readable_now(image_id):
            made = _jpeg(_opened(index, image_id, side), side)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._bytes += len(made)
            while self._bytes > KEPT_BYTES:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= len(dropped)
        return made


@contextlib.contextmanager
def _readable_now(image_id: str) -> Iterator[None]:
    try:
        yield
    except (InputError, *DECODING_ERRORS):
        raise RefusedError(404, f"image {image_id!r}: its photograph cannot be read now; index the images again") from None


def _pixels(index: SearchIndex) -> Path:
    return index.images.root / "pixels.npy"


def _opened(index: SearchIndex, image_id: str, side: int) -> PIL.Image.Image:
    path = index.path(image_id)
    if path is not None:
        with PIL.Image.open(path, formats=READ_FORMATS) as image:
            check_bounds(image, image_id)
            # A JPEG can be decoded at an eighth, a quarter or half of its size, many times as fast.
            image.draft("RGB", (2 * side, 2 * side))
            return upright(image, image_id)
    pixels = index.images[image_id]
    assert isinstance(pixels, np.ndarray)
    return upright(np.array(pixels), image_id)


def _jpeg(image: PIL.Image.Image, side: int) -> bytes:
    image.thumbnail((side, side))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=QUALITY)
    return written.getvalue()
