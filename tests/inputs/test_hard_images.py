"""Composed images: partners of each kind, tags that travel with their regions, and nothing that is still true."""

import numpy as np
import pytest

from vldeformer.inputs.grammar import learn_forms
from vldeformer.inputs.hard_images import NEAREST, ImageComposer, Partners, categories_of, named_tags, nearest_images
from vldeformer.inputs.lexicon import Lexicon
from vldeformer.inputs.settings import NegativeSettings
from vldeformer.seeding import named_generator

LEXICON = Lexicon({"ring": "ring", "hoop": "ring", "box": "box", "star": "star"}, {}, learn_forms([]))
CAPTIONS = {"i0": ["A red hoop left of a blue box."], "i1": ["a green star"], "i2": ["nothing to be seen here"]}
TAGS = {"i0": ("red ring", "blue box"), "i1": ("green star", "orange disc", "star"), "i2": ()}
REGIONS = {"i0": 2, "i1": 3, "i2": 0}


def composer(tags=TAGS, captions=CAPTIONS, ratio=0.5):
    values = {
        "seed": 1, "images": None, "variants": 1, "text_kinds": {"noun": 1}, "word_ratio": 0.3, "word_number": None,
        "replacements": "corpus",
        "lexicon": "learned", "image_partner": "random", "image_ratio": ratio,
    }  # fmt: skip
    return ImageComposer(NegativeSettings(**values), Partners(tuple(captions)), tags, named_tags(tags, captions, LEXICON))


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


def test_what_captions_name_is_named_by_its_tags():
    assert named_tags(TAGS, CAPTIONS, LEXICON) == {"i0": {"red ring", "blue box"}, "i1": {"green star", "star"}, "i2": set()}
    assert named_tags({"i2": ("red ring",)}, CAPTIONS, LEXICON) == {"i2": {"red ring"}}, "nothing named: all count"


def test_a_composed_image_that_still_shows_all_that_is_named_is_dropped_and_counted():
    compose = composer()
    made = [compose.compose("i1", variant, REGIONS) for variant in range(40)]
    assert any(made)
    for found in filter(None, made):
        shown = {TAGS["i1"][row] for row in found.kept} | {TAGS["i0"][row] for row in found.taken}
        assert not {"green star", "star"} <= shown
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
