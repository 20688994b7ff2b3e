"""A VinVL download as a RegionStore, written as it is read: a killed import continues where it stopped."""

import contextlib
import shutil
from pathlib import Path
from typing import Any, Protocol

from joblib import cpu_count

from vldeformer.artifact import read_json, write_json
from vldeformer.data.records import Regions
from vldeformer.data.regions import FeatureType, RegionWriter
from vldeformer.datasets.vinvl_features import FEATURES, read_features
from vldeformer.datasets.vinvl_predictions import read_tags
from vldeformer.datasets.vinvl_rows import VinvlDownload

CHECKPOINT_BYTES = 64 << 20
PROGRESS = ".progress.json"


class Bar(Protocol):
    """What shows the bytes that were read."""

    def update(self, n: float) -> object:
        """``n`` more bytes were read."""


def write_vinvl_regions(part: Path, source: VinvlDownload, dtype: FeatureType, bar: Bar) -> None:
    """Write the store into the folder ``part``, or continue the one that a killed import of the same files left there.

    Raises InputError as ``read_tags`` and ``read_features`` do, or if an image has not one tag a box.
    """
    tags = read_tags(source, bar.update)
    key = _key(source, dtype)
    done = _done(part, key)
    if done is None:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        done = {"images": 0, "position": 0, "words": [], "regions": 0, "tags": 0}
    bar.update(done["position"])
    first, position, saved = done["images"], done["position"], done["position"]
    writer = RegionWriter(part, FEATURES, dtype, source.ids[:first], done["words"], done["regions"], done["tags"])
    found = read_features(source, dtype, min(cpu_count(), 8), position, first + 1)
    with writer, contextlib.closing(found):
        for image in found:
            words = tags[image.row.number - 1]
            if len(words) != len(image.boxes):
                objects = f"{source.predictions.name} lists {len(words)} objects"
                raise image.row.error(f"{len(image.boxes)} boxes, but {objects}; both files must be of one detector's run")
            writer.append(image.row.image_id, Regions(image.features, image.boxes, words))
            bar.update(image.row.end - position)
            position = image.row.end
            if position - saved >= CHECKPOINT_BYTES:
                _save(part, key, writer, position)
                saved = position


def _save(part: Path, key: dict[str, Any], writer: RegionWriter, position: int) -> None:
    files = writer.flush()
    counts = {"images": len(writer.ids), "regions": writer.boxes.rows, "tags": writer.tags.rows}
    write_json(part / PROGRESS, {"key": key, "position": position, "words": list(writer.numbers), "files": files, **counts})


def _key(source: VinvlDownload, dtype: FeatureType) -> dict[str, Any]:
    """What an import must have in common with the one it continues. Content would have to be read: size and time stand for it."""
    stats = [path.stat() for path in (source.features, source.predictions, source.id_rows)]
    return {"dtype": dtype, "files": [[stat.st_size, stat.st_mtime_ns] for stat in stats]}


def _done(part: Path, key: dict[str, Any]) -> dict[str, Any] | None:
    """What a killed import has saved, if it was the same one and its files are as long as they were then."""
    if not (part / PROGRESS).is_file():
        return None
    done: dict[str, Any] = read_json(part / PROGRESS)
    sizes = {path.name: path.stat().st_size for path in part.iterdir()}
    same = done.get("key") == key and all(sizes.get(name, 0) >= size for name, size in done["files"].items())
    return done if same else None
