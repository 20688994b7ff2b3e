"""What a structure proposes is what is near, whatever it is, and rows that were taken out are never proposed."""

from pathlib import Path

import numpy as np
import pytest

from vldeformer.errors import InputError
from vldeformer.search.structure import LEAST_PROPOSED, MOST_ROWS, PROPOSED_PER_HIT, Structure, build_structure, choose_structure

ROWS, WIDTH = 1_200, 16


@pytest.fixture(scope="module")
def vectors():
    draw = np.random.default_rng(0)
    middles = draw.normal(size=(40, WIDTH))
    found = middles[draw.integers(40, size=ROWS)] + 0.4 * draw.normal(size=(ROWS, WIDTH))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def parts_of(vectors):
    return [vectors[:500], vectors[500:500], vectors[500:]]


@pytest.fixture(scope="module", params=["pq4", "sq8", "hnsw", "ivfpq"])
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


def test_where_all_but_a_few_rows_were_taken_out_these_few_are_proposed(built, vectors):
    kind, path = built
    structure, alive = Structure(path, kind, ROWS), np.zeros(ROWS, dtype=bool)
    middle = vectors[7]
    near = np.argsort(-(vectors @ middle))
    alive[near[[300, 301, 600]]] = True
    found = set(structure.propose(middle, 10, alive).tolist())
    assert found == set(near[[300, 301, 600]].tolist())
    assert len(structure.propose(middle, 10, np.zeros(ROWS, dtype=bool))) == 0


def test_what_is_left_is_found_from_afar_too(built, vectors):
    kind, path = built
    structure, alive = Structure(path, kind, ROWS), np.zeros(ROWS, dtype=bool)
    query = vectors[7]
    left = np.argsort(-(vectors @ query))[-300:]  # the furthest: more than are proposed at once
    alive[left] = True
    found = structure.propose(query, 10, alive)
    assert set(found.tolist()) <= set(left.tolist()) and len(found) >= 200
    assert np.isin(left[:10], found).sum() >= 9


@pytest.mark.parametrize("kind", ["pq4", "sq8", "hnsw", "ivfpq"])
@pytest.mark.parametrize(("rows", "width"), [(1, 16), (13, 16), (300, 13), (300, 1)])
def test_few_rows_and_odd_widths_are_taken(kind, rows, width, tmp_path):
    given = np.random.default_rng(1).normal(size=(rows, width)).astype(np.float32)
    given /= np.linalg.norm(given, axis=1, keepdims=True)
    build_structure(tmp_path / "one.faiss", kind, [given])
    found = Structure(tmp_path / "one.faiss", kind, rows).propose(given[0], 1, np.ones(rows, dtype=bool))
    assert 0 in found or width == 1, "of one number, all are 1 or -1: others stand as near"


@pytest.mark.parametrize("elsewhere", [False, True], ids=["a query within the cone", "a query of another cone"])
def test_vectors_of_a_narrow_cone_are_told_apart_in_four_bits(tmp_path, elsewhere):
    """All cosines are about 0.99, as of a model that is hardly trained."""
    draw = np.random.default_rng(2)
    given = draw.normal(size=(4_000, 64)) + 10 * draw.normal(size=64)
    given = (given / np.linalg.norm(given, axis=1, keepdims=True)).astype(np.float32)
    build_structure(tmp_path / "one.faiss", "pq4", [given])
    structure, everything, found = Structure(tmp_path / "one.faiss", "pq4", 4_000), np.ones(4_000, dtype=bool), 0
    queries = given[:20] + draw.normal(0, 0.05, size=(20, 64)).astype(np.float32)
    if elsewhere:
        queries = queries - 2 * given.mean(axis=0)
    for query in queries:
        nearest = np.argsort(-(given.astype(np.float64) @ query))[:10]
        found += np.isin(nearest, structure.propose(query, 10, everything)).sum()
    assert found >= 0.95 * 200


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
    sizes = (0, 8_091, 100_000, 100_001, 1_000_000, 10_000_000, 10_000_001)
    assert [choose_structure(n) for n in sizes] == ["flat", "flat", "flat", "pq4", "pq4", "pq4", "ivfpq"]


def test_the_documents_state_the_rule_and_the_numbers_of_the_code():
    text = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")
    for kind, most in MOST_ROWS:
        assert f"| up to {most:,} | `{kind}` |" in text
    assert f"max({LEAST_PROPOSED}, {PROPOSED_PER_HIT} k)" in text
