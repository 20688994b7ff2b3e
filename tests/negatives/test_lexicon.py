"""Nouns, attributes and synonyms from a corpus small enough to check by eye."""

import pytest

from vldeformer.negatives.grammar import FUNCTION_WORDS
from vldeformer.negatives.lexicon import LEAST_OCCURRENCES, count_words, learn_lexicon


def corpus():
    """Rings are also called hoops, boxes crates; each picture shows one thing of one colour, seen rightly by the detector."""
    captions, tags = {}, {}
    names = {"ring": ("ring", "hoop"), "box": ("box", "crate"), "star": ("star", "star")}
    for number in range(36):
        thing, colour = ["ring", "box", "star"][number % 3], ["red", "blue"][number // 3 % 2]
        name, other = names[thing]
        captions[f"i{number}"] = [f"a {colour} {name} on the ground", f"there is a {other}, and it is {colour}"]
        tags[f"i{number}"] = [f"{colour} {thing}"]
    return captions, tags


def test_synonyms_share_the_concept_of_a_tag():
    captions, tags = corpus()
    lexicon, counts = learn_lexicon(captions, tags), count_words(captions)
    expected = {"ring": "ring", "hoop": "ring", "box": "box", "crate": "box", "star": "star"}
    assert dict(lexicon.nouns) == expected
    assert dict(lexicon.attributes) == {"red": "red", "blue": "blue"}
    assert counts["hoop"] == 12 and counts["star"] == 24


def test_rare_and_meaningless_words_are_left_out():
    captions, tags = corpus()
    for number in range(LEAST_OCCURRENCES - 1):
        captions[f"i{3 * number}"].append("an annulus")
    captions["i0"].append("a thing")
    for texts in captions.values():
        texts.append("a picture of the ground")
    lexicon = learn_lexicon(captions, tags)
    found = lexicon.nouns.keys() | lexicon.attributes.keys()
    assert not found & {"annulus", "thing", "picture", "ground"} and not found & FUNCTION_WORDS
    captions["i12"].append("an annulus")
    assert learn_lexicon(captions, tags).nouns["annulus"] == "ring"


def test_a_word_is_noun_or_attribute_but_never_both():
    captions, tags = corpus()
    lexicon = learn_lexicon(captions, {image: [*row, "ring ring"] if "ring" in row[0] else row for image, row in tags.items()})
    assert not lexicon.nouns.keys() & lexicon.attributes.keys()
    assert lexicon.nouns["ring"] == "ring"


def test_an_image_without_tags_is_no_error():
    captions, tags = corpus()
    tags["i0"], tags["i1"] = [], [""]
    del tags["i2"]
    assert learn_lexicon(captions, tags).nouns["hoop"] == "ring"


def test_without_tags_nouns_close_a_phrase_and_attributes_stand_before_them():
    texts = [
        "a black dog is running in the snow",
        "two dogs on a green field",
        "the dog by the door.",
        "the dog is in the field",
        "the snow",
    ]
    lexicon = learn_lexicon({f"i{n}": texts for n in range(6)}, None)
    assert dict(lexicon.nouns) == {"dog": "dog", "dogs": "dog", "snow": "snow", "field": "field", "door": "door"}
    assert dict(lexicon.attributes) == {"black": "black", "green": "green"}


def test_attributes_that_the_detector_has_not_are_learned_too():
    captions, tags = corpus()
    for texts in captions.values():
        texts.append("a tiny " + texts[0].split()[2])
    assert learn_lexicon(captions, tags).attributes["tiny"] == "tiny"


@pytest.mark.parametrize("tags", [False, True])
def test_one_long_caption_changes_nothing(tags):
    captions, seen = corpus()
    seen = seen if tags else None
    plain = learn_lexicon(captions, seen)
    captions["i0"].append(" ".join(["the quick ring runs over a hoop and", "the star was"] * 80))
    long = learn_lexicon(captions, seen)
    assert long.nouns == plain.nouns and long.attributes == plain.attributes
    assert count_words(captions)["quick"] == 1
