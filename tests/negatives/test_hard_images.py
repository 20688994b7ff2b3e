"""Composed images: partners of each kind, tags that travel with their regions, and nothing that is still true."""

import numpy as np
import pytest

from vldeformer.inputs.settings import NegativeSettings
from vldeformer.negatives.grammar import learn_forms
from vldeformer.negatives.hard_images import NEAREST, ImageComposer, Need, Partners, categories_of, nearest_images, needs_of
from vldeformer.negatives.lexicon import Lexicon
from vldeformer.seeding import named_generator

LEXICON = Lexicon({"ring": "ring", "hoop": "ring", "box": "box", "star": "star"}, {}, learn_forms([]))
CAPTIONS = {"i0": ["A red hoop left of a blue box."], "i1": ["a green star"], "i2": ["nothing to be seen here"]}
TAGS = {"i0": ("red ring", "blue box"), "i1": ("green star", "orange disc", "star"), "i2": ()}
REGIONS = {"i0": 2, "i1": 3, "i2": 0}


def composer(tags=TAGS, captions=CAPTIONS, ratio=0.5):
    values = {
        "seed": 1, "images": None, "variants": 1, "text_kinds": {"noun": 1}, "word_ratio": 0.3,
        "replacements": "corpus",
        "image_partner": "random", "image_ratio": ratio,
    }  # fmt: skip
    needs = {
        image: {f"{image}#{number}": needs_of(text, tags[image], LEXICON) for number, text in enumerate(texts)}
        for image, texts in captions.items()
        if image in tags
    }
    return ImageComposer(NegativeSettings(**values), Partners(tuple(captions)), tags, needs)


def test_regions_of_another_image_come_in():
    for variant in range(30):
        found = composer(tags={}).compose("i1", variant, REGIONS)
        assert found.partner_id == "i0", "not itself, and i2 has no region"
        assert len(found.kept) + len(found.taken) == 3 and len(found.taken) == 1
        assert set(found.kept) < {0, 1, 2} and set(found.taken) < {0, 1}
        assert list(found.kept) == sorted(set(found.kept))


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.9])
def test_own_and_foreign_regions_make_up_the_own_number(ratio):
    found = composer(tags={}, ratio=ratio).compose("i0", 0, {"i0": 7, "i1": 8, "i2": 0})
    assert len(found.taken) == max(1, min(6, round(ratio * 7))) and len(found.kept) == 7 - len(found.taken) >= 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A red hoop left of a blue box.", {("ring", "red"), ("box", "blue")}),
        ("a hoop", {("ring", "")}),  # of any colour
        ("a crimson hoop", {("ring", "")}),  # no word of the tags
        ("two boxes and a red thing", {("box", "")}),
        ("something red", {(None, "red")}),
        ("nothing to be seen here", {("ring", "red"), ("box", "blue")}),  # nothing is said of them: all count
    ],
)
def test_what_a_caption_says_in_words_of_the_tags(text, expected):
    lexicon = Lexicon(LEXICON.nouns | {"boxes": "box"}, {}, learn_forms([]))
    needs = {Need(thing, frozenset(qualities.split())) for thing, qualities in expected}
    assert needs_of(text, TAGS["i0"], lexicon) == needs
    assert needs_of(text, (), lexicon) == set()


def test_a_need_is_met_by_a_thing_of_all_its_qualities():
    shown = {"ring": [frozenset({"blue", "big"})], "box": [frozenset({"red"})]}
    for thing, qualities, expected in [
        ("ring", {"blue"}, True),
        ("ring", set(), True),
        ("ring", {"red"}, False),  # the box is
        ("star", set(), False),
        (None, {"red"}, True),
        (None, {"red", "big"}, False),  # not one thing
    ]:
        assert Need(thing, frozenset(qualities)).met(shown) == expected


