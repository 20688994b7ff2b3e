"""The k best by exact scores, ties included, against sorting everything by plain loops."""

import numpy as np
import oracles
import pytest

from vldeformer.data.relevance import Relevance
from vldeformer.errors import InputError
from vldeformer.retrieval.embeddings import Embeddings, Scores
from vldeformer.retrieval.reranking import propose

N_IMAGES, N_CAPTIONS = 7, 20


def items():
    index = np.concatenate([np.arange(N_IMAGES), np.random.default_rng(1).integers(N_IMAGES, size=N_CAPTIONS - N_IMAGES)])
    return tuple(f"i{row}" for row in range(N_IMAGES)), tuple(f"c{row}" for row in range(N_CAPTIONS)), index


def vectors(n_different=5):
    """Items that share a few vectors, so that scores tie often."""
    draw = np.random.default_rng(2)
    own = draw.standard_normal((n_different, 6)).astype(np.float32)
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    image_ids, caption_ids, index = items()
    images, captions = own[draw.integers(n_different, size=N_IMAGES)], own[draw.integers(n_different, size=N_CAPTIONS)]
    return Embeddings(image_ids, images, caption_ids, captions, index)


def table_of_scores():
    image_ids, caption_ids, index = items()
    scores = np.random.default_rng(3).integers(4, size=(N_IMAGES, N_CAPTIONS)).astype(np.float32)
    return Scores(image_ids, caption_ids, index, scores)


def slow_list(scores, right):
    """Gallery rows by falling score; of equal scores the wrong ones first, then the lower row."""
    return sorted(range(len(scores)), key=lambda row: (-scores[row], row in right, row))


@pytest.mark.parametrize("make", [vectors, table_of_scores])
@pytest.mark.parametrize("k", [1, 3, 7, 20, 99])
@pytest.mark.parametrize("direction", ["i2t", "t2i"])
def test_candidates_are_the_head_of_the_sorted_list(make, k, direction, monkeypatch):
    monkeypatch.setattr("vldeformer.retrieval.reranking.BLOCK_QUERIES", 3)
    scored = make()
    relevance = Relevance.from_caption_image_index(scored.caption_image_index, N_IMAGES)
    table = scored.scores if isinstance(scored, Scores) else oracles.cosine_table(scored.images, scored.captions)
    table = table if direction == "i2t" else table.T
    if isinstance(scored, Embeddings):  # vectors are equal or clearly apart: rounding makes the ties of the exact scores whole
        table = np.round(table, 9)
    right = oracles.right_sets(scored.caption_image_index, N_IMAGES)[0 if direction == "i2t" else 1]
    found = propose(scored, relevance, direction, k)
    for query, scores in enumerate(table.tolist()):
        expected = slow_list(scores, right[query])[:k]
        assert found.rows[query].tolist() == expected
        assert found.right[query].tolist() == [row in right[query] for row in expected]
        assert found.scores[query] == pytest.approx([scores[row] for row in expected], abs=1e-8)
    images, captions = found.pairs()
    assert images.shape == captions.shape == found.rows.shape
    assert np.array_equal(found.first(2).rows, found.rows[:, :2])


def test_a_collapsed_model_proposes_no_right_item_before_a_wrong_one():
    scored = vectors(n_different=1)
    relevance = Relevance.from_caption_image_index(scored.caption_image_index, N_IMAGES)
    assert not propose(scored, relevance, "t2i", N_IMAGES - 1).right.any()


def test_no_candidate_at_all_is_refused():
    scored = table_of_scores()
    with pytest.raises(InputError, match="k: expected at least 1"):
        propose(scored, Relevance.from_caption_image_index(scored.caption_image_index, N_IMAGES), "i2t", 0)
