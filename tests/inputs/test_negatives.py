"""Composed negatives: never their own input, never something the image is known to show, and reproducible one by one."""

import pytest

from vldeformer.data.records import Caption
from vldeformer.inputs.lexicon import WORD, Lexicon, words_of
from vldeformer.inputs.negatives import ComposedText, HardNegativeComposer
from vldeformer.inputs.settings import NegativeSettings

NOUNS = {
    "ring": "ring",
    "hoop": "ring",
    "rings": "ring",
    "box": "box",
    "crate": "box",
    "star": "star",
    "orb": "disc",
    "stars": "star",
}
COLOURS = {"red": "red", "crimson": "red", "blue": "blue", "orange": "orange", "green": "green"}
COUNTS = dict.fromkeys(NOUNS | COLOURS, 10)
CAPTIONS = {
    "i0": ["A red ring left of a blue box.", "a crimson hoop", "two rings"],
    "i1": ["a green star above an orange orb", "stars"],
    "i2": ["nothing to be seen here"],
}
TAGS = {"i0": ("red ring", "blue box"), "i1": ("green star", "orange disc", "star"), "i2": ()}


def composer(captions=CAPTIONS, **changes):
    settings = NegativeSettings(**{"seed": 1, "variants": 1, "word_ratio": 0.3, "attributes": True, "image_ratio": 0.5} | changes)
    return HardNegativeComposer(settings, Lexicon(NOUNS, COLOURS, COUNTS), captions, TAGS)


def caption(image, number):
    return Caption(f"{image}#{number}", image, CAPTIONS[image][number])


ALL = [caption(image, number) for image, texts in CAPTIONS.items() for number in range(len(texts))]


def known(image):
    """Words and concepts of an image, by a plain loop."""
    said = set()
    for text in (*CAPTIONS[image], *TAGS[image]):
        for word in words_of(text):
            said |= {word, NOUNS.get(word, word), COLOURS.get(word, word)}
    return said


@pytest.mark.parametrize("ratio", [0.3, 0.6, 1.0])
def test_replaced_words_are_of_the_same_class_and_unknown_of_the_image(ratio):
    compose, seen = composer(word_ratio=ratio), 0
    for one in ALL:
        for variant in range(20):
            found = compose.text(one, variant)
            if found is None:
                continue
            seen += 1
            before, after = words_of(one.text), words_of(found.text)
            changed = [place for place, (a, b) in enumerate(zip(before, after, strict=True)) if a != b and {a, b} != {"a", "an"}]
            assert tuple(changed) == found.places and changed, "the report names every changed word, and there is one"
            assert tuple(after[place] for place in changed) == found.words
            replaceable = sum(word in NOUNS or word in COLOURS for word in before)
            assert len(changed) <= max(1, int(ratio * replaceable))
            for place in changed:
                members = NOUNS if before[place] in NOUNS else COLOURS
                assert members[after[place]] != members[before[place]], "never a synonym"
                assert not {after[place], members[after[place]]} & known(one.image_id)
                assert before[place].endswith("s") == after[place].endswith("s")
    assert seen > 50


def test_everything_around_the_words_stays():
    found = composer(word_ratio=1.0).text(Caption("x", "i0", "A red ring, left of a blue BOX!?"), 0)
    after = [match.group() for match in WORD.finditer(found.text)]
    rest = WORD.sub("_", found.text)
    assert rest == "_ _ _, _ _ _ _ _!?" and after[0] in ("A", "An") and after[3:5] == ["left", "of"]


def test_the_article_fits_the_new_word():
    texts = [composer(word_ratio=1.0).text(caption("i0", 0), variant).text.lower() for variant in range(30)]
    followers = {tuple(text.split()[:2]) for text in texts}
    assert {("an", "orange"), ("a", "green")} <= followers
    assert all(article == ("an" if word[0] in "aeiou" else "a") for article, word in followers)


