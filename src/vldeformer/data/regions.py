"""Regions of many images on disk: ragged arrays without padding, memory-mapped, one image a slice.

A store is a folder: ``features.npy`` (all regions, V), ``boxes.npy`` (all regions, 4), ``tags.npy`` (word numbers),
``region_offsets.npy`` and ``tag_offsets.npy`` (images + 1), ``checksums.npy`` (images), ``ids.json``, ``words.json``.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from vldeformer.artifact import map_array, read_texts, whole_folder, write_array_header, write_json
from vldeformer.data.checksums import CHECKSUMS, Checksums, checksum
from vldeformer.data.records import Regions, check_regions
from vldeformer.errors import InputError
from vldeformer.stored_digests import check_stored

FeatureType = Literal["float16", "float32"]
ARRAYS = (("features", "f", 2), ("boxes", "f", 2), ("tags", "iu", 1), ("region_offsets", "iu", 1), ("tag_offsets", "iu", 1))
"""The arrays of a store: name, kind of numbers, dimensions."""


class RegionStore:
    """Read-only: image id → Regions, straight from the memory map.

    Raises InputError, naming the folder, if its files are damaged or do not belong together; features are not read for that.
    """

    def __init__(self, folder: Path) -> None:
        for name in ("tags", "region_offsets", "tag_offsets"):
            check_stored(folder / f"{name}.npy")
        self.ids = read_texts(folder / "ids.json")
        self.words = read_texts(folder / "words.json")
        self.features = _mapped(folder / "features.npy")
        self.boxes = _mapped(folder / "boxes.npy")
        self.tags = _mapped(folder / "tags.npy")
        self.region_offsets = _mapped(folder / "region_offsets.npy")
        self.tag_offsets = _mapped(folder / "tag_offsets.npy")
        self.rows = {image_id: row for row, image_id in enumerate(self.ids)}
        problem = next(self._problems(), None)
        if problem is not None:
            raise InputError(f"{folder}: {problem}; the store is damaged, make it again")
        self.checksums = Checksums(folder, len(self.ids))

    def _problems(self) -> Iterator[str]:
        """What is wrong with the files, the first first: each question may only be asked if those before it were answered."""
        if len(self.rows) < len(self.ids):
            yield "an id comes twice in ids.json"
        for name, kinds, ndim in ARRAYS:
            array: np.ndarray = getattr(self, name)
            if array.dtype.kind not in kinds or array.ndim != ndim:
                numbers = "floats" if kinds == "f" else "whole numbers"
                yield f"expected {numbers} in {ndim} dimensions in {name}.npy, got {array.dtype} of shape {array.shape}"
        if not len(self.ids) + 1 == len(self.region_offsets) == len(self.tag_offsets):
            yield f"{len(self.ids)} ids but {len(self.region_offsets) - 1} images"
        if self.boxes.shape[1] != 4:
            yield f"expected 4 numbers a box, got {self.boxes.shape[1]}"
        for name, offsets in (("features", self.region_offsets), ("boxes", self.region_offsets), ("tags", self.tag_offsets)):
            rows = len(getattr(self, name))
            if offsets[0] != 0 or offsets[-1] != rows or (np.diff(offsets) < 0).any():
                yield f"{name}.npy has {rows} rows, but the offsets run from {offsets[0]} to {offsets[-1]} or go back"
        low, high = self.tags.min(initial=0), self.tags.max(initial=-1)
        if low < 0 or high >= len(self.words):
            yield f"tags.npy has word numbers from {low} to {high}, but words.json has {len(self.words)} words"

    @property
    def feature_width(self) -> int:
        """V, box numbers not counted."""
        return int(self.features.shape[1])

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, image_id: str) -> Regions:
        try:
            row = self.rows[image_id]
        except KeyError:
            raise InputError(f"image {image_id!r} is not in the region store of {len(self.ids)} images") from None
        regions = slice(self.region_offsets[row], self.region_offsets[row + 1])
        features, boxes = self.features[regions], self.boxes[regions]
        tags = self.tags[self.tag_offsets[row] : self.tag_offsets[row + 1]]
        self.checksums.compare(row, image_id, features, boxes, tags)
        return Regions(features, boxes, tuple(map(self.words.__getitem__, tags.tolist())))


def _mapped(path: Path) -> np.ndarray:
    """A mapped file as a plain array: slices of np.memmap cost more than an image's features."""
    return np.asarray(map_array(path))


