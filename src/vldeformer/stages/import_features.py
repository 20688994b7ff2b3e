"""Stage `import-features`: a VinVL download → RegionStore; 50 GB stream through, and a killed import goes on where it was."""

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Any

from joblib import cpu_count
from tqdm import tqdm

from vldeformer.artifact import RECORD, check_replaceable, read_json, whole_folder, write_json
from vldeformer.data.records import Regions
from vldeformer.data.regions import FeatureType, RegionWriter
from vldeformer.datasets.vinvl_features import FEATURES, read_features
from vldeformer.datasets.vinvl_predictions import read_tags
from vldeformer.datasets.vinvl_rows import VinvlDownload, open_vinvl
from vldeformer.errors import InputError
from vldeformer.stages.progress import progress_bar
from vldeformer.stages.provenance import provenance

CHECKPOINT_BYTES = 64 << 20
PROGRESS = "progress.json"


def import_features(download: Path, out: Path, dtype: FeatureType) -> None:
    """Write the store. Until it is done it lies beside ``out`` as ``OUT.part``; wrong input removes that too.

    Raises InputError as ``open_vinvl``, ``read_tags`` and ``read_features`` do, or if an image has not one tag a box.
    """
    started = time.monotonic()
    check_replaceable(out)
    source = open_vinvl(download)
    part = out.with_name(f"{out.name}.part")
    total = source.features.stat().st_size + source.predictions.stat().st_size
    bar = progress_bar(total=total, unit="B", unit_scale=True, unit_divisor=1024, desc="import")
    try:
        with bar:
            _write(part, source, dtype, bar)
    except InputError:
        shutil.rmtree(part, ignore_errors=True)
        raise
    sizes = {"dtype": dtype, "bytes": {path.name: path.stat().st_size for path in (source.features, source.predictions)}}
    # The digest of 50 GB would take as long as the import: of the features the record has the size.
    record = provenance(sizes, {"ids": source.id_rows, "predictions": source.predictions}, started)
    (part / PROGRESS).unlink(missing_ok=True)
    with whole_folder(out) as folder:
        os.replace(part, folder)
        write_json(folder / RECORD, record)


def _write(part: Path, source: VinvlDownload, dtype: FeatureType, bar: "tqdm[Any]") -> None:
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
