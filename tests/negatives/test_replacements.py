"""Words are drawn by how often they are said, between which words, and corrected by how often they moved."""

from collections import Counter

import numpy as np
import pytest

from vldeformer.negatives.caption_reading import read_caption
from vldeformer.negatives.grammar import learn_forms
from vldeformer.negatives.lexicon import Lexicon
from vldeformer.negatives.replacements import LEAST_DEPARTURE, PRIOR_CONTEXTS, learn_replacements, neighbours

LEXICON = Lexicon({word: word for word in ("cat", "dog", "sea")}, {}, learn_forms([]))
TEXTS = ["a cat sleeps"] * 6 + ["a dog sleeps"] * 3 + ["the sea roars"] * 9 + ["an old cat"]


def reading(text):
    return read_caption(text, LEXICON)


@pytest.fixture
def made():
    return learn_replacements(map(reading, TEXTS), None)


def test_neighbours():
    units = reading("an old cat left of it").units
    assert neighbours(units, 0) == ("|", "old") and neighbours(units, 1) == ("a", "cat")
    assert neighbours(units, 2) == ("old", "left") and neighbours(units, 4) == ("of", "|")


def test_a_word_is_drawn_by_its_count_and_its_neighbours(made):
    pool = made.pools["noun", "one"]
    found = np.diff(pool.weights("sea", ("the", "roars")), prepend=0)
    counts = {"cat": 7, "dog": 3, "sea": 9}
    share = 9 / 19
    for number, word in enumerate(pool.words):
        lift = (0 + PRIOR_CONTEXTS * share) / (counts[word] + PRIOR_CONTEXTS) / share
        assert found[number] == pytest.approx(0 if word == "sea" else counts[word] * lift * lift)
    draw = np.random.default_rng(0)
    units = reading("a dog sleeps").units
    came = Counter(made.draw(units, 1, lambda word: False, draw)[0] for _ in range(300))
    assert came["cat"] > 250 and came["dog"] == 0, "a sea does not sleep"


def test_known_words_are_dropped_and_counted(made):
    draw, units = np.random.default_rng(0), reading("a dog sleeps").units
    word, dropped = made.draw(units, 1, lambda word: word == "cat", draw)
    assert (word is None or word == "sea") and dropped > 0
    assert made.draw(reading("a cow sleeps").units, 1, lambda word: False, draw) == (None, 0)


def test_only_members_come_in():
    made = learn_replacements(map(reading, TEXTS), {"noun": frozenset({"sea"})})
    draw = np.random.default_rng(0)
    assert {made.draw(reading("a dog sleeps").units, 1, lambda word: False, draw)[0] for _ in range(20)} == {"sea"}


def test_what_goes_out_too_often_is_let_go_less_and_comes_in_more(made):
    pool = made.pools["noun", "one"]
    before = pool.arrival.copy()
    made.settle({("noun", "one"): Counter(dog=97)}, {("noun", "one"): Counter(cat=97)})
    cat, dog, sea = (pool.numbers[word] for word in ("cat", "dog", "sea"))
    assert pool.departure[cat] == pytest.approx(max(LEAST_DEPARTURE, 3 / 100)) and pool.departure[dog] == pool.departure[sea] == 1
    assert pool.arrival[cat] > before[cat] and pool.arrival[dog] < before[dog] and pool.arrival[sea] == before[sea]
