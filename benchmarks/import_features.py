"""How fast and in how much memory `import-features` reads, beside the disk and base64 alone, in one run on one machine.

    python benchmarks/import_features.py

writes 4 GB (`--gigabytes`) like VinVL's download into a temporary folder (`--folder`: on the disk to be measured), and needs as
much again for the stores. Before each reading the file is dropped from the system's cache, and each writing ends on the disk.
"""

import argparse
import base64
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pybase64
from measuring import save

BOXES = (10, 25, 40, 60, 75)
BLOCK = 8 << 20
IMPORT = (
    "import sys; from vldeformer.cli import main; code = main(sys.argv[1:]); "
    "print(open('/proc/self/status').read()); sys.exit(code)"
)


def write_download(folder: Path, size: int) -> list[str]:
    """Rows of 10 to 75 boxes until ``size`` bytes; every row's numbers are different. Returns the rows' base64 of one round."""
    generator = np.random.default_rng(0)
    texts, objects, ids, written = [], [], [], 0
    for boxes in BOXES:
        corners = np.sort(generator.random((boxes, 2, 2)), axis=1).reshape(boxes, 4)
        features = np.maximum(generator.normal(size=(boxes, 2048)), 0)
        numbers = np.hstack([features, corners, corners[:, 2:] - corners[:, :2]]).astype("<f4")
        texts.append(base64.b64encode(numbers.tobytes()).decode())
        rects = (corners * [640, 480, 640, 480]).tolist()
        found = [{"class": f"word {number % 1600}", "rect": rect, "conf": 0.5} for number, rect in enumerate(rects)]
        objects.append(json.dumps({"image_h": 480, "image_w": 640, "objects": found}))
    with (folder / "features.tsv").open("w") as features_file, (folder / "predictions.tsv").open("w") as predictions_file:
        while written < size:
            kind = len(ids) % len(BOXES)
            written += features_file.write(f"{len(ids)}\t{BOXES[kind]}\t{texts[kind]}\n")
            predictions_file.write(f"{len(ids)}\t{objects[kind]}\n")
            ids.append(str(len(ids)))
    (folder / "imageid2idx.json").write_text(json.dumps({name: row for row, name in enumerate(ids)}))
    return texts


def forget(*paths: Path) -> None:
    """Drop files from the system's cache, so that they are read from the disk."""
    os.sync()
    for path in paths:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def read_whole(path: Path) -> None:
    """Read and forget a file, block by block."""
    buffer = bytearray(BLOCK)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def write_whole(path: Path, size: int) -> None:
    """Write as many bytes as a store has, to the disk."""
    block = np.random.default_rng(0).bytes(BLOCK)
    with path.open("wb", buffering=0) as file:
        for start in range(0, size, BLOCK):
            file.write(block[: min(BLOCK, size - start)])
        os.fsync(file.fileno())
    path.unlink()


def decode(texts: list[str], rounds: int, decoder: Callable[[str], bytes]) -> float:
    """Bytes of base64 a second on one core."""
    taken = seconds(lambda: [decoder(text) for _ in range(rounds) for text in texts])
    return rounds * sum(map(len, texts)) / taken


def import_store(folder: Path, dtype: str) -> dict[str, Any]:
    """One import as a command of its own, from a cold cache until the store is on the disk."""
    out, features = folder / "store", folder / "features.tsv"
    forget(features, folder / "predictions.tsv")
    command = [sys.executable, "-c", IMPORT, "import-features", str(folder), "--out", str(out), "--dtype", dtype]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    command_seconds = time.perf_counter() - start
    os.sync()
    until_on_disk = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    size = sum(path.stat().st_size for path in out.iterdir())
    shutil.rmtree(out)
    return {
        "seconds": round(command_seconds, 2),
        "seconds_until_on_disk": round(until_on_disk, 2),
        "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "tsv_MB_per_second": round(features.stat().st_size / 1e6 / command_seconds),
        "store_bytes": size,
        "store_bytes_of_tsv_bytes": round(size / features.stat().st_size, 3),
        "peak_memory_MiB": round(int(done.stdout.split("VmHWM:")[1].split()[0]) / 1024),
    }


def measure(folder: Path, size: int) -> dict[str, Any]:
    """All figures; speeds in MB (1e6 bytes) of TSV or base64 text a second."""
    texts = write_download(folder, size)
    features = folder / "features.tsv"
    total = features.stat().st_size
    forget(features)
    disk = total / seconds(lambda: read_whole(features))
    rounds = max(1, int(2e8) // sum(map(len, texts)))
    standard = decode(texts, rounds, base64.b64decode)
    vector = decode(texts, 5 * rounds, lambda text: pybase64.b64decode(text, validate=True))
    imports = {dtype: import_store(folder, dtype) for dtype in ("float16", "float32")}
    store = imports["float16"]["store_bytes"]
    write = store / seconds(lambda: write_whole(folder / "bytes", store))
    return {
        "tsv_bytes": total,
        "disk_read_MB_per_second": round(disk / 1e6),
        "disk_write_MB_per_second": round(write / 1e6),
        "base64_one_core_MB_per_second": {"python": round(standard / 1e6), "pybase64": round(vector / 1e6)},
        "import": imports,
    }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=4, help="size of the synthetic features.tsv, 1e9 bytes (default: 4)")
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made (default: the system's)")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        found = measure(Path(folder), int(given.gigabytes * 1e9))
    print(json.dumps(found, indent=1))
    save(given.out, found)


if __name__ == "__main__":
    main()
