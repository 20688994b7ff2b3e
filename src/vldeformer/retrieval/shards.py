"""A share of the work of embedding and what comes out of it, so that many machines embed one large collection side by side.

What is shared out are whole batches: the float sums of a vector depend a little on the rows that are read with it, so only the
batches of a run that is not scattered give its very bits. Images are batches 0, 1, …, captions the ones after; share 3/8
takes every eighth, from the third on, so that long captions are spread over all.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from vldeformer.artifact import RECORD, load_array, read_json, read_texts, whole_folder, write_json
from vldeformer.errors import InputError
from vldeformer.retrieval.embeddings import Embeddings

ITEMS = ("images", "captions")
AnyPart = TypeVar("AnyPart")


@dataclass(frozen=True)
class Share:
    """Share ``number`` (the first is 1) of ``of``. Raises InputError if there is no such share."""

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise InputError(f"share {self}: expected NUMBER/OF with a number from 1 to {self.of}, such as {self.of}/{self.of}")

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> "Share":
        """Of a text like ``3/8``. Raises InputError."""
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
        if not found:
            raise InputError(f"share {text!r}: expected NUMBER/OF such as 3/8, the third of eight shares")
        return cls(*map(int, found.groups()))

    def starts(self, rows: int, size: int, before: int = 0) -> range:
        """First rows of this share's batches of ``rows`` rows, ``size`` rows each; ``before``: batches before these."""
        first = (self.number - 1 - before) % self.of
        return range(first * size, rows, self.of * size)

    def count(self, rows: int, size: int, before: int = 0) -> int:
        """Rows in those batches."""
        return sum(min(size, rows - start) for start in self.starts(rows, size, before))


@dataclass(frozen=True, eq=False)
class Shard:
    """Vectors of one share's images (n, D) and captions (m, D), their ids, and the row that each has in the whole.

    caption_image_index (m,) int64: row of each caption's image among all images. totals: numbers of all images and captions.
    """

    share: Share
    totals: tuple[int, int]
    rows: tuple[np.ndarray, np.ndarray]
    vectors: tuple[np.ndarray, np.ndarray]
    ids: tuple[tuple[str, ...], tuple[str, ...]]
    caption_image_index: np.ndarray

    def save(self, folder: Path, provenance: dict[str, Any]) -> None:
        """Write vectors, rows and ids of images and of captions, the captions' image index, shard.json and provenance.json."""
        with whole_folder(folder) as temporary:
            for name, rows, vectors, ids in zip(ITEMS, self.rows, self.vectors, self.ids, strict=True):
                np.save(temporary / f"{name}_rows.npy", rows)
                np.save(temporary / f"{name}.npy", vectors)
                write_json(temporary / f"{name}_ids.json", list(ids))
            np.save(temporary / "caption_image_index.npy", self.caption_image_index)
            write_json(temporary / "shard.json", {"share": str(self.share), "totals": list(self.totals)})
            write_json(temporary / RECORD, provenance)

    @classmethod
    def load(cls, folder: Path) -> "Shard":
        """Read what ``save`` wrote. Raises InputError naming the folder or the file that is wrong."""
        if not (folder / "shard.json").is_file():
            raise InputError(f"{folder}: expected a folder of `vldeformer embed --shard`, found no shard.json; embed this share")
        described = read_json(folder / "shard.json")
        try:
            share, (n_images, n_captions) = Share.parse(described["share"]), map(int, described["totals"])
        except (KeyError, TypeError, ValueError):
            raise InputError(
                f"{folder / 'shard.json'}: expected a share and totals, got another layout; embed it again"
            ) from None
        rows = _both(lambda name: load_array(folder / f"{name}_rows.npy"))
        vectors = _both(lambda name: load_array(folder / f"{name}.npy"))
        ids = _both(lambda name: tuple(read_texts(folder / f"{name}_ids.json")))
        index = load_array(folder / "caption_image_index.npy")
        lengths = [(len(rows[k]), len(vectors[k]), len(ids[k])) for k in range(2)] + [(len(rows[1]), len(index))]
        if any(len(set(each)) > 1 for each in lengths):
            raise InputError(f"{folder}: its rows, vectors and ids differ in number, got {lengths}; embed share {share} again")
        return cls(share, (n_images, n_captions), rows, vectors, ids, index)


def _both(read: Callable[[str], AnyPart]) -> tuple[AnyPart, AnyPart]:
    return read(ITEMS[0]), read(ITEMS[1])


def join(shards: Sequence[Shard]) -> Embeddings:
    """The vectors of all shares in the order of the collection: those of a run that was not scattered, bit for bit.

    Raises InputError naming the share that is missing, given twice, or of another collection.
    """
    of, totals = shards[0].share.of, shards[0].totals
    for shard in shards:
        if (shard.share.of, shard.totals) != (of, totals):
            raise InputError(
                f"share {shard.share} is of {_told(shard)}, share {shards[0].share} of {_told(shards[0])}; "
                "give the shards of one collection, scattered in one way"
            )
    numbers = [shard.share.number for shard in shards]
    for number in range(1, of + 1):
        if numbers.count(number) != 1:
            came = "is missing" if number not in numbers else f"was given {numbers.count(number)} times"
            raise InputError(f"share {number}/{of} {came}; give each of the {of} shares once")
    images, captions = (_in_order(shards, kind) for kind in range(2))
    order = np.concatenate([shard.rows[1] for shard in shards])
    index = np.empty(totals[1], dtype=np.int64)
    index[order] = np.concatenate([shard.caption_image_index for shard in shards])
    return Embeddings(images[0], images[1], captions[0], captions[1], index)


def _told(shard: Shard) -> str:
    return f"{shard.totals[0]} images and {shard.totals[1]} captions in {shard.share.of} shares"


def _in_order(shards: Sequence[Shard], kind: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Ids and vectors of all images (kind 0) or captions (kind 1)."""
    total, rows = shards[0].totals[kind], np.concatenate([shard.rows[kind] for shard in shards])
    if not np.array_equal(np.sort(rows), np.arange(total)):
        raise InputError(f"{ITEMS[kind]}: the shards do not hold each of {total} rows once; embed all shares again")
    vectors = np.concatenate([shard.vectors[kind] for shard in shards])
    ordered, ids = np.empty_like(vectors), [""] * total
    ordered[rows] = vectors
    for row, name in zip(rows.tolist(), _all_ids(shards, kind), strict=True):
        ids[row] = name
    return tuple(ids), ordered


def _all_ids(shards: Sequence[Shard], kind: int) -> Iterator[str]:
    for shard in shards:
        yield from shard.ids[kind]
