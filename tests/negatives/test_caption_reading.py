"""What captions say, read back by eye."""

import pytest

from vldeformer.negatives.caption_reading import facts_of, may_hold, read_caption, tag_facts, with_inverse
from vldeformer.negatives.grammar import learn_forms
from vldeformer.negatives.lexicon import Lexicon

LEXICON = Lexicon(
    {"ring": "ring", "hoop": "ring", "star": "star", "dog": "dog", "man": "man"},
    {"red": "red", "blue": "blue", "crimson": "red", "small": "small"}, learn_forms([]),
)  # fmt: skip


def test_units_cover_the_caption_and_relations_are_whole():
    text = "A RED hoop, to the left of 2 stars!"
    units = read_caption(text, LEXICON).units
    assert [text[unit.start : unit.end] for unit in units] == ["A", "RED", "hoop", "to the left of", "stars"]
    assert [(unit.word, unit.kind, unit.concept, unit.place) for unit in units] == [
        ("a", "", "a", 0), ("red", "attribute", "red", 1), ("hoop", "noun", "ring", 2), ("to the left of", "relation", "left", 3),
        ("stars", "", "stars", 7),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a red small ring", {("is", "red", "ring"), ("is", "small", "ring")}),
        ("a ring that is crimson", {("is", "red", "ring")}),
        ("a star and a red thing", {("is", "red", None)}),
        ("a ring and a star", set()),
        ("left of a star is a ring", {("left", None, "star"), ("right", "star", None)}),
        ("a man near a dog", {("near", "man", "dog"), ("near", "dog", "man")}),
        ("a dog bites a man", {(frozenset({"bites"}), "dog", "man")}),
    ],
)
def test_facts(text, expected):
    assert {fact for fact in facts_of(read_caption(text, LEXICON).units) if fact[0] != frozenset({"is"})} == expected


def test_tags_are_facts_and_relations_go_both_ways():
    assert tag_facts(["small red ring", "star"]) == {("is", "small", "ring"), ("is", "red", "ring")}
    assert with_inverse(("above", "a", "b")) == {("above", "a", "b"), ("below", "b", "a")}
    assert with_inverse(("in", "a", "b")) == {("in", "a", "b")}


@pytest.mark.parametrize(
    ("fact", "known", "expected"),
    [
        (("left", "ring", "star"), ("left", "ring", "star"), True),
        (("left", "ring", "star"), ("left", None, "star"), True),
        (("left", "ring", None), ("left", "ring", "star"), True),
        (("left", "ring", "star"), ("left", "dog", "star"), False),
        (("left", "ring", None), ("left", None, "star"), False),
        (("left", None, None), ("left", "ring", "star"), True),
        (("left", "ring", "star"), ("right", "ring", "star"), False),
    ],
)
def test_a_fact_may_hold_where_a_thing_is_not_known(fact, known, expected):
    assert may_hold(fact, {known}) == expected
