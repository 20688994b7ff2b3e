"""Which structure an index of a size gets, and the only lines that know FAISS.

A structure proposes rows; their scores are computed from the stored vectors afterwards, so it decides what is found, never in
which order or with which score.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from vldeformer.artifact import whole_file
from vldeformer.errors import InputError
from vldeformer.search.file_checksums import file_checksum
from vldeformer.search.layout import StructureKind
from vldeformer.seeding import named_generator

MOST_ROWS: tuple[tuple[StructureKind, int], ...] = (("flat", 100_000), ("pq4", 10_000_000))
"""Up to so many rows this structure; beyond the last, ivfpq. Chosen from benchmarks/nearest.json: up to there flat takes some
milliseconds and is exact; pq4 finds nearly what sq8 finds in less time, and is built in seconds where hnsw takes minutes."""
MEANING: dict[StructureKind, str] = {
    "flat": "every vector is compared, exact",
    "pq4": "every vector is compared, 4 bits for two numbers",
    "sq8": "every vector is compared, 8 bits a number",
    "hnsw": "graph of neighbours, in memory",
    "ivfpq": "lists of near vectors, 4 bits for two numbers",
}
LEAST_PROPOSED, PROPOSED_PER_HIT, REACH_STEP = 200, 20, 4
LINKS, BUILD_DEPTH, SEARCH_DEPTH = 32, 200, 256
TRAIN_PER_LIST, PROBED_SHARE, LEAST_PROBED = 64, 4, 8
PIECE_BITS, PIECE_TRAINING = 4, 4_096


def choose_structure(rows: int) -> StructureKind:
    """The structure for an index of so many rows."""
    return next((kind for kind, most in MOST_ROWS if rows <= most), "ivfpq")


class Structure:
    """A FAISS index over the first rows, opened from a file, memory-mapped where FAISS can."""

    def __init__(self, path: Path, kind: StructureKind, rows: int, xxh3: str | None = None) -> None:
        """Raises InputError if the file is missing, damaged or of another length. FAISS trusts what it reads."""
        if xxh3 is not None and path.is_file() and file_checksum(path) != xxh3:
            raise InputError(f"{path}: damaged; run `vldeformer index` again with another --structure")
        try:
            self.index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC | faiss.IO_FLAG_READ_ONLY)
        except RuntimeError:
            raise InputError(f"{path}: missing or damaged; run `vldeformer index` again with another --structure") from None
        if self.index.ntotal != rows:
            raise InputError(f"{path}: holds {self.index.ntotal} rows, expected {rows}; make the index again")
        self.kind, self.rows = kind, rows
        self.turned: np.ndarray | None = None
        if isinstance(self.index, faiss.IndexPreTransform):
            # FAISS would turn a query by BLAS, whose threads wait for each other: a busy server pays for that.
            transform = faiss.downcast_VectorTransform(self.index.chain.at(0))
            self.turned = faiss.vector_to_array(transform.A).reshape(transform.d_out, transform.d_in)
            self._whole, self.index = self.index, faiss.downcast_index(self.index.index)

    def propose(self, vector: np.ndarray, k: int, alive: np.ndarray) -> np.ndarray:
        """Rows (at least about 20 k, int64) that are likely the nearest; ``alive`` (rows,) bool: those that may be found."""
        covered, wanted = alive[: self.rows], max(LEAST_PROPOSED, PROPOSED_PER_HIT * k)
        living = int(np.count_nonzero(covered))
        if living <= wanted:
            return np.flatnonzero(covered)
        if self.kind == "pq4":
            return self._propose_living(vector, wanted, covered)
        # A selector is asked for every vector that is looked at; most indexes have nothing that was taken out.
        packed = np.packbits(covered, bitorder="little")
        chosen = None if living == self.rows else faiss.IDSelectorBitmap(packed)
        if self.kind == "sq8":
            return self._search(vector, wanted, faiss.SearchParameters(sel=chosen))
        least, reach = wanted if living < self.rows else min(k, living), 1
        while True:
            found = self._search(vector, wanted, self._parameters(wanted * reach, chosen))
            if len(found) >= least:
                return found
            if reach >= self.rows:  # a part of the graph that no link leads to
                return np.flatnonzero(covered)
            reach *= REACH_STEP  # what is left lies far from the query, behind what was taken out

    def _parameters(self, depth: int, chosen: Any) -> Any:
        """``depth``: rows that are looked at, at least about so many."""
        if self.kind == "hnsw":
            return faiss.SearchParametersHNSW(sel=chosen, efSearch=min(self.rows, max(SEARCH_DEPTH, depth)))
        lists: int = self.index.nlist
        needed = -(-depth * lists // self.rows)
        return faiss.SearchParametersIVF(sel=chosen, nprobe=min(lists, max(LEAST_PROBED, lists // PROBED_SHARE, needed)))

    def _propose_living(self, vector: np.ndarray, wanted: int, alive: np.ndarray) -> np.ndarray:
        """The same of a FAISS index that takes no selector: asked for more until enough of them may be found."""
        asked = wanted
        while True:
            found = self._search(vector, asked, None)
            living: np.ndarray = found[alive[found]]
            if len(living) >= wanted or asked >= self.rows:
                return living
            asked *= 2

    def _search(self, vector: np.ndarray, asked: int, parameters: Any) -> np.ndarray:
        query = vector if self.turned is None else np.vecdot(self.turned, vector)
        with _one_thread():
            _, rows = self.index.search(query[None], min(asked, self.rows), params=parameters)
        found: np.ndarray = rows[0][rows[0] >= 0]
        return found


def build_structure(path: Path, kind: StructureKind, parts: list[np.ndarray]) -> None:
    """Write the structure over vectors (n, D) that come in parts, read one part at a time.

    On one thread: with more, HNSW would differ from build to build.
    """
    rows = sum(map(len, parts))
    sample = _sample(kind, parts, rows)
    index = _empty(kind, sample, rows)
    with _one_thread():
        if not index.is_trained:
            index.train(sample)
        for part in parts:
            if len(part):
                index.add(np.ascontiguousarray(part))
    with whole_file(path) as temporary:
        faiss.write_index(index, str(temporary))


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """FAISS shares out queries among threads: of a single one they do nothing, but on a busy machine it waits for them."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _empty(kind: StructureKind, sample: np.ndarray, rows: int) -> Any:
    width = sample.shape[1]
    if kind == "hnsw":
        index = faiss.IndexHNSWFlat(width, LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = BUILD_DEPTH
        return index
    if kind == "sq8":
        return faiss.IndexScalarQuantizer(width, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    pieces = width if width % 2 else width // 2  # of one or two numbers
    if kind == "pq4":
        coded = faiss.IndexPQFastScan(width, pieces, PIECE_BITS, faiss.METRIC_INNER_PRODUCT)
    else:
        coarse = faiss.IndexFlatIP(width)
        coded = faiss.IndexIVFPQFastScan(coarse, width, _lists(rows), pieces, PIECE_BITS, faiss.METRIC_INNER_PRODUCT)
    return faiss.IndexPreTransform(_mean_to_first_axis(sample), coded)


def _mean_to_first_axis(sample: np.ndarray) -> Any:
    """A reflection that turns the mean of the vectors onto the first axis.

    Vectors of a model lie in a cone: their parts along its middle hardly differ, but rounded in every piece they would differ
    by more than the scores do. In one piece of its own that part is rounded to nearly what it is.
    """
    width = sample.shape[1]
    middle = sample.mean(axis=0, dtype=np.float64)
    across = middle / max(float(np.linalg.norm(middle)), np.finfo(np.float64).tiny)
    across[0] -= 1
    matrix = np.eye(width) - 2 * np.outer(across, across) / max(float(across @ across), np.finfo(np.float64).tiny)
    transform = faiss.LinearTransform(width, width, False)
    faiss.copy_array_to_vector(matrix.astype(np.float32).ravel(), transform.A)
    transform.set_is_orthonormal()
    transform.is_trained = True
    return transform


def _lists(rows: int) -> int:
    """Few and long: they take a quarter of the time to train that twice as many would, and codes are quickly compared."""
    return max(1, min(int(2 * rows**0.5), rows // TRAIN_PER_LIST))


def _sample(kind: StructureKind, parts: list[np.ndarray], rows: int) -> np.ndarray:
    """Vectors to train on, drawn from all parts alike; each several times if there are fewer than FAISS wants."""
    most = TRAIN_PER_LIST * _lists(rows) if kind == "ivfpq" else 0
    most = max(most, PIECE_TRAINING)
    if rows <= most:
        everything = np.concatenate(parts)
        return np.resize(everything, (max(rows, 2**PIECE_BITS), everything.shape[1]))
    chosen = np.sort(named_generator("search", "train", rows).choice(rows, most, replace=False))
    starts = np.cumsum([0, *map(len, parts)])
    return np.concatenate(
        [
            part[chosen[(chosen >= start) & (chosen < start + len(part))] - start]
            for part, start in zip(parts, starts[:-1], strict=True)
        ]
    )
