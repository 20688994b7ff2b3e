"""Rows in many shards: the answer of a plain loop, ids that are found, no file held open, forks."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from vldeformer.search.index import SearchIndex

from .conftest import stored_index


@pytest.mark.parametrize("task_bytes", [1, 1_500, 1 << 30])
def test_many_shards_and_threads_give_what_a_plain_loop_gives_ties_too(tmp_path, monkeypatch, task_bytes):
    """Vectors of few values, so that many scores are equal, over shards of uneven length, one of them empty."""
    monkeypatch.setattr("vldeformer.search.rows.TASK_BYTES", task_bytes)
    monkeypatch.setattr("vldeformer.search.rows.GATHERED", 7)
    monkeypatch.setattr("vldeformer.search.rows.cpu_count", lambda: 3)
    draw = np.random.default_rng(0)
    vectors = draw.choice([-1, 1], size=(211, 16)).astype(np.float32) / 4
    vectors[1::5] = vectors[0]
    vectors[2::9] += draw.normal(0, 1e-8, size=vectors[2::9].shape).astype(np.float32)  # apart in float64 alone
    removed = sorted(draw.choice(211, 30, replace=False).tolist())
    opened = SearchIndex.open(stored_index(tmp_path / "index", np.split(vectors, [3, 50, 50, 120]), removed))
    for query in (vectors[0], vectors[2], vectors[77]):
        scored = [(sum(float(a) * float(b) for a, b in zip(own, query, strict=True)), row) for row, own in enumerate(vectors)]
        expected = sorted((one for one in scored if one[1] not in removed), key=lambda one: (-one[0], one[1]))
        for k in (1, 10, 180, 181, 999):
            found = opened.search_vector(query, k)
            np.testing.assert_allclose([hit.score for hit in found], [score for score, _ in expected[:k]], atol=1e-12)
            assert [hit.id for hit in found] == [str(row) for _, row in expected[:k]]
            assert found == opened.search_vector(query, 999)[:k]


def test_an_index_in_use_answers_in_a_forked_process_too(tmp_path, monkeypatch):
    monkeypatch.setattr("vldeformer.search.rows.TASK_BYTES", 1)
    vectors = np.eye(16, dtype=np.float32)
    opened = SearchIndex.open(stored_index(tmp_path / "index", np.split(vectors, 4)))
    before = opened.search_vector(vectors[9], 2)
    child = multiprocessing.get_context("fork").Process(target=answers_alike, args=(opened, vectors[9], before))
    child.start()
    child.join(60)
    assert child.exitcode == 0


def answers_alike(opened, vector, before):
    assert opened.search_vector(vector, 2) == before


def test_an_open_index_holds_no_file_open(tmp_path):
    vectors = np.eye(16, dtype=np.float32)
    folder = stored_index(tmp_path / "index", np.split(vectors, 16))
    before = len(list(Path("/proc/self/fd").iterdir()))
    opened = SearchIndex.open(folder)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert opened.search_vector(vectors[9], 1)[0].score == 1


def test_an_id_is_found_among_those_that_were_removed_and_came_back(tmp_path):
    folder = stored_index(tmp_path / "index", np.split(np.eye(16, dtype=np.float32), 4))
    opened = SearchIndex.open(folder)
    for number, (ids, _) in enumerate(opened.parts()):
        for place, name in enumerate(ids):
            assert opened._rows.find(name) == 4 * number + place and opened._rows.name(4 * number + place) == name
    assert opened._rows.find("nowhere") is None
