"""Words that may both be true of a thing, in corpora small enough to count."""

from vldeformer.negatives.caption_reading import read_caption
from vldeformer.negatives.equivalence import learn_alike
from vldeformer.negatives.grammar import learn_forms
from vldeformer.negatives.lexicon import Lexicon

NOUNS = {word: word for word in ("boy", "child", "ball", "girl")}
ATTRIBUTES = {word: word for word in ("red", "blue", "big", "huge")}


def alike_of(images):
    lexicon = Lexicon(NOUNS, ATTRIBUTES, learn_forms([]))
    return learn_alike([[read_caption(text, lexicon) for text in texts] for texts in images])


def test_nouns_of_different_captions_that_no_caption_says_together():
    images = [["a boy with a ball", "a child with a ball", "a girl and a boy"], ["a girl and a ball"] * 3] * 10
    alike = alike_of(images)
    assert alike["boy"] == {"child"} and "boy" in alike["child"] and "girl" not in alike.get("ball", ())


def test_attributes_of_one_thing_unless_they_exclude_each_other():
    images = [[f"a {colour} ball", f"a {size} ball", "a boy"] for colour in ("red", "blue") for size in ("big", "huge")] * 10
    alike = alike_of(images)
    assert alike["red"] == alike["blue"] == {"big", "huge"} and alike["big"] == alike["huge"] == {"red", "blue"}
    both = [[f"a {colour} ball", "a big ball, a huge ball"] for colour in ("red", "blue")] * 10
    assert "huge" in alike_of(both)["big"] and "blue" not in alike_of(both)["red"]


def test_a_few_occurrences_tell_nothing():
    assert not alike_of([["a boy with a red ball", "a child with a big ball"]] * 2)


def test_a_corpus_in_which_no_noun_is_said_beside_another_has_none_alike():
    assert alike_of([["a boy", "a boy"], ["a ball"]]) == {} == alike_of([["it runs"]])


def test_a_few_odd_captions_do_not_make_two_things_one():
    images = [[f"a {thing} on the floor", f"the {thing} is red"] for thing in ("ball", "boy")] * 60
    odd = [["a ball on the floor", "a boy on the floor"]] * 12
    assert "boy" not in alike_of(images + odd).get("ball", ())
    assert "girl" in alike_of([*images, *[["a girl", "a boy"]] * 12])["boy"], "as often as chance has it"
