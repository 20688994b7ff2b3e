"""What a structure proposes is what is near, whatever it is, and rows that were taken out are never proposed."""

import numpy as np
import pytest

from vldeformer.errors import InputError
from vldeformer.search.structure import Structure, build_structure, choose_structure

ROWS, WIDTH = 1_200, 16


@pytest.fixture(scope="module")
def vectors():
    draw = np.random.default_rng(0)
    middles = draw.normal(size=(40, WIDTH))
    found = middles[draw.integers(40, size=ROWS)] + 0.4 * draw.normal(size=(ROWS, WIDTH))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def parts_of(vectors):
    return [vectors[:500], vectors[500:500], vectors[500:]]


@pytest.fixture(scope="module", params=["sq8", "hnsw", "ivfpq"])
def built(request, vectors, tmp_path_factory):
    path = tmp_path_factory.mktemp("structure") / "one.faiss"
    build_structure(path, request.param, parts_of(vectors))
    return request.param, path


def test_what_is_proposed_holds_nearly_all_of_the_nearest(built, vectors):
    kind, path = built
    structure, everything = Structure(path, kind, ROWS), np.ones(ROWS, dtype=bool)
    found = 0
    for query in vectors[:30]:
        nearest = np.argsort(-(vectors @ query), kind="stable")[:10]
        found += np.isin(nearest, structure.propose(query, 10, everything)).sum()
    assert found >= 0.95 * 300


def test_rows_that_were_taken_out_are_not_proposed_and_others_take_their_place(built, vectors):
    kind, path = built
    structure, alive = Structure(path, kind, ROWS), np.ones(ROWS, dtype=bool)
    first = structure.propose(vectors[7], 10, alive)
    assert 7 in first
    alive[first] = False
    then = structure.propose(vectors[7], 10, alive)
    assert len(then) > 10 and not set(first) & set(then)


def test_a_structure_built_twice_is_the_same_bytes(built, vectors, tmp_path):
    kind, path = built
    build_structure(tmp_path / "again.faiss", kind, parts_of(vectors))
    assert (tmp_path / "again.faiss").read_bytes() == path.read_bytes()


def test_a_damaged_file_and_one_of_another_length_are_refused_in_one_line(built, tmp_path):
    kind, path = built
    with pytest.raises(InputError, match="holds 1200 rows, expected 1199"):
        Structure(path, kind, ROWS - 1)
    (tmp_path / "cut.faiss").write_bytes(path.read_bytes()[:100])
    for name in ("cut.faiss", "none.faiss"):
        with pytest.raises(InputError, match="missing or damaged"):
            Structure(tmp_path / name, kind, ROWS)


def test_the_rule_goes_by_the_number_of_images():
    sizes = (0, 8_091, 100_000, 100_001, 300_000, 300_001, 2_000_000, 2_000_001)
    assert [choose_structure(n) for n in sizes] == ["flat", "flat", "flat", "sq8", "sq8", "hnsw", "hnsw", "ivfpq"]