def test_a_composed_image_names_the_captions_that_are_still_true_of_it():
    tags = {"i0": ("red ring", "blue box", "green star"), "i1": ("yellow disc", "yellow ring", "white heart")}
    captions = {"i0": ["a red ring", "a ring", "a box by a star", "a blue box"], "i1": ["a disc"]}
    compose = composer(tags, captions, ratio=0.4)
    made = [compose.compose("i0", variant, {"i0": 3, "i1": 3}) for variant in range(60)]
    for found in filter(None, made):
        shown = {tags["i0"][row] for row in found.kept} | {tags["i1"][row] for row in found.taken}
        true = {
            "i0#0": "red ring" in shown,
            "i0#1": bool({"red ring", "yellow ring"} & shown),
            "i0#2": {"blue box", "green star"} <= shown,
            "i0#3": "blue box" in shown,
        }
        assert set(found.true_of) == {caption for caption, holds in true.items() if holds} != set(true)
    assert len({found.true_of for found in filter(None, made)}) > 2


def test_a_composed_image_that_is_true_of_all_captions_is_dropped_and_counted():
    compose = composer()
    made = [compose.compose("i1", variant, REGIONS) for variant in range(40)]
    assert any(made)
    for found in filter(None, made):
        shown = {TAGS["i1"][row] for row in found.kept} | {TAGS["i0"][row] for row in found.taken}
        assert "green star" not in shown and found.true_of == ()
    assert compose.dropped > 0
    same = {"i0": ("red ring",) * 2, "i9": ("red ring",) * 2}
    alike = composer(same, {"i0": CAPTIONS["i0"], "i9": CAPTIONS["i0"]})
    assert alike.compose("i0", 0, {"i0": 2, "i9": 2}) is None and alike.dropped > 0


def test_an_image_without_regions_or_partner_has_no_negative():
    assert composer().compose("i2", 0, REGIONS) is None
    assert composer({}, {"i0": CAPTIONS["i0"]}).compose("i0", 0, 4) is None, "an image is not its own partner"
    assert composer().compose("i0", 0, 1) is None, "one patch cannot be divided"


@pytest.mark.parametrize(("ratio", "taken"), [(0.5, 8), (0.01, 1), (0.99, 15)])
def test_patches_are_divided_between_both_images(ratio, taken):
    found = composer(ratio=ratio).compose("i0", 3, 16)
    assert len(found.taken) == taken and found.partner_id != "i0"
    assert sorted(found.kept + found.taken) == list(range(16))


def test_a_composed_image_is_a_function_of_seed_id_and_variant():
    asked = [(image, variant) for image in ("i0", "i1") for variant in range(5)]
    ahead = [composer().compose(image, variant, 16) for image, variant in asked]
    assert [composer().compose(image, variant, 16) for image, variant in reversed(asked)] == ahead[::-1]
    assert len(set(ahead)) == 10


def test_a_partner_of_the_same_category_shares_a_thing():
    categories = {"a": ["dog", "man"], "b": ["dog"], "c": ["car"], "d": ["man"], "e": []}
    partners = Partners(tuple(categories), categories=categories)
    drawn = {image: {partners.draw(image, named_generator(image, n)) for n in range(40)} - {None} for image in categories}
    assert drawn == {"a": {"b", "d"}, "b": {"a"}, "c": set(), "d": {"a"}, "e": set()}


def test_categories_are_tags_or_else_nouns():
    assert categories_of(TAGS, CAPTIONS, LEXICON) == {"i0": ["box", "ring"], "i1": ["disc", "star"], "i2": []}
    assert categories_of(None, CAPTIONS, LEXICON) == {"i0": ["box", "ring"], "i1": ["star"], "i2": []}


def test_near_partners_are_the_nearest_by_cosine():
    vectors = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    ids = [f"i{row}" for row in range(40)]
    nearest = nearest_images(ids, vectors)
    centred = vectors - vectors.mean(axis=0)
    for row, image in enumerate(ids):
        cosines = {}
        for other in range(40):
            if other != row:
                length = np.linalg.norm(centred[row]) * np.linalg.norm(centred[other])
                cosines[ids[other]] = float(centred[row] @ centred[other] / length)
        assert nearest[image] == sorted(cosines, key=cosines.__getitem__, reverse=True)[:NEAREST]
    partners = Partners(ids, nearest=nearest)
    assert {partners.draw("i3", named_generator(n)) for n in range(200)} == set(nearest["i3"])
    assert nearest_images(["a", "b"], vectors[:2]) == {"a": ["b"], "b": ["a"]}
