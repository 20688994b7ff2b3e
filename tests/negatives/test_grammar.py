"""Plurals, articles and capitals, learned from a corpus small enough to check by eye."""

import pytest

from vldeformer.negatives.grammar import learn_forms, singular, words_of

FORMS = learn_forms(
    ["a plus and two stars", "the plus", "a red plus", "An hour of the day", "an hour", "a uniform", "Stars and a star",
     "two fish", "three men and a dog's bone", "a man and an Asian woman", "an Asian dog", "A TV set", "a TV", "the bus", "a bus",
     "glass"],
)  # fmt: skip


@pytest.mark.parametrize(
    ("plural", "expected"),
    [("dogs", "dog"), ("boxes", "box"), ("glasses", "glass"), ("babies", "baby"), ("benches", "bench"), ("grass", "grass"),
     ("men", "man"), ("firemen", "fireman"), ("children", "child"), ("grandchildren", "grandchild"), ("people", "person")],
)  # fmt: skip
def test_singulars(plural, expected):
    assert singular(plural) == expected


def test_words_of_a_text():
    assert words_of("A dog's T-shirt, 3 cats & naïve قطة!") == ["a", "dog's", "t-shirt", "cats", "naïve", "قطة"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("two red fish", "many"), ("two stars", "many"), ("a star", "one"), ("a plus", "one"), ("a bus", "one"),
     ("three men", "many"), ("a fish", "one"), ("two men and a fish", "one"), ("some glass", "many"), ("the dog's", "one's")],
)  # fmt: skip
def test_the_number_of_a_word(text, expected):
    *before, word = text.split()
    assert FORMS.number(word, before) == expected


def test_articles_are_as_in_the_captions_and_else_by_the_letter():
    assert [FORMS.article(word) for word in ("hour", "uniform", "apple", "box")] == ["an", "a", "an", "a"]


@pytest.mark.parametrize(
    ("word", "instead_of", "expected"),
    [("dog", "Cat", "Dog"), ("dog", "cat", "dog"), ("dog", "CAT", "DOG"), ("asian", "red", "Asian"), ("red", "Asian", "red"),
     ("tv", "box", "TV"), ("box", "TV", "box"), ("asian", "Red", "Asian")],
)  # fmt: skip
def test_capitals_stay_where_a_sentence_needs_them(word, instead_of, expected):
    assert FORMS.written(word, instead_of) == expected