def test_without_attributes_colours_stay():
    found = [composer(attributes=False, word_ratio=1.0).text(caption("i1", 0), variant) for variant in range(10)]
    assert all(text is not None and "green" in text.text and "orange" in text.text for text in found)


def test_a_caption_without_a_replaceable_word_has_no_negative():
    assert composer().text(caption("i2", 0), 0) is None


def test_no_negative_if_every_word_is_known_of_the_image():
    captions = {"i0": ["a ring", "a box and a star", "an orb"], "i1": ["a star"]}
    compose = HardNegativeComposer(
        NegativeSettings(seed=1, variants=1, word_ratio=1.0, attributes=False, image_ratio=0.5),
        Lexicon(NOUNS, {}, COUNTS),
        captions,
        {},
    )
    assert all(compose.text(Caption("i0#0", "i0", "a ring"), variant) is None for variant in range(5))
    assert compose.text(Caption("i1#0", "i1", "a star"), 0) is not None


def test_a_negative_is_a_function_of_seed_id_and_variant():
    forwards, backwards = composer(), composer()
    ahead = [forwards.text(one, variant) for one in ALL for variant in range(4)]
    back = [backwards.text(one, variant) for one in reversed(ALL) for variant in reversed(range(4))]
    assert ahead == back[::-1]
    assert ahead != [composer(seed=2).text(one, variant) for one in ALL for variant in range(4)]
    variants = {forwards.text(ALL[0], variant) for variant in range(20)}
    assert len(variants) > 3 and all(isinstance(one, ComposedText) for one in variants)


REGIONS = {"i0": 2, "i1": 3, "i2": 0}


def test_regions_of_an_image_of_other_things_come_in():
    for variant in range(30):
        found = composer().image("i1", variant, REGIONS)
        assert found.partner_id == "i0", "not itself, and i2 has no region"
        assert len(found.kept) + len(found.taken) == 3 and len(found.taken) == 1
        assert set(found.kept) < {0, 1, 2} and set(found.taken) < {0, 1}
        assert list(found.kept) == sorted(set(found.kept))


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.9])
def test_own_and_foreign_regions_make_up_the_own_number(ratio):
    counts = {"i0": 7, "i1": 8, "i2": 0}
    found = composer(image_ratio=ratio).image("i0", 0, counts)
    assert len(found.taken) == max(1, min(6, round(ratio * 7))) and len(found.kept) == 7 - len(found.taken) >= 1


def test_an_image_without_regions_or_without_a_useful_partner_has_no_negative():
    assert composer().image("i2", 0, REGIONS) is None
    same = {"i0": CAPTIONS["i0"], "i9": CAPTIONS["i0"]}
    alike = HardNegativeComposer(composer().settings, Lexicon(NOUNS, COLOURS, COUNTS), same, {"i0": TAGS["i0"], "i9": TAGS["i0"]})
    assert alike.image("i0", 0, {"i0": 2, "i9": 2}) is None
    assert composer({"i0": CAPTIONS["i0"]}).image("i0", 0, 4) is None, "an image is not its own partner"


@pytest.mark.parametrize(("ratio", "taken"), [(0.5, 8), (0.01, 1), (0.99, 15)])
def test_patches_are_divided_between_both_images(ratio, taken):
    found = composer(image_ratio=ratio).image("i0", 3, 16)
    assert len(found.taken) == taken and found.partner_id != "i0"
    assert sorted(found.kept + found.taken) == list(range(16))


def test_one_patch_cannot_be_divided():
    assert composer().image("i0", 0, 1) is None


def test_a_composed_image_is_a_function_of_seed_id_and_variant():
    forwards, backwards = composer(), composer()
    asked = [(image, variant) for image in ("i0", "i1") for variant in range(5)]
    ahead = [forwards.image(image, variant, 16) for image, variant in asked]
    assert [backwards.image(image, variant, 16) for image, variant in reversed(asked)] == ahead[::-1]
    assert len(set(ahead)) == 10