class RegionWriter:
    """Writes a store image by image; only ids and words stay in memory. What comes must have been checked.

    A context: the store is finished at its end, unless an error ended it. With ``ids`` a writer that was killed is
    continued: the first ``len(ids)`` images, ``regions`` regions and ``tags`` tags had been flushed, and ``words`` are all
    words that may have been numbered, in the order of their first appearance.
    """

    def __init__(
        self,
        folder: Path,
        feature_width: int,
        dtype: FeatureType,
        ids: Sequence[str] = (),
        words: Sequence[str] = (),
        regions: int = 0,
        tags: int = 0,
    ) -> None:
        self.folder, self.ids = folder, list(ids)
        self.numbers = {word: number for number, word in enumerate(words)}
        offsets = len(ids) + 1 if ids else 0
        self.features = GrowingArray(folder / "features.npy", dtype, (feature_width,), regions)
        self.boxes = GrowingArray(folder / "boxes.npy", np.float32, (4,), regions)
        self.tags = GrowingArray(folder / "tags.npy", np.int32, (), tags)
        self.region_offsets = GrowingArray(folder / "region_offsets.npy", np.int64, (), offsets)
        self.tag_offsets = GrowingArray(folder / "tag_offsets.npy", np.int64, (), offsets)
        self.checksums = GrowingArray(folder / CHECKSUMS, np.uint64, (), len(ids))
        self._arrays = (self.features, self.boxes, self.tags, self.region_offsets, self.tag_offsets, self.checksums)
        if not offsets:
            self._end_image()

    def append(self, image_id: str, regions: Regions) -> None:
        """The next image."""
        self.ids.append(image_id)
        features, boxes = self.features.extend(regions.features), self.boxes.extend(regions.boxes)
        tags = self.tags.extend([self.numbers.setdefault(word, len(self.numbers)) for word in regions.tags])
        self.checksums.extend(np.array([checksum(features, boxes, tags)], dtype=np.uint64))
        self._end_image()

    def _end_image(self) -> None:
        self.region_offsets.extend([self.features.rows])
        self.tag_offsets.extend([self.tags.rows])

    def flush(self) -> dict[str, int]:
        """Hand everything appended so far to the system: it stays if this process is killed. Returns the files' sizes, bytes."""
        return {array.path.name: array.flush() for array in self._arrays}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        with contextlib.ExitStack() as closing:
            for array in self._arrays:
                closing.callback(array.close)
            if kind is None:
                self._finish()

    def _finish(self) -> None:
        for array in self._arrays:
            array.finish()
        write_json(self.folder / "ids.json", self.ids)
        write_json(self.folder / "words.json", list(self.numbers))


def write_regions(folder: Path, items: Iterable[tuple[str, Regions]], feature_width: int, dtype: FeatureType = "float16") -> None:
    """Write (image id, Regions) pairs as they come; features stream to disk, the folder appears when all are there.

    Raises InputError, naming the image, as ``check_regions`` does, or on an id that came before.
    """
    seen: set[str] = set()
    with whole_folder(folder) as temporary, RegionWriter(temporary, feature_width, dtype) as writer:
        for image_id, regions in items:
            if image_id in seen:
                raise InputError(f"image {image_id!r} comes twice; ids must be unique")
            check_regions(f"image {image_id!r}", regions, feature_width)
            seen.add(image_id)
            writer.append(image_id, regions)


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

    def extend(self, rows: ArrayLike) -> np.ndarray:
        """Append rows: (number, *row_shape). Returns them as they are stored."""
        values = np.ascontiguousarray(rows, dtype=self.dtype).reshape(-1, *self.row_shape)
        self.file.write(values.data)
        self.rows += len(values)
        return values

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
