"""Regions of many images on disk: ragged arrays without padding, memory-mapped, one image a slice.

A store is a folder: ``features.npy`` (all regions, V), ``boxes.npy`` (all regions, 4), ``tags.npy`` (word numbers),
``region_offsets.npy`` and ``tag_offsets.npy`` (images + 1), ``ids.json``, ``words.json``.
"""

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np

from vldeformer.artifact import map_array, read_json, whole_folder, write_json
from vldeformer.data.growing_array import GrowingArray
from vldeformer.data.records import Regions
from vldeformer.errors import InputError

FeatureType = Literal["float16", "float32"]


class RegionStore:
    """Read-only: image id → Regions, straight from the memory map."""

    def __init__(self, folder: Path) -> None:
        self.ids: list[str] = read_json(folder / "ids.json")
        self.words: list[str] = read_json(folder / "words.json")
        self.features = map_array(folder / "features.npy")
        self.boxes = map_array(folder / "boxes.npy")
        self.tags = map_array(folder / "tags.npy")
        self.region_offsets = map_array(folder / "region_offsets.npy")
        self.tag_offsets = map_array(folder / "tag_offsets.npy")
        if not len(self.ids) + 1 == len(self.region_offsets) == len(self.tag_offsets):
            raise InputError(f"{folder}: {len(self.ids)} ids but {len(self.region_offsets) - 1} images; make the store again")
        self.rows = {image_id: row for row, image_id in enumerate(self.ids)}

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
        tags = self.tags[self.tag_offsets[row] : self.tag_offsets[row + 1]]
        return Regions(self.features[regions], self.boxes[regions], tuple(self.words[number] for number in tags))


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
        self._arrays = (self.features, self.boxes, self.tags, self.region_offsets, self.tag_offsets)
        if not offsets:
            self._end_image()

    def append(self, image_id: str, regions: Regions) -> None:
        """The next image."""
        self.ids.append(image_id)
        self.features.extend(regions.features)
        self.boxes.extend(regions.boxes)
        self.tags.extend([self.numbers.setdefault(word, len(self.numbers)) for word in regions.tags])
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

    Raises InputError, naming the image, on a wrong width, a value that is not finite, or an id that came before.
    """
    seen: set[str] = set()
    with whole_folder(folder) as temporary, RegionWriter(temporary, feature_width, dtype) as writer:
        for image_id, regions in items:
            _check(image_id, regions, feature_width, seen)
            seen.add(image_id)
            writer.append(image_id, regions)


def _check(image_id: str, regions: Regions, feature_width: int, seen: set[str]) -> None:
    if image_id in seen:
        raise InputError(f"image {image_id!r} comes twice; ids must be unique")
    count = len(regions.boxes)
    if regions.features.shape != (count, feature_width) or regions.boxes.shape != (count, 4):
        raise InputError(
            f"image {image_id!r}: expected features ({count}, {feature_width}) and boxes ({count}, 4), "
            f"got {regions.features.shape} and {regions.boxes.shape}"
        )
    if not (np.isfinite(regions.features).all() and np.isfinite(regions.boxes).all()):
        raise InputError(f"image {image_id!r}: features or boxes hold NaN or infinity")
