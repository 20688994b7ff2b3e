"""Region features of images in random order, from a region store and from VinVL's TSV as the released code reads it.

    python benchmarks/random_features.py --out benchmarks/random_features.json

writes 2,000 images of 10 to 90 regions (mean 50) of 2,054 numbers as a TSV with base64 and as region stores into a temporary
folder (`--folder`: on the disk to be measured; 2.5 GB). Every contender copies each image's features into one array of their
width and type, as a batch is filled: every byte is read. `float16_mapped` alone stops at what the store hands over, a view of
the mapped file. Warm: the files are in the system's cache; cold: dropped from it before a contender opens them. The order of the
images is another in each turn and the same for all.
"""

import argparse
import base64
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measuring import in_turns, medians, save

from vldeformer.data.records import Regions
from vldeformer.data.regions import FeatureType, RegionStore, write_regions

IMAGES, LEAST, MOST, FEATURES, TAGS = 2_000, 10, 90, 2_048, 1_600
TO_REACH = {"warm_float16_by_tsv": 100, "float16_bytes_of_tsv": 0.4}
Reader = Callable[[int], np.ndarray]


class TsvRows:
    """The released reader (Oscar's ``TSVFile`` and what its retrieval does with a row): seek, read a line, split, decode."""

    def __init__(self, folder: Path) -> None:
        self.file = (folder / "features.tsv").open()
        self.starts = [int(line) for line in (folder / "features.lineidx").read_text().split()]

    def __call__(self, row: int) -> np.ndarray:
        """(R, V) features."""
        self.file.seek(self.starts[row])
        columns = [column.strip() for column in self.file.readline().split("\t")]
        return np.frombuffer(base64.b64decode(columns[-1]), dtype=np.float32).reshape(int(columns[1]), -1)


class StoreRows:
    """A region store."""

    def __init__(self, folder: Path) -> None:
        self.store = RegionStore(folder)

    def __call__(self, row: int) -> np.ndarray:
        """(R, V) features."""
        return self.store[str(row)].features


@dataclass(frozen=True)
class Contender:
    """Where it reads, with what, the type of the numbers that it leaves behind (None: nothing is copied), how many a region."""

    folder: str
    reader: Callable[[Path], Reader]
    dtype: FeatureType | None
    width: int = FEATURES


CONTENDERS = {
    "tsv": Contender("tsv", TsvRows, "float32", FEATURES + 6),
    "float16_mapped": Contender("float16", StoreRows, None),
    "float16": Contender("float16", StoreRows, "float16"),
    "float32": Contender("float32", StoreRows, "float32"),
}


def drawn(images: int) -> Iterator[tuple[str, Regions]]:
    """The same images each time: features from 0 up as after a ReLU, boxes, one tag a region."""
    generator = np.random.default_rng(0)
    words = [f"word {number}" for number in range(TAGS)]
    for number in range(images):
        count = int(generator.integers(LEAST, MOST + 1))
        features = np.maximum(generator.standard_normal((count, FEATURES), dtype=np.float32), 0)
        boxes = np.sort(generator.random((count, 2, 2), dtype=np.float32), axis=1).reshape(count, 4)
        yield str(number), Regions(features, boxes, tuple(words[tag] for tag in generator.integers(TAGS, size=count)))


def write_tsv(folder: Path, images: int) -> None:
    """``features.tsv`` and ``features.lineidx``: id, number of boxes, base64 of (R, 2054) float32."""
    folder.mkdir()
    with (folder / "features.tsv").open("w") as rows, (folder / "features.lineidx").open("w") as starts:
        for name, regions in drawn(images):
            sides = regions.boxes[:, 2:] - regions.boxes[:, :2]
            numbers = np.concatenate([regions.features, regions.boxes, sides], axis=1)
            starts.write(f"{rows.tell()}\n")
            rows.write(f"{name}\t{len(numbers)}\t{base64.b64encode(numbers.tobytes()).decode()}\n")


def forget(folder: Path) -> None:
    """Drop a folder's files from the system's cache; what a process has mapped stays there, so none may be open."""
    os.sync()
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def check_alike(folders: dict[str, Path], images: int) -> None:
    """Every contender reads the same features, as far as float16 holds them."""
    for row in range(0, images, max(1, images // 50)):
        wanted = TsvRows(folders["tsv"])(row)[:, :FEATURES]
        np.testing.assert_array_equal(StoreRows(folders["float32"])(row), wanted)
        np.testing.assert_array_equal(StoreRows(folders["float16"])(row), wanted.astype(np.float16))


def measure(folder: Path, images: int, repeats: int) -> dict[str, Any]:
    """Rows (images) a second, warm and cold, and bytes on disk."""
    folders = {name: folder / name for name in ("tsv", "float16", "float32")}
    write_tsv(folders["tsv"], images)
    kinds: tuple[FeatureType, ...] = ("float16", "float32")
    for kind in kinds:
        write_regions(folders[kind], drawn(images), FEATURES, kind)
    check_alike(folders, images)
    orders = [np.random.default_rng(turn).permutation(images).tolist() for turn in range(repeats)]

    def work(name: str, cold: bool) -> Callable[[], None]:
        one, turns = CONTENDERS[name], iter(orders)
        opened = None if cold else one.reader(folders[one.folder])
        target = None if one.dtype is None else np.empty((MOST, one.width), dtype=one.dtype)

        def run() -> None:
            read = opened or one.reader(folders[one.folder])
            for row in next(turns):
                features = read(row)
                if target is not None:
                    target[: len(features)] = features

        return run

    def seconds_of(cold: bool) -> dict[str, list[float]]:
        runs = {name: work(name, cold) for name in CONTENDERS}
        if not cold:
            return in_turns(runs, repeats)
        found: dict[str, list[float]] = {name: [] for name in runs if CONTENDERS[name].dtype}
        for _ in range(repeats):
            for name, seconds in found.items():
                forget(folders[CONTENDERS[name].folder])
                seconds += in_turns({name: runs[name]}, 1)[name]
        return found

    result: dict[str, Any] = {"images": images, "mean_regions": round(statistics.mean(len(r.boxes) for _, r in drawn(images)), 1)}
    sizes = {name: sum(path.stat().st_size for path in own.iterdir()) for name, own in folders.items()}
    result["bytes"] = sizes
    result["bytes_of_tsv"] = {name: round(size / sizes["tsv"], 4) for name, size in sizes.items()}
    for state in ("warm", "cold"):
        found = medians(seconds_of(state == "cold"))
        rates = {name: images / seconds for name, seconds in found.items()}
        result[f"{state}_rows_per_second"] = {name: round(rate) for name, rate in rates.items()}
        result[f"{state}_by_tsv"] = {name: round(rate / rates["tsv"], 1) for name, rate in rates.items()}
        for name, rate in rates.items():
            print(f"{state} {name:15} {rate:9,.0f} rows/s {rate / rates['tsv']:7.1f} x", flush=True)
    result["to_reach"] = TO_REACH
    result["reached"] = {
        "warm_float16_by_tsv": result["warm_by_tsv"]["float16"],
        "float16_bytes_of_tsv": result["bytes_of_tsv"]["float16"],
    }
    return result


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--repeats", type=int, default=3, help="turns; the median counts")
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made (default: the system's)")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        save(given.out, measure(Path(folder), given.images, given.repeats))


if __name__ == "__main__":
    main()
