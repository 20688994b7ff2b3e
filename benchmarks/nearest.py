"""Top 10 of up to 1,000,000 vectors like real ones: time of a query, recall, memory, time to build; beside FAISS alone.

    python benchmarks/nearest.py --captions ../shared/data/flickr30k/dataset_flickr30k.json --keep FOLDER

`ours` is ``SearchIndex.search_vector`` on an index as `vldeformer index` writes it (shards on disk, memory-mapped, warm), with
each structure's own settings and, for the curve, with others; `faiss` is the same structure asked for 10 rows and nothing else.
One query at a time: FAISS uses one thread for it, `ours` all processors where it compares the stored vectors. Recall: the share
of the 10 best, by float64 scores of all, that was found. FOLDER keeps vectors and structures (10 GB) for the next run; HNSW
is built up to `--hnsw-rows` only, for it takes longest by far.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch
from measuring import save
from real_vectors import WIDTH, caption_vectors, resampled

from vldeformer.search import structure as rules
from vldeformer.search.images import Listed
from vldeformer.search.index import SearchIndex
from vldeformer.search.layout import (
    CONTENTS,
    DESCRIPTION,
    SHARDS,
    Contents,
    Description,
    ShardEntry,
    StructureEntry,
    StructureKind,
    write_section,
    write_shard,
)

SHARD, K, BATCH = 2_000, 10, 25
SETTINGS: dict[str, tuple[str, tuple[int, ...]]] = {
    "pq4": ("PROPOSED_PER_HIT", (2, 5, 10, 20, 40, 100)),
    "sq8": ("PROPOSED_PER_HIT", (2, 10)),
    "hnsw": ("SEARCH_DEPTH", (32, 64, 128, 256, 512)),
    "ivfpq": ("PROBED_SHARE", (32, 16, 8, 4, 2)),
}
"""What is turned for the curve of `ours`: a constant of search/structure.py and its values."""
BARE: dict[str, tuple[int, ...]] = {
    "flat": (0,),
    "pq4": (0,),
    "sq8": (0,),
    "hnsw": (32, 64, 128, 256, 512),
    "ivfpq": (16, 64, 256),
}
"""efSearch of HNSW, lists looked at of IVF-PQ; 0: nothing to set."""
Asked = Callable[[np.ndarray], np.ndarray]


def make_shards(keep: Path, base: np.ndarray, rows: int) -> list[ShardEntry]:
    """The shards that all indexes share; those that are there are not written again."""
    entries = [ShardEntry(name=f"{number:06}", rows=SHARD) for number in range(rows // SHARD)]
    if not (keep / SHARDS / entries[-1].name).is_dir():
        numbers = iter(range(len(entries)))
        for drawn in resampled(base, rows, 0):
            for start in range(0, len(drawn), SHARD):
                number = next(numbers)
                listed = [Listed(f"{row:07}.jpg") for row in range(number * SHARD, (number + 1) * SHARD)]
                write_shard(keep, f"{number:06}", listed, drawn[start : start + SHARD], [])
    return entries


def make_index(keep: Path, entries: list[ShardEntry], kind: StructureKind, most_hnsw: int) -> Path | None:
    """An index of the first shards with one structure, which is built if it is not kept; None: HNSW of too many rows."""
    rows = len(entries) * SHARD
    folder = keep / f"{kind}-{rows}"
    folder.mkdir(exist_ok=True)
    if not (folder / SHARDS).exists():
        (folder / SHARDS).symlink_to(keep / SHARDS)
    held = None
    if kind != "flat":
        path, log = folder / f"{kind}-{rows}.faiss", folder / "built.json"
        if not path.is_file():
            if kind == "hnsw" and rows > most_hnsw:
                return None
            wall, cpu = time.perf_counter(), time.process_time()
            rules.build_structure(path, kind, list(parts(keep, entries)))
            built = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
            log.write_text(json.dumps({name: round(value, 1) for name, value in built.items()}))
        held = StructureEntry(kind=kind, file=path.name, rows=rows)
    known = Description(model="none", model_sha256="none", width=WIDTH, images=".", images_kind="folder")
    write_section(folder / DESCRIPTION, known)
    write_section(folder / CONTENTS, Contents(shards=tuple(entries), structure=held))
    return folder


def parts(keep: Path, entries: list[ShardEntry]) -> Iterator[np.ndarray]:
    """The vectors of the shards, memory-mapped."""
    for entry in entries:
        yield np.load(keep / SHARDS / entry.name / "vectors.npy", mmap_mode="r")


def exact_answer(keep: Path, entries: list[ShardEntry], queries: np.ndarray) -> np.ndarray:
    """(Q, 10) rows by float64 scores: of every shard the best are kept, so of all."""
    rows, scores = np.empty((len(queries), 0), dtype=np.int64), np.empty((len(queries), 0))
    for number, vectors in enumerate(parts(keep, entries)):
        near = np.argpartition(-(queries @ vectors.T), 3 * K, axis=1)[:, : 3 * K]
        own = np.einsum("qkd,qd->qk", vectors[near].astype(np.float64), queries)
        rows, scores = np.hstack([rows, near + number * SHARD]), np.hstack([scores, own])
        best = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        rows, scores = np.take_along_axis(rows, best, axis=1), np.take_along_axis(scores, best, axis=1)
    return rows


def measured(ask: Asked, queries: np.ndarray, exact: np.ndarray, warming: int = 5) -> dict[str, float]:
    """Milliseconds of single queries, of all threads' CPU too, and recall@10; ``warming`` queries first."""
    for query in queries[:warming]:
        ask(query)
    seconds, found, cpu = [], 0, time.process_time()
    for query, right in zip(queries, exact, strict=True):
        started = time.perf_counter()
        rows = ask(query)
        seconds.append(time.perf_counter() - started)
        found += int(np.isin(right, rows).sum())
    busy = (time.process_time() - cpu) / len(queries) * 1000
    p50, p95 = np.percentile(seconds, [50, 95]) * 1000
    times = {"p50_ms": float(p50), "p95_ms": float(p95), "mean_cpu_ms": busy}
    return {name: round(value, 3) for name, value in times.items()} | {"recall_at_10": round(found / exact.size, 4)}


