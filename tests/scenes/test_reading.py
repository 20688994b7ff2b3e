"""Captions taken apart: nothing is lost, and the phrases say exactly the facts."""

import pytest

from vldeformer.scenes.reading import NounPhrase, read_caption
from vldeformer.scenes.records import Facts, Mention, Relation, SceneCaption
from vldeformer.scenes.words import in_usual_words
from vldeformer.scenes.world import generate_scenes
from vldeformer.scenes.world_settings import SceneSettings


@pytest.fixture(scope="module")
def captions():
    settings = SceneSettings(pretrain_images=200, train_images=1, val_images=1, test_images=1, image_size=96, seed=6)
    return [caption for scene in generate_scenes(settings) for caption in scene.captions]


def test_every_caption_is_read_but_those_that_count_two_alike(captions):
    for caption in captions:
        reading = read_caption(caption)
        assert (reading is None) == (" and the other " in caption.text), caption
        if reading is not None:
            assert reading.text == caption.text and reading.facts == caption.facts
            assert sorted(number for phrase in reading.phrases for number in phrase.mentions) == [
                *range(len(caption.facts.mentions))
            ]


STAR, RING = Mention("star", "red", "small"), Mention("ring", "blue", None)


def reading(text, *mentions, relations=(), total=None):
    return read_caption(SceneCaption(text, Facts(mentions, relations, total)))


def test_an_object_is_renamed_wherever_it_is_named():
    left, above = Relation("left", (0, 1)), Relation("above", (2, 0))
    text = "a little red star left of a ring that is blue, and a fish above the star"
    read = reading(text, STAR, RING, Mention("fish", None, None), relations=(left, above))
    new = read.renamed(read.phrases[0], noun="arrow")
    assert new.text == "a little red arrow left of a ring that is blue, and a fish above the arrow"
    assert new.facts.mentions == (Mention("arrow", "red", "small"), RING, Mention("fish", None, None))
    assert read.renamed(read.phrases[1], colour="orange").text.startswith("a little red star left of a ring that is orange,")
    assert read.renamed(read.phrases[0], size="", colour="orange").text.startswith("an orange star left")


def test_objects_that_are_counted_together_are_renamed_together():
    read = reading(
        "three things: two red rings and a fish", *[Mention("ring", "red", None)] * 2, Mention("fish", None, None), total=3
    )
    assert read.phrases[0] == NounPhrase("two", "", "red", "ring", False, (0, 1))
    new = read.renamed(read.phrases[0], noun="box")
    assert new.text == "three things: two red boxes and a fish"
    assert new.facts == Facts((Mention("square", "red", None),) * 2 + (Mention("fish", None, None),), (), 3)


def test_a_relation_is_said_otherwise():
    read = reading(
        "to the left of a ring that is blue floats a star",
        RING,
        Mention("star", None, None),
        relations=(Relation("left", (1, 0)),),
    )
    new = read.related(0, "on top of")
    assert new.text == "on top of a ring that is blue floats a star"
    assert new.facts.relations == (Relation("above", (1, 0)),)


def test_a_caption_that_says_other_things_than_its_facts_has_no_reading():
    assert reading("a red star and a blue ring", STAR, RING) is None, "it does not say small"
    assert reading("a small red star and a blue ring", STAR, RING) is not None
    assert reading("a small red star left of a blue ring", STAR, RING) is None, "a relation more"


def test_synonyms_and_plurals_become_the_usual_word():
    text = "two tiny scarlet hoops, an azure box; and three daisies beside fish"
    assert in_usual_words(text) == "two small red ring an blue square and three flower beside fish"
