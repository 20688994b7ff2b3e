"""The words that the detector found: ``predictions.tsv``, read before the features, for it is small beside them."""

from array import array
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson

from vldeformer.data.records import BOX_ROUNDING
from vldeformer.datasets.vinvl_rows import TsvRow, VinvlDownload, read_rows
from vldeformer.errors import InputError


class DetectedTags:
    """Tags of every image of a download: the row of ``VinvlDownload.ids`` → words, in the file's order.

    Numbers of words are kept, 4 bytes a tag: words would take a gigabyte.
    """

    def __init__(self, words: list[str], numbers: np.ndarray, spans: np.ndarray) -> None:
        self.words, self.numbers, self.spans = words, numbers, spans

    def __getitem__(self, row: int) -> tuple[str, ...]:
        start, end = self.spans[row]
        return tuple(self.words[number] for number in self.numbers[start:end])


def read_tags(download: VinvlDownload, on_bytes: Callable[[int], object] = lambda number: None) -> DetectedTags:
    """Read all predictions; their rows may stand in another order than the features'. ``on_bytes`` hears of what was read.

    Raises InputError, naming file, row and id, on a row that is no list of objects, an id that comes twice or that
    ``imageid2idx.json`` lacks, or an id without a row.
    """
    rows_of = {name: row for row, name in enumerate(download.ids)}
    numbers_of: dict[str, int] = {}
    found, spans = array("i"), np.zeros((len(download.ids), 2), dtype=np.int64)
    for line in read_rows(download.predictions, columns=2):
        row = rows_of.get(line.image_id)
        if row is None:
            raise line.error(f"not in {download.id_rows}; the files of a download must be of the same images")
        if spans[row, 1]:
            raise line.error("comes a second time; ids must be unique")
        start = len(found)
        found.extend(numbers_of.setdefault(word, len(numbers_of)) for word in _words(line))
        spans[row] = start, len(found)
        on_bytes(line.end - line.start)
    missing = np.flatnonzero(spans[:, 1] == 0)
    if len(missing):
        first = f"image {download.ids[missing[0]]!r} is row {missing[0] + 1} of {download.features}, but has no row here"
        raise InputError(f"{download.predictions}: {first}; the file may be cut short, download it again")
    return DetectedTags(list(numbers_of), np.frombuffer(found, dtype=np.intc), spans)


def _words(line: TsvRow) -> list[str]:
    """The class of each object. The rectangles, in pixels, are only checked: the features bring the boxes along."""
    try:
        value = orjson.loads(line.last)
    except ValueError as error:
        raise line.error(f"expected JSON, got something else ({error}); the row may be cut short") from None
    objects: Any = value.get("objects") if isinstance(value, dict) else value
    try:
        words = [item["class"] for item in objects]
        rectangles = np.array([item["rect"] for item in objects], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise line.error(
            f"expected a list of objects with class and rect [x1, y1, x2, y2], got something else ({error!r})"
        ) from None
    for word in words:
        if not isinstance(word, str) or not word.strip():
            raise line.error(f"expected a word as the class of every object, got {word!r}")
    if not words or rectangles.shape != (len(words), 4) or not np.isfinite(rectangles).all():
        raise line.error(f"expected one or more objects with four finite numbers as rect, got rectangles {rectangles.shape}")
    if isinstance(value, dict):
        _check_size(line, value, rectangles)
    return words


def _check_size(line: TsvRow, value: dict[str, object], rectangles: np.ndarray) -> None:
    """A bare list has no size, so nothing of it can be wrong."""
    height, width = value.get("image_h"), value.get("image_w")
    if not all(isinstance(side, int | float) and side > 0 for side in (height, width)):
        raise line.error(f"expected image_h and image_w in pixels, got {height!r} and {width!r}")
    fractions = rectangles / [width, height, width, height]
    if fractions.min() < -BOX_ROUNDING or fractions.max() > 1 + BOX_ROUNDING:
        raise line.error(f"a rect lies outside the image of {width} x {height} pixels; image_w or image_h is wrong")
