"""The text-only model: probabilities by the slow formula, and a preference for what the captions say."""

import math

import numpy as np
import pytest

from vldeformer.evaluation.blind import TrigramModel, blind_scores

CAPTIONS = ["a red ring", "a red star", "A blue ring.", "a red ring"]
VOCABULARY = {"a", "red", "ring", "star", "blue", ".", "</s>"}
SENTENCES = [["<s>", "<s>", *text.lower().replace(".", " .").split(), "</s>"] for text in CAPTIONS]


def slow_probability(context, word):
    """Witten and Bell's recursion straight from the sentences."""
    lower = slow_probability(context[1:], word) if context else 1 / (len(VOCABULARY) + 1)
    seen = [
        sentence[place]
        for sentence in SENTENCES
        for place in range(2, len(sentence))
        if sentence[place - len(context) : place] == list(context)
    ]
    return lower if not seen else (seen.count(word) + len(set(seen)) * lower) / (len(seen) + len(set(seen)))


@pytest.mark.parametrize("caption", ["a red ring", "a blue star", "ring ring .", "a green ring"])
def test_probability_is_that_of_the_formula(caption):
    words = ["<s>", "<s>", *caption.split(), "</s>"]
    expected = sum(math.log(slow_probability(words[place - 2 : place], words[place])) for place in range(2, len(words)))
    assert TrigramModel(CAPTIONS).log_probability(caption) == pytest.approx(expected)


def test_the_words_after_a_context_and_the_unknown_one_share_all_probability():
    model = TrigramModel(CAPTIONS)
    for context in (("<s>", "a"), ("a", "red"), ("never", "seen")):
        assert sum(model._probability((*context, word)) for word in [*VOCABULARY, "unknown"]) == pytest.approx(1)


def test_scores_are_of_each_text_in_all_and_a_word():
    scores = blind_scores(CAPTIONS, ["a red ring", "a ring red", "a red ring"])
    assert scores[0, 0] > scores[1, 0] and (scores[0] == scores[2]).all()
    np.testing.assert_allclose(scores[:, 1], scores[:, 0] / 4)
