"""Re-ranked lists against ordering the whole gallery by plain loops; the two ends are the two models themselves."""

import numpy as np
import oracles
import pytest

from vldeformer.retrieval.embeddings import Scores
from vldeformer.retrieval.ranking import exact_ranks
from vldeformer.retrieval.reranking import Proposals

N_IMAGES, N_CAPTIONS = 8, 19


def scores(seed, levels):
    """Whole numbers below ``levels``: few of them tie often."""
    index = np.concatenate([np.arange(N_IMAGES), np.random.default_rng(0).integers(N_IMAGES, size=N_CAPTIONS - N_IMAGES)])
    table = np.random.default_rng(seed).integers(levels, size=(N_IMAGES, N_CAPTIONS)).astype(np.float32)
    names = tuple(f"i{row}" for row in range(N_IMAGES)), tuple(f"c{row}" for row in range(N_CAPTIONS))
    return Scores(*names, index, table)


def reranked(dual, joint, k, weight=0.0):
    proposals = Proposals.by(dual, k)
    pairs = proposals.pairs()
    return proposals.reranked(pairs, joint.scores[pairs], weight)


def slow_rank(dual, joint, right, k, weight):
    """Sort by dual score, cut at k, order the head by the joint score, and count from the top to the first right item."""
    listed = sorted(range(len(dual)), key=lambda row: (-dual[row], row in right, row))
    head = sorted(listed[:k], key=lambda row: (-(joint[row] + weight * dual[row]), row in right))
    places = [place for place, row in enumerate(head + listed[k:], start=1) if row in right]
    return places[0]


@pytest.mark.parametrize("levels", [3, 1000])
@pytest.mark.parametrize("k", [1, 2, 5, 8, 19])
@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_ranks_are_those_of_the_list_written_out(levels, k, weight):
    dual, joint = scores(1, levels), scores(2, levels)
    right_captions, right_images = oracles.right_sets(dual.caption_image_index, N_IMAGES)
    found = reranked(dual, joint, k, weight)
    for image in range(N_IMAGES):
        expected = slow_rank(dual.scores[image].tolist(), joint.scores[image].tolist(), right_captions[image], k, weight)
        assert found.i2t[image] == expected
    for caption in range(N_CAPTIONS):
        of_caption = dual.scores[:, caption].tolist(), joint.scores[:, caption].tolist()
        assert found.t2i[caption] == slow_rank(*of_caption, right_images[caption], k, weight)


@pytest.mark.parametrize("levels", [1, 3, 1000])
def test_one_candidate_changes_nothing_and_all_candidates_leave_it_to_the_joint_model(levels):
    dual, joint = scores(3, levels), scores(4, levels)
    for k, expected in ((1, exact_ranks(dual)), (N_CAPTIONS, exact_ranks(joint))):
        found = reranked(dual, joint, k)
        assert np.array_equal(found.i2t, expected.i2t) and np.array_equal(found.t2i, expected.t2i)


def test_each_pair_is_listed_once_and_shorter_lists_need_a_part_of_them():
    longest = Proposals.by(scores(5, 4), 6)
    images, captions = longest.pairs()
    expected = {(image, caption) for image in range(N_IMAGES) for caption in longest.i2t.rows[image].tolist()}
    expected |= {(image, caption) for caption in range(N_CAPTIONS) for image in longest.t2i.rows[caption].tolist()}
    assert list(zip(images.tolist(), captions.tolist(), strict=True)) == sorted(expected)
    shorter = set(zip(*longest.first(2).pairs(), strict=True))
    assert len(shorter) < len(expected) and shorter <= expected


def test_the_scores_of_longer_lists_serve_shorter_ones():
    dual, joint = scores(6, 50), scores(7, 50)
    longest = Proposals.by(dual, 8)
    pairs = longest.pairs()
    found, expected = longest.first(3).reranked(pairs, joint.scores[pairs]), reranked(dual, joint, 3)
    assert np.array_equal(found.i2t, expected.i2t) and np.array_equal(found.t2i, expected.t2i)