def ours(folder: Path, kind: str, queries: np.ndarray, exact: np.ndarray) -> Iterator[dict[str, Any]]:
    """The index as it is, and with other settings."""
    index = SearchIndex.open(folder)

    def ask(query: np.ndarray) -> np.ndarray:
        return np.array([int(hit.id[:7]) for hit in index.search_vector(query, K)])

    # All of them: what they read of mapped files is then in memory.
    yield {"by": "ours", "kind": kind, "own_settings": True, **measured(ask, queries, exact, len(queries))}
    name, values = SETTINGS.get(kind, ("", ()))
    as_set = {one: getattr(rules, one) for one in (name, "LEAST_PROPOSED", "PROPOSED_PER_HIT") if one}
    for value in values:
        if value == as_set[name]:
            continue
        if name != "PROBED_SHARE":
            rules.LEAST_PROPOSED, rules.PROPOSED_PER_HIT = 0, 2  # HNSW never looks at fewer than are proposed
        setattr(rules, name, value)
        yield {"by": "ours", "kind": kind, "setting": f"{name} {value}", **measured(ask, queries, exact, len(queries))}
        for one, own in as_set.items():
            setattr(rules, one, own)


def bare(index: Any, kind: str, queries: np.ndarray, exact: np.ndarray) -> Iterator[dict[str, Any]]:
    """FAISS alone: 10 rows, no scores computed again; on one thread, for others would only be waited for."""
    faiss.omp_set_num_threads(1)
    for value in BARE[kind]:
        parameters: Any = None
        if kind == "hnsw":
            parameters = faiss.SearchParametersHNSW(efSearch=value)
        elif kind == "ivfpq":
            parameters = faiss.SearchParametersPreTransform(index_params=faiss.SearchParametersIVF(nprobe=value))

        def ask(query: np.ndarray, parameters: Any = parameters) -> np.ndarray:
            rows: np.ndarray = index.search(query[None], K, params=parameters)[1][0]
            return rows

        yield {"by": "faiss", "kind": kind, "setting": str(value or ""), **measured(ask, queries, exact)}


def memory_speed(size: int = 1 << 30) -> float:
    """GB/s at which all threads together read memory."""
    block = torch.ones(size // 4)
    block.sum()
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        block.sum()
        seconds.append(time.perf_counter() - started)
    return size / min(seconds) / 1e9


def measure(given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One point of the curve after the other."""
    base, held = caption_vectors(given.captions, given.keep)
    queries = next(iter(resampled(held, given.queries, 1)))
    entries = make_shards(given.keep, base, max(given.rows))
    for rows in given.rows:
        some = entries[: rows // SHARD]
        exact = np.vstack([exact_answer(given.keep, some, queries[q : q + BATCH]) for q in range(0, len(queries), BATCH)])
        for kind in rules.MEANING:
            folder = make_index(given.keep, some, kind, given.hnsw_rows)
            if folder is None:
                print(f"{rows:9,} {kind}: not kept and too long to build; see --hnsw-rows", flush=True)
                continue
            path, log = folder / f"{kind}-{rows}.faiss", folder / "built.json"
            size = path.stat().st_size if kind != "flat" else 0
            common = {"rows": rows, "structure_mib": round(size / 2**20, 1), "vectors_mib": round(rows * WIDTH * 4 / 2**20, 1)}
            common["built"] = json.loads(log.read_text()) if log.is_file() else None
            points = list(ours(folder, kind, queries, exact))
            if kind == "flat":
                index: Any = faiss.IndexFlatIP(WIDTH)
                for own in parts(given.keep, some):
                    index.add(np.ascontiguousarray(own))
            else:
                index = faiss.read_index(str(path))
            points += bare(index, kind, queries, exact)
            del index
            for point in points:
                setting = "as set" if point.get("own_settings") else point["setting"]
                times = f"p50 {point['p50_ms']:8.2f} ms  p95 {point['p95_ms']:8.2f} ms  CPU {point['mean_cpu_ms']:7.2f}"
                print(f"{rows:9,} {point['by']:5} {kind:5} {setting:20} {times}  recall {point['recall_at_10']:.4f}", flush=True)
                yield common | point


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--captions", type=Path, required=True, help="dataset_flickr30k.json of Karpathy's splits")
    parser.add_argument("--keep", type=Path, required=True, help="folder of vectors and structures; made if it is not there")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 300_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--hnsw-rows", type=int, default=300_000, help="most rows of which HNSW is built")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    given.keep = given.keep.resolve()
    result = {
        "width": WIDTH,
        "k": K,
        "queries": given.queries,
        "threads_of_ours": os.cpu_count(),
        "memory_GB_per_second": round(memory_speed(), 1),
        "faiss": faiss.__version__,
        "points": list(measure(given)),
    }
    save(given.out, result)


if __name__ == "__main__":
    main()
