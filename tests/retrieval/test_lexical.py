"""Scores by shared words against plain loops, and texts that share none."""

import numpy as np
import oracles
import pytest

from vldeformer.retrieval.lexical import lexical_scores

KNOWN = [("dog", "dog", "snow"), ("red ball",), ("snow", "red ball"), ()]
CAPTIONS = ["a Red ball and snow, snow, dog", "nothing known here", "", "Ball ball"]
TAGS = [("dog", "snow"), (), ("red ball", "dog"), ("unknown",)]


def test_scores_are_cosines_of_tf_idf():
    found = lexical_scores(TAGS, CAPTIONS, KNOWN)
    assert found.shape == (4, 4) and found.dtype == np.float32
    for row, tags in enumerate(TAGS):
        for column, caption in enumerate(CAPTIONS):
            expected = oracles.tf_idf_cosine(" ".join(tags), caption.lower(), [" ".join(own) for own in KNOWN])
            assert found[row, column] == pytest.approx(expected, abs=1e-6)
    assert found[2, 0] > found[0, 0] > 0 and not found[1].any() and not found[:, 1:3].any()


def test_words_may_be_merged():
    found = lexical_scores([("hound",)], ["a dog"], KNOWN, lambda text: text.replace("hound", "dog"))
    assert found[0, 0] > 0.5 and lexical_scores([("hound",)], ["a dog"], KNOWN)[0, 0] == 0
