"""Which structure an index of a size gets, and the only lines that know FAISS.

A structure proposes rows; their scores are computed from the stored vectors afterwards, so it decides what is found, never in
which order or with which score.
"""

from pathlib import Path
from typing import Any

import faiss
import numpy as np

from vldeformer.artifact import whole_file
from vldeformer.errors import InputError
from vldeformer.search.layout import StructureKind
from vldeformer.seeding import named_generator

MOST_ROWS: tuple[tuple[StructureKind, int], ...] = (("flat", 100_000), ("sq8", 300_000), ("hnsw", 2_000_000))
"""Up to so many rows this structure; beyond the last, ivfpq."""
MEANING: dict[StructureKind, str] = {
    "flat": "every vector is compared, exact",
    "sq8": "every vector is compared, 8 bits a number",
    "hnsw": "graph of neighbours, in memory",
    "ivfpq": "lists of near vectors, few bytes each",
}
LEAST_PROPOSED, PROPOSED_PER_HIT = 100, 10
LINKS, BUILD_DEPTH, SEARCH_DEPTH = 32, 200, 128
TRAIN_PER_LIST, PROBED_SHARE, LEAST_PROBED = 64, 16, 8


def choose_structure(rows: int) -> StructureKind:
    """The structure for an index of so many rows."""
    return next((kind for kind, most in MOST_ROWS if rows <= most), "ivfpq")


class Structure:
    """A FAISS index over the first rows, opened from a file, memory-mapped where FAISS can."""

    def __init__(self, path: Path, kind: StructureKind, rows: int) -> None:
        """Raises InputError if the file is missing, damaged or of another length."""
        try:
            self.index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC | faiss.IO_FLAG_READ_ONLY)
        except RuntimeError:
            raise InputError(f"{path}: missing or damaged; run `vldeformer index` again with another --structure") from None
        if self.index.ntotal != rows:
            raise InputError(f"{path}: holds {self.index.ntotal} rows, expected {rows}; make the index again")
        self.kind, self.rows = kind, rows

    def propose(self, vector: np.ndarray, k: int, alive: np.ndarray) -> np.ndarray:
        """Rows (at most about 10 k, int64) that are likely the nearest; ``alive`` (rows,) bool: those that may be found."""
        bits = np.packbits(alive[: self.rows], bitorder="little")
        chosen = faiss.IDSelectorBitmap(bits)
        if self.kind == "hnsw":
            depth = max(SEARCH_DEPTH, _proposed(k))
            parameters = faiss.SearchParametersHNSW(sel=chosen, efSearch=depth)
        elif self.kind == "ivfpq":
            parameters = faiss.SearchParametersIVF(sel=chosen, nprobe=max(LEAST_PROBED, self.index.nlist // PROBED_SHARE))
        else:
            parameters = faiss.SearchParameters(sel=chosen)
        _, rows = self.index.search(vector[None], min(_proposed(k), self.rows), params=parameters)
        found: np.ndarray = rows[0][rows[0] >= 0]
        return found


def build_structure(path: Path, kind: StructureKind, parts: list[np.ndarray]) -> None:
    """Write the structure over vectors (n, D) that come in parts, read one part at a time.

    On one thread: with more, HNSW would differ from build to build.
    """
    width, rows = parts[0].shape[1], sum(map(len, parts))
    index = _empty(kind, width, rows)
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        if not index.is_trained:
            index.train(_sample(parts, rows))
        for part in parts:
            if len(part):
                index.add(np.ascontiguousarray(part))
    finally:
        faiss.omp_set_num_threads(threads)
    with whole_file(path) as temporary:
        faiss.write_index(index, str(temporary))


def _empty(kind: StructureKind, width: int, rows: int) -> Any:
    if kind == "hnsw":
        index = faiss.IndexHNSWFlat(width, LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = BUILD_DEPTH
        return index
    if kind == "ivfpq":
        lists = max(1, min(int(4 * rows**0.5), rows // TRAIN_PER_LIST))
        pieces = next(number for number in range(max(1, width // 4), 0, -1) if width % number == 0)
        bits = 8 if rows >= 256 else 4
        return faiss.IndexIVFPQ(faiss.IndexFlatIP(width), width, lists, pieces, bits, faiss.METRIC_INNER_PRODUCT)
    return faiss.IndexScalarQuantizer(width, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)


def _sample(parts: list[np.ndarray], rows: int) -> np.ndarray:
    """Vectors to train on, drawn from all parts alike."""
    most = max(256, TRAIN_PER_LIST * int(4 * rows**0.5))
    if rows <= most:
        return np.concatenate(parts)
    chosen = np.sort(named_generator("search", "train", rows).choice(rows, most, replace=False))
    starts = np.cumsum([0, *map(len, parts)])
    return np.concatenate(
        [
            part[chosen[(chosen >= start) & (chosen < start + len(part))] - start]
            for part, start in zip(parts, starts[:-1], strict=True)
        ]
    )


def _proposed(k: int) -> int:
    return max(LEAST_PROPOSED, PROPOSED_PER_HIT * k)
