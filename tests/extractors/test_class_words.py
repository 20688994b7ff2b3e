"""Class names as words, and the tags of an image."""

import math

import numpy as np
import pytest

from vldeformer.extractors.class_words import class_word, likeliest


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("tench, Tinca tinca", "tench"),
        ("golden_retriever", "golden retriever"),
        ("kite (bird of prey)", "kite"),
        ("shoji screen / room divider", "shoji screen"),
        ("a cat having a striped coat", "cat having a striped coat"),
        ("Black-and-Tan  Coonhound", "black-and-tan coonhound"),
        ("(unknown)", ""),
        (", ", ""),
    ],
)
def test_a_name_becomes_one_word_of_captions(name, word):
    assert class_word(name) == word


def test_tags_are_the_likeliest_classes_above_the_probability():
    logits = np.array([1.0, 3.0, -2.0, 2.0, 2.5], np.float32)
    words = ("one", "three", "none", "", "one")
    total = sum(math.exp(value) for value in logits.tolist())
    shares = {row: math.exp(value) / total for row, value in enumerate(logits.tolist())}
    order = sorted(shares, key=lambda row: -shares[row])
    for most in (0, 1, 3, 5):
        for least in (0.0, 0.1, 0.2, 0.9):
            kept = [words[row] for row in order[:most] if shares[row] >= least and words[row]]
            assert likeliest(logits, words, most, least) == tuple(dict.fromkeys(kept))
    assert likeliest(np.array([1000.0, -1000.0], np.float32), ("a", "b"), 2, 0.5) == ("a",)
