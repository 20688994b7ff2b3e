"""The rows of an index, shard by shard: their ids, their vectors, which of them can be found, and their scores.

Scores are computed in float64 from the stored vectors, each from its own two alone, so no batch, block or thread shows in them.
"""

import functools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
from joblib import cpu_count

from vldeformer.search.layout import Contents, Shard

TASK_BYTES = 64 << 20
"""What one thread compares with a query at a time; starting threads pays for no less."""
GATHERED = 1_024
"""Rows whose exact scores are computed at a time."""


class Rows:
    """alive: (rows,) bool, those that can be found. Read-only; any number of threads may read."""

    def __init__(self, shards: list[Shard], contents: Contents) -> None:
        self._starts = np.cumsum([0, *(entry.rows for entry in contents.shards)])
        self.placed = list(zip(shards, self._starts[:-1].tolist(), strict=True))
        self.alive = np.ones(contents.rows, dtype=bool)
        self.alive[list(contents.removed)] = False

    def parts(self) -> Iterator[tuple[list[str], np.ndarray]]:
        """Ids and vectors (n, D) of all images that can be found, shard by shard."""
        for shard, start in self.placed:
            own = self.alive[start : start + len(shard)]
            yield shard.items.column("id").filter(pa.array(own)).to_pylist(), shard.vectors[own]

    def find(self, image_id: str) -> int | None:
        """The row of an image that can be found."""
        hashes, order = self._by_hash
        wanted = hash(image_id)
        first, last = np.searchsorted(hashes, wanted, "left"), np.searchsorted(hashes, wanted, "right")
        for row in order[first:last].tolist():
            if self.alive[row] and self.name(row) == image_id:
                return int(row)
        return None

    def name(self, row: int) -> str:
        """The id of a row."""
        shard, place = self._item(row)
        return str(shard.items.column("id")[place])

    def vector(self, row: int) -> np.ndarray:
        """(D,) float32."""
        shard, place = self._item(row)
        return np.array(shard.vectors[place])

    @functools.cached_property
    def _by_hash(self) -> tuple[np.ndarray, np.ndarray]:
        """Hashes of all ids in ascending order, and the rows in that order: 16 bytes a row, where a dict takes ten times that."""
        hashes = np.concatenate(
            [np.empty(0, np.int64), *(_hashed(shard.items.column("id").to_pylist()) for shard, _ in self.placed)]
        )
        order = np.argsort(hashes, kind="stable")
        return hashes[order], order

    def _item(self, row: int) -> tuple[Shard, int]:
        number = int(np.searchsorted(self._starts, row, side="right")) - 1
        shard, start = self.placed[number]
        return shard, row - start

    def scanned(self, vector: np.ndarray, k: int, first: int) -> np.ndarray:
        """The rows from ``first`` on that can be among the k nearest of them."""
        scores = self._compared(vector, first)
        alive = self.alive[first:]
        if len(scores) > k:
            if not alive.all():
                scores[~alive] = -np.inf
            # A float32 sum of D products is off by less than this; what lies that near to the k-th is looked at exactly.
            error = np.float32(len(vector) * 2.0**-22)
            rows = np.flatnonzero(scores >= np.partition(scores, len(scores) - k)[len(scores) - k] - error)
        else:
            rows = np.arange(len(scores))
        return rows[alive[rows]] + first

    def _compared(self, vector: np.ndarray, first: int) -> np.ndarray:
        """(rows,) float32 cosines of all rows from ``first`` on, as fast as the machine's threads together read them."""
        scores = np.empty(len(self.alive) - first, dtype=np.float32)
        begin = int(np.searchsorted(self._starts, first, side="right")) - 1
        tasks, size = [list[tuple[Shard, int]]()], 0
        for shard, start in self.placed[begin:]:
            if size >= TASK_BYTES:
                tasks.append([])
                size = 0
            tasks[-1].append((shard, start))
            size += len(shard) * vector.nbytes

        def compare(task: list[tuple[Shard, int]]) -> None:
            for shard, start in task:
                block, place = shard.vectors[max(0, first - start) :], max(0, start - first)
                np.vecdot(block, vector, out=scores[place : place + len(block)])

        if len(tasks) == 1:
            compare(tasks[0])
        else:
            # Threads of this query alone, so that an open index may be forked. BLAS would wait for all of them at every shard.
            with ThreadPoolExecutor(min(cpu_count(), len(tasks))) as pool:
                list(pool.map(compare, tasks))
        return scores

    def scores(self, rows: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """(n,) float64 cosines of rows, in ascending order, with a vector: each a function of these two alone."""
        scores = np.empty(len(rows))
        for begin in range(0, len(rows), GATHERED):
            some = rows[begin : begin + GATHERED]
            gathered = np.empty((len(some), len(vector)), dtype=np.float32)
            bounds = np.searchsorted(some, self._starts)
            for number in np.flatnonzero(np.diff(bounds)).tolist():
                own = slice(bounds[number], bounds[number + 1])
                shard, start = self.placed[number]
                gathered[own] = shard.vectors[some[own] - start]
            scores[begin : begin + GATHERED] = np.multiply(gathered, vector, dtype=np.float64).sum(axis=1)
        return scores


def _hashed(ids: Iterable[str]) -> np.ndarray:
    """(n,) int64, of this process alone."""
    return np.fromiter(map(hash, ids), np.int64)
