import numpy as np
import oracles
import pytest

from vldeformer.evaluation.precision import Judgement, list_precisions
from vldeformer.retrieval.embeddings import Embeddings, Scores


def ids(prefix, number):
    return tuple(f"{prefix}{row}" for row in range(number))


def judged(generator, n_queries, n_gallery, most):
    right = {}
    for query in generator.permutation(n_queries)[: n_queries // 2].tolist():
        rows = frozenset(generator.permutation(n_gallery)[: generator.integers(1, most)].tolist())
        right[query] = Judgement(rows, len(rows) + int(generator.integers(2)))  # some have a right item that no gallery holds
    return right


def by_loop(table, right):
    return [oracles.precisions(table[query], judgement.rows, judgement.total) for query, judgement in right.items()]


@pytest.mark.parametrize("seed", range(4))
def test_precisions_of_coarse_scores_equal_the_loop_in_both_directions(seed):
    generator = np.random.default_rng(seed)
    table = (generator.integers(6, size=(30, 70)) / 5).astype(np.float32)  # few values, many ties
    scored = Scores(ids("i", 30), ids("c", 70), np.arange(70) % 30, table)
    for direction, rows in (("i2t", table.tolist()), ("t2i", table.T.tolist())):
        right = judged(generator, len(rows), len(rows[0]), most=12)
        np.testing.assert_allclose(list_precisions(scored, right, direction), by_loop(rows, right))


def test_precisions_of_vectors_equal_the_loop_where_vectors_occur_twice():
    generator = np.random.default_rng(7)
    images, captions = generator.normal(size=(40, 24)), generator.normal(size=(9, 24))[generator.integers(9, size=300)]
    images[generator.integers(40, size=20)] = captions[generator.integers(300, size=20)]
    images, captions = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (images, captions))
    embeddings = Embeddings.from_arrays(images, captions, np.arange(300) % 40)
    table = oracles.cosine_table(embeddings.images, embeddings.captions)
    for direction, rows in (("i2t", table.tolist()), ("t2i", table.T.tolist())):
        right = judged(generator, len(rows), len(rows[0]), most=9)
        np.testing.assert_allclose(list_precisions(embeddings, right, direction), by_loop(rows, right))


def test_a_list_that_a_person_can_check():
    scored = Scores(("i",), ids("c", 5), np.zeros(5, dtype=np.int64), np.float32([[0.9, 0.8, 0.8, 0.5, 0.1]]))
    #  c1 is right and ties with c2, which is wrong and so stands first: the list is right, wrong, right of R = 3
    values = list_precisions(scored, {0: Judgement(frozenset({0, 1, 3}), 3)}, "i2t")
    np.testing.assert_allclose(values, [[2 / 3, (1 + 2 / 3) / 3]])
