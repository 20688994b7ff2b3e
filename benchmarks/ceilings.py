"""The machine's own ceilings: matrix products in float32 and bfloat16, memory, and a disk that has nothing in its cache.

    python benchmarks/ceilings.py --out benchmarks/ceilings.json

Each is the best of its repeats, since what else runs on the machine only takes away. Products are those of a BERT-base layer and
2,048 cubed, by ``torch.nn.functional.linear`` and by oneDNN with weights laid out before; the ceiling of a precision is its best.
"""

import argparse
import mmap
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from measuring import save
from torch.nn.functional import linear

ROWS = 2048
SHAPES = ((768, 768), (768, 2304), (768, 3072), (3072, 768), (2048, 2048))
"""Numbers in and out of a token, of ``ROWS`` tokens."""
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
MEMORY_MIB, DISK_MIB = 512, 1024
READ_AT_ONCE = 8 << 20


def best_seconds(work: Callable[[], object], repeats: int) -> float:
    """The quickest of ``repeats`` after one to warm up."""
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def products(precision: str, repeats: int = 10) -> dict[str, dict[str, float]]:
    """Shape → how it is multiplied → GFLOP/s, on as many threads as torch uses."""
    dtype, found = PRECISIONS[precision], {}
    for width, out in SHAPES:
        draw = torch.Generator().manual_seed(0)
        tokens, weight, bias = (torch.randn(size, generator=draw).to(dtype) for size in ((ROWS, width), (out, width), (out,)))
        with torch.inference_mode():
            laid_out = torch.ops.mkldnn._reorder_linear_weight(weight, ROWS)
            contenders: dict[str, Callable[[], object]] = {
                "linear": lambda t=tokens, w=weight, b=bias: linear(t, w, b),
                "onednn": lambda t=tokens, w=laid_out, b=bias: torch.ops.mkldnn._linear_pointwise(t, w, b, "none", [], "none"),
            }
            operations = 2e-9 * ROWS * width * out
            found[f"{ROWS} x {width} x {out}"] = {
                name: round(operations / best_seconds(work, repeats), 1) for name, work in contenders.items()
            }
    return found


def best_product(found: dict[str, dict[str, float]]) -> float:
    """GFLOP/s: the ceiling."""
    return max(value for ways in found.values() for value in ways.values())


def memory_gb_per_second(repeats: int = 7) -> float:
    """Bytes read and written by a copy, all threads of torch together."""
    source = torch.ones(MEMORY_MIB << 18)
    target = torch.empty_like(source)
    return 2e-9 * source.nbytes / best_seconds(lambda: target.copy_(source), repeats)


def disk_gb_per_second(folder: Path, repeats: int = 3) -> dict[str, float]:
    """A file read from its beginning to its end: after the system was told to forget it (cold), and again (warm).

    A virtual machine's host may still hold the file.
    """
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        block = os.urandom(READ_AT_ONCE)
        for _ in range((DISK_MIB << 20) // READ_AT_ONCE):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        into = mmap.mmap(-1, READ_AT_ONCE)

        def read() -> None:
            place = 0
            while count := os.preadv(file.fileno(), [into], place):
                place += count

        def forgotten() -> float:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            started = time.perf_counter()
            read()
            return time.perf_counter() - started

        size = 1e-9 * (DISK_MIB << 20)
        return {"cold": size / min(forgotten() for _ in range(repeats)), "warm": size / best_seconds(read, repeats)}


def ceilings(folder: Path) -> dict[str, Any]:
    """All of them, in GFLOP/s and GB/s."""
    found: dict[str, Any] = {name: products(name) for name in PRECISIONS}
    return {
        "product_gflop_per_second": {name: best_product(each) for name, each in found.items()},
        "products": found,
        "memory_copy_gb_per_second": round(memory_gb_per_second(), 2),
        "disk_read_gb_per_second": {name: round(value, 2) for name, value in disk_gb_per_second(folder).items()},
    }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of torch")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="a folder on the disk to be read")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    found = ceilings(given.folder)
    for name, value in found["product_gflop_per_second"].items():
        print(f"{name:10} {value:8.1f} GFLOP/s")
    print(f"memory     {found['memory_copy_gb_per_second']:8.2f} GB/s   disk {found['disk_read_gb_per_second']} GB/s")
    save(given.out, found)


if __name__ == "__main__":
    main()
