"""Regions of many images on disk: ragged arrays without padding, memory-mapped, one image a slice.

A store is a folder: ``features.npy`` (all regions, V), ``boxes.npy`` (all regions, 4), ``tags.npy`` (word numbers),
``region_offsets.npy`` and ``tag_offsets.npy`` (images + 1), ``ids.json``, ``words.json``.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np

from vldeformer.artifact import map_array, read_json, whole_folder, write_array_header, write_json
from vldeformer.data.records import Regions
from vldeformer.errors import InputError


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


def write_regions(
    folder: Path, items: Iterable[tuple[str, Regions]], feature_width: int, dtype: Literal["float16", "float32"] = "float16"
) -> None:
    """Write (image id, Regions) pairs as they come; features stream to disk, the folder appears when all are there.

    Raises InputError, naming the image, on a wrong width, a box outside the image, a value that is not finite, or an id
    that came before.
    """
    ids: list[str] = []
    seen: set[str] = set()
    numbers: dict[str, int] = {}
    tags: list[int] = []
    boxes: list[np.ndarray] = []
    region_offsets, tag_offsets = [0], [0]
    with whole_folder(folder) as temporary:
        raw = temporary / "features.raw"
        with raw.open("wb") as file:
            for image_id, regions in items:
                _check(image_id, regions, feature_width, seen)
                seen.add(image_id)
                ids.append(image_id)
                file.write(np.ascontiguousarray(regions.features, dtype=dtype).tobytes())
                boxes.append(np.asarray(regions.boxes, dtype=np.float32))
                tags.extend(numbers.setdefault(word, len(numbers)) for word in regions.tags)
                region_offsets.append(region_offsets[-1] + len(regions.features))
                tag_offsets.append(len(tags))
        _name_array(raw, temporary / "features.npy", np.dtype(dtype), (region_offsets[-1], feature_width))
        np.save(temporary / "boxes.npy", np.concatenate(boxes) if boxes else np.zeros((0, 4), np.float32))
        np.save(temporary / "tags.npy", np.array(tags, dtype=np.int32))
        np.save(temporary / "region_offsets.npy", np.array(region_offsets, dtype=np.int64))
        np.save(temporary / "tag_offsets.npy", np.array(tag_offsets, dtype=np.int64))
        write_json(temporary / "ids.json", ids)
        write_json(temporary / "words.json", list(numbers))


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


def _name_array(raw: Path, path: Path, dtype: np.dtype, shape: tuple[int, int]) -> None:
    """Turn a file of bare numbers into a .npy of the given shape without reading it all."""
    with raw.open("rb") as numbers, path.open("wb") as file:
        write_array_header(file, dtype, shape)
        shutil.copyfileobj(numbers, file, 16 << 20)
    raw.unlink()
