import numpy as np
import oracles
import pytest

from vldeformer.data.relevance import Relevance
from vldeformer.errors import InputError
from vldeformer.retrieval.embeddings import Embeddings, Scores
from vldeformer.retrieval.ranking import Ranking, exact_ranks


def ids(prefix, number):
    return tuple(f"{prefix}{row}" for row in range(number))


def embeddings_of(images, captions, index):
    images, captions = (np.asarray(vectors, dtype=np.float64) for vectors in (images, captions))
    images, captions = (
        (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32) for vectors in (images, captions)
    )
    return Embeddings(ids("i", len(images)), images, ids("c", len(captions)), captions, np.asarray(index, dtype=np.int64))


def scores_of(scores, index):
    scores = np.asarray(scores, dtype=np.float32)
    return Scores(ids("i", scores.shape[0]), ids("c", scores.shape[1]), np.asarray(index, dtype=np.int64), scores)


def test_a_tie_with_a_wrong_candidate_counts_against_the_model_and_another_right_one_does_not():
    #                  right, right, wrong, wrong
    ranks = exact_ranks(scores_of([[0.5, 0.9, 0.9, 0.1], [0.9, 0.0, 0.2, 0.1]], [0, 0, 1, 1]))
    assert ranks.i2t.tolist() == [2, 2]
    assert ranks.t2i.tolist() == [2, 1, 2, 2]


@pytest.mark.parametrize("seed", range(8))
def test_ranks_of_coarse_scores_equal_the_loop(seed):
    generator = np.random.default_rng(seed)
    index = np.concatenate([np.arange(13), generator.integers(13, size=30)])
    generator.shuffle(index)
    scores = generator.integers(6, size=(13, 43)) / 5  # few values, many ties
    expected = oracles.ranks(scores, *oracles.right_sets(index.tolist(), 13))
    for block in (1, 4, 13, 256):
        ranks = exact_ranks(scores_of(scores, index), block_images=block)
        assert (ranks.i2t.tolist(), ranks.t2i.tolist()) == expected


@pytest.mark.parametrize("seed", range(4))
def test_ranks_of_vectors_equal_the_loop_where_vectors_occur_twice(seed):
    generator = np.random.default_rng(seed)
    images, captions = generator.normal(size=(9, 24))[generator.integers(9, size=21)], generator.normal(size=(50, 24))
    captions[generator.integers(50, size=25)] = captions[generator.integers(50, size=25)]
    index = np.concatenate([np.arange(21), generator.integers(21, size=29)])
    embeddings = embeddings_of(images, captions, index)
    table = oracles.cosine_table(embeddings.images, embeddings.captions)
    expected = oracles.ranks(table, *oracles.right_sets(index.tolist(), 21))
    for block in (1, 5, 256):
        ranks = exact_ranks(embeddings, block_images=block)
        assert (ranks.i2t.tolist(), ranks.t2i.tolist()) == expected


def test_explicit_judgements_equal_the_loop():
    generator = np.random.default_rng(5)
    right_captions = [set(generator.integers(12, size=3).tolist()) for _ in range(6)]
    right_images = [set(generator.integers(6, size=2).tolist()) for _ in range(12)]
    scores = generator.integers(8, size=(6, 12)) / 7
    ranks = exact_ranks(scores_of(scores, np.arange(12) // 2), Relevance.from_sets(right_captions, right_images))
    assert (ranks.i2t.tolist(), ranks.t2i.tolist()) == oracles.ranks(scores, right_captions, right_images)


def test_all_equal_embeddings_stand_last_not_first():
    same = np.tile(np.random.default_rng(0).normal(size=37), (61, 1))
    ranks = exact_ranks(embeddings_of(same[:20], same[:60], np.arange(60) // 3), block_images=7)
    assert set(ranks.i2t) == {58}  # 60 captions less the 3 right ones, all at least as high, and 1
    assert set(ranks.t2i) == {20}


def test_a_difference_below_the_error_of_a_float32_product_is_still_seen():
    base, aside = np.zeros(64), np.zeros(64)
    base[0], aside[1] = 1, 1
    near, nearer = base + 2e-4 * aside, base + 1e-4 * aside  # cosines 1 - 2e-8 and 1 - 5e-9 with the image: equal in float32
    embeddings = embeddings_of([base, aside], [nearer, near], [0, 1])
    products = embeddings.block(0, 2)
    assert abs(products[0, 0] - products[0, 1]) < embeddings.block_error
    table = oracles.cosine_table(embeddings.images, embeddings.captions)
    ranks = exact_ranks(embeddings)
    assert (ranks.i2t.tolist(), ranks.t2i.tolist()) == oracles.ranks(table, [{0}, {1}], [{0}, {1}])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("many_pairs", [0, 10**9])
def test_ranks_of_a_collapsed_model_equal_the_loop(monkeypatch, many_pairs, seed):
    # All cosines within the error of a float32 product of each other, some equal: blocks in float64, then pairs, must decide.
    monkeypatch.setattr("vldeformer.retrieval.embeddings.MANY_PAIRS", many_pairs)
    generator = np.random.default_rng(seed)
    images, captions = 1 + 1e-4 * generator.normal(size=(2, 40, 24))
    images[generator.integers(40, size=20)] = images[0]
    captions[generator.integers(40, size=20)] = images[0]
    if seed == 3:  # few vectors, so that pairs are looked up in a table
        images, captions = images[generator.integers(3, size=40)], captions[generator.integers(3, size=40)]
    embeddings = embeddings_of(images, captions, generator.permutation(40))
    table = oracles.cosine_table(embeddings.images, embeddings.captions)
    assert np.ptp(table) < embeddings.block_error
    expected = oracles.ranks(table, *oracles.right_sets(embeddings.caption_image_index.tolist(), 40))
    for block in (1, 7, 256):
        ranks = exact_ranks(embeddings, block_images=block)
        assert (ranks.i2t.tolist(), ranks.t2i.tolist()) == expected


def test_a_perfect_model_ranks_first():
    vectors = np.eye(6)
    ranks = exact_ranks(embeddings_of(vectors, np.repeat(vectors, 5, axis=0), np.repeat(np.arange(6), 5)))
    assert set(ranks.i2t) == {1} == set(ranks.t2i)


def test_relevance_of_another_size_is_refused():
    with pytest.raises(InputError, match="relevance is of 1 images and 2 captions"):
        exact_ranks(scores_of([[1, 2], [3, 4]], [0, 1]), Relevance.from_sets([{0}], [{0}, {0}]))


def test_lists_are_sorted_and_of_equal_scores_the_first_row_stands_first():
    scores = np.array([[0.1, 0.7, 0.7, 0.9, 0.7], [0, 0, 0, 0, 0]], dtype=np.float32)
    ranking = Ranking.from_scores(("q0", "q1"), ids("c", 5), scores, k=3)
    assert ranking.rows.tolist() == [[3, 1, 2], [0, 1, 2]]
    np.testing.assert_array_equal(ranking.scores[0], np.float32([0.9, 0.7, 0.7]))
    full = Ranking.from_scores(("q0", "q1"), ids("c", 5), scores, k=5)
    assert full.rows[:, :3].tolist() == ranking.rows.tolist()


def test_lists_refuse_nan_and_impossible_length():
    with pytest.raises(InputError, match="expected 1 to 2"):
        Ranking.from_scores(("q",), ("a", "b"), np.zeros((1, 2), np.float32), k=3)
    with pytest.raises(InputError, match="query 'q' has a score that is not a number"):
        Ranking.from_scores(("q",), ("a", "b"), np.array([[0, np.nan]], np.float32), k=1)
