"""``features.tsv`` in parallel: base64 → checked features and boxes, rows in the file's order, a bounded number in memory.

Threads are enough: decoding and converting leave Python's lock to others. They share memory and end with the process.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pybase64

from vldeformer.data.records import BOX_ROUNDING
from vldeformer.data.regions import FeatureType
from vldeformer.datasets.vinvl_rows import TsvRow, VinvlDownload, read_rows
from vldeformer.errors import InputError

FEATURES = 2048
BOX_NUMBERS = 6  # x1 y1 x2 y2 width height, fractions of the image
NUMBERS = FEATURES + BOX_NUMBERS
BATCH_BYTES = 4 << 20
# Width and height are not stored but computed from the corners again. Float sums differ by 1e-7; more means other numbers.
SIDE_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class DetectedRegions:
    """One image: its row in the file, features (R, 2048) of the chosen type, boxes (R, 4) float32 x1 y1 x2 y2."""

    row: TsvRow
    features: np.ndarray
    boxes: np.ndarray


def read_features(
    download: VinvlDownload, dtype: FeatureType, workers: int, start: int = 0, number: int = 1
) -> Generator[DetectedRegions, None, None]:
    """All images from byte ``start``, where row ``number`` begins, decoded by ``workers`` threads.

    Raises InputError, naming file, row and id of the first bad row: cut short, not base64 of its number of boxes, numbers
    that are not finite or do not fit ``dtype``, boxes outside the image, or another id than ``imageid2idx.json`` has.
    """
    batches = _batches(_known(download, start, number))
    waiting: deque[Future[list[DetectedRegions]]] = deque()
    # The next batch is read while the one before is decoded and what came out of others is written.
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(workers) as pool:
        try:
            upcoming = reader.submit(next, batches, None)
            while (batch := upcoming.result()) is not None:
                upcoming = reader.submit(next, batches, None)
                waiting.append(pool.submit(_decode_all, batch, dtype))
                if len(waiting) > 2 * workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _batches(rows: Iterable[TsvRow]) -> Iterator[list[TsvRow | InputError]]:
    """Some megabytes of rows. An error in reading stands in its row's place, so that earlier rows are looked at first."""
    batch: list[TsvRow | InputError] = []
    size = 0
    try:
        for row in rows:
            batch.append(row)
            size += row.end - row.start
            if size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
    except InputError as error:
        batch.append(error)
    yield batch


def _known(download: VinvlDownload, start: int, number: int) -> Iterator[TsvRow]:
    ids, last = download.ids, number - 1
    for row in read_rows(download.features, 3, start, number):
        last = row.number
        if row.number > len(ids) or row.image_id != ids[row.number - 1]:
            raise row.error(_why_unknown(download, row))
        yield row
    if last < len(ids):
        message = f"ends after row {last}, but {download.id_rows.name} has {len(ids)} ids, next {ids[last]!r}"
        raise InputError(f"{download.features}: {message}; the file may be cut short, download it again")


def _why_unknown(download: VinvlDownload, row: TsvRow) -> str:
    if row.image_id not in download.ids:
        return f"not in {download.id_rows}; the files of a download must be of the same images"
    expected = download.ids.index(row.image_id) + 1
    if expected < row.number:
        return f"comes a second time, first in row {expected}; ids must be unique"
    return f"expected in row {expected}, as {download.id_rows.name} says, which counts from 0; one file is of another download"


def _decode_all(rows: list[TsvRow | InputError], dtype: FeatureType) -> list[DetectedRegions]:
    decoded = []
    for row in rows:
        if isinstance(row, InputError):
            raise row
        decoded.append(_decode(row, dtype))
    return decoded


def _decode(row: TsvRow, dtype: FeatureType) -> DetectedRegions:
    numbers = _numbers(row)
    limit = np.finfo(dtype).max
    features = numbers[:, :FEATURES]
    # Minimum and maximum of anything with NaN are NaN, which is within no limits.
    if not (-limit <= features.min() and features.max() <= limit):
        raise row.error(_what_does_not_fit(features, dtype))
    boxes = numbers[:, FEATURES:]
    corners, sides = boxes[:, :4], boxes[:, 4:]
    if not (corners.min() >= -BOX_ROUNDING and corners.max() <= 1 + BOX_ROUNDING):
        raise row.error(f"expected boxes as fractions of the image, got numbers from {corners.min():g} to {corners.max():g}")
    if not np.abs(corners[:, 2:] - corners[:, :2] - sides).max() <= SIDE_TOLERANCE:
        raise row.error("expected x1 y1 x2 y2 width height as last numbers, but width and height are not x2 - x1, y2 - y1")
    return DetectedRegions(row, features.astype(dtype), corners.copy())


def _numbers(row: TsvRow) -> np.ndarray:
    """(R, 2054) float32 of the last column, whose base64 must be as long as column 1 says."""
    count, text = row.second, row.last
    if not (count.isdigit() and len(count) < 7 and int(count) > 0):
        raise row.error(f"expected the number of boxes, 1 or more, got {count[:20].decode(errors='replace')!r}")
    size = 4 * NUMBERS * int(count)
    expected = (size + 2) // 3 * 4
    if len(text) != expected:
        boxes = f"{int(count)} boxes take {expected} characters of base64, got {len(text)}"
        raise row.error(f"{boxes}; the row is cut short or its number of boxes is wrong")
    try:
        data = pybase64.b64decode(text, validate=True)
    except ValueError as error:
        raise row.error(f"expected base64, got something else ({error}); the file is damaged, download it again") from None
    if len(data) != size:
        raise row.error(f"expected base64 of {size} bytes, got {len(data)}; the file is damaged, download it again")
    return np.frombuffer(data, dtype="<f4").reshape(int(count), NUMBERS)


def _what_does_not_fit(features: np.ndarray, dtype: FeatureType) -> str:
    if not np.isfinite(features).all():
        box = int(np.flatnonzero(~np.isfinite(features).all(axis=1))[0]) + 1
        return f"features of box {box} hold NaN or infinity; the file is damaged, download it again"
    return f"a feature of size {np.abs(features).max():g} does not fit {dtype}; import with --dtype float32"
