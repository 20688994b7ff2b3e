"""Composed captions: never their own input, never something the image is known to show, and reproducible one by one."""

import pytest

from vldeformer.data.records import Caption
from vldeformer.inputs.settings import NegativeSettings
from vldeformer.negatives.caption_reading import read_caption
from vldeformer.negatives.grammar import WORD, learn_forms, words_of
from vldeformer.negatives.hard_texts import ComposedText, Described, Tally, TextComposer
from vldeformer.negatives.lexicon import Lexicon
from vldeformer.negatives.replacements import learn_replacements

NOUNS = {
    "ring": "ring", "hoop": "ring", "rings": "ring", "box": "box", "crate": "box", "star": "star", "orb": "disc", "stars": "star",
    "fish": "fish", "plus": "cross",
}  # fmt: skip
COLOURS = {"red": "red", "crimson": "red", "blue": "blue", "orange": "orange", "green": "green"}
CAPTIONS = {
    "i0": ["A red ring left of a blue box.", "a crimson hoop", "two rings"],
    "i1": ["a green star above an orange orb", "stars"],
    "i2": ["nothing to be seen here"],
}
TAGS = {"i0": ("red ring", "blue box"), "i1": ("green star", "orange disc", "star"), "i2": ()}
RELATIONS = ("left of", "to the left of", "right of", "to the right of", "above", "below", "next to")
CORPUS = [*(text for texts in CAPTIONS.values() for text in texts)]
"""Every word beside every other, so that any may come in anywhere."""
for one in ("a ring", "a hoop", "a box", "a crate", "a star", "an orb", "a fish", "a plus", "two rings", "two stars", "two fish"):
    for relation in RELATIONS:
        CORPUS += [f"{one} {relation} {one}", f"{relation} {one} is {one}"]
    article, name = one.split()
    CORPUS += [
        f"{'an' if colour[0] == 'o' and article != 'two' else article.replace('an', 'a')} {colour} {name} and"
        for colour in COLOURS
    ]


def composer(alike=None, **changes):
    values = {
        "seed": 1, "images": None, "variants": 1, "text_kinds": {"noun": 1, "attribute": 1}, "word_ratio": 0.3,
        "replacements": "corpus", "image_partner": "random", "image_ratio": 0.5,
    }  # fmt: skip
    forms = learn_forms(CORPUS)
    lexicon = Lexicon(NOUNS, COLOURS, forms)
    replacements = learn_replacements([read_caption(text, lexicon) for text in CORPUS], None)
    return TextComposer(NegativeSettings(**values | changes), lexicon, alike or {}, replacements)


def image(texts, tags=()):
    return Described(tuple(Caption(f"x#{number}", "x", text) for number, text in enumerate(texts)), tags)


def composed(compose, texts, tags=(), variants=30):
    """Everything made of the first of an image's captions, and what was counted."""
    tally = Tally()
    found = compose.compose(image(texts, tags), range(variants), tally)
    return [one for one in found if one.caption_id == "x#0"], tally


def known(name):
    """Words and concepts of an image, by a plain loop."""
    said = set()
    for text in (*CAPTIONS[name], *TAGS[name]):
        for word in words_of(text):
            said |= {word, NOUNS.get(word, word), COLOURS.get(word, word)}
    return said


@pytest.mark.parametrize("ratio", [0.3, 0.6, 1.0])
def test_replaced_words_are_of_the_same_class_and_unknown_of_the_image(ratio):
    compose, seen = composer(word_ratio=ratio), 0
    for name, texts in CAPTIONS.items():
        captions = {f"{name}#{number}": text for number, text in enumerate(texts)}
        described = Described(tuple(Caption(key, name, text) for key, text in captions.items()), TAGS[name])
        for found in compose.compose(described, range(20), Tally()):
            seen += 1
            before, after = words_of(captions[found.caption_id]), words_of(found.text)
            changed = [place for place, (a, b) in enumerate(zip(before, after, strict=True)) if a != b and {a, b} != {"a", "an"}]
            assert tuple(changed) == found.places and changed, "the report names every changed word, and there is one"
            assert tuple(after[place] for place in changed) == found.words
            members = {"noun": NOUNS, "attribute": COLOURS}[found.kind]
            assert len(changed) <= max(1, int(ratio * sum(word in members for word in before)))
            for place in changed:
                assert members[after[place]] != members[before[place]], "never a synonym"
                assert not {after[place], members[after[place]]} & known(name)
                assert (before[place] in ("rings", "stars")) == (after[place] in ("rings", "stars", "fish")) or after[
                    place
                ] == "fish"
    assert seen > 50


def test_everything_around_the_words_stays():
    found, _ = composed(composer(word_ratio=1.0), ["A red ring, left of a blue BOX!?"], variants=1)
    after = [match.group() for match in WORD.finditer(found[0].text)]
    assert WORD.sub("_", found[0].text) == "_ _ _, _ _ _ _ _!?" and after[0] in ("A", "An") and after[3:5] == ["left", "of"]
    assert after[-1].isupper()


def test_the_article_and_the_capital_letter_fit_the_new_word():
    found, _ = composed(composer(text_kinds={"attribute": 1}, word_ratio=1.0), ["A red ring left of a blue box."])
    followers = {tuple(one.text.split()[:2]) for one in found}
    assert followers == {("An", "orange"), ("A", "green")}
    found, _ = composed(composer(text_kinds={"attribute": 1}), ["Red rings"])
    assert {one.text for one in found} <= {"Green rings", "Orange rings", "Blue rings"} and found


def test_plurals_stay_plurals_also_where_they_look_alike():
    found, _ = composed(composer(text_kinds={"noun": 1}), ["two fish"])
    assert found and {one.text for one in found} <= {"two rings", "two stars"}
    found, _ = composed(composer(text_kinds={"noun": 1}), ["a red plus"])
    assert found and not {"rings", "stars"} & {word for one in found for word in one.words}, "a plus is no plural"


@pytest.mark.parametrize(
    ("text", "expected", "others"),
    [
        ("a ring left of a box", {"to the right of", "right of"}, []),
        ("A ring to the left of a box.", {"to the right of", "right of"}, []),
        ("Left of a box is a ring", {"To the right of", "Right of"}, []),
        ("a ring above a box", {"below"}, []),
        ("a ring left of a box", set(), ["a hoop right of a crate"]),
        ("a ring left of a box", set(), ["a box left of a ring"]),
        ("a ring left of a box", {"to the right of", "right of"}, ["a star right of a box"]),
        ("a ring left of a box", set(), ["a thing right of a box"]),
    ],
)
def test_a_relation_becomes_one_that_cannot_hold_with_it(text, expected, others):
    found, tally = composed(composer(text_kinds={"relation": 1}), [text, *others])
    phrase = next(p for p in ("to the left of", "left of", "above") if p in text.lower())
    start = text.lower().index(phrase)
    assert {one.text for one in found} == {text[:start] + new + text[start + len(phrase) :] for new in expected}
    assert all(one.kind == "relation" and one.places == (len(words_of(text[:start])),) for one in found)
    assert (tally.dropped["relation"] > 0) == (not expected)


@pytest.mark.parametrize(
    ("text", "tags", "expected"),
    [
        ("a red ring and a blue box", (), {"a blue ring and a red box", "a red box and a blue ring"}),
        ("an orange ring and a red box", (), {"a red ring and an orange box", "an orange box and a red ring"}),
        ("A ring and a box", (), set()),  # the same said
        ("a ring left of a box", (), {"a box left of a ring"}),
        ("Rings left of stars", (), {"Stars left of rings"}),
        ("a ring next to a box", (), set()),
        ("two rings, one red and the other blue", (), set()),
        ("a red ring and a box", (), set()),  # nothing is known of the box's colour
        ("a red ring and a box", ("blue box",), {"a red box and a ring"}),
        ("a red ring and a blue box", ("blue ring", "red box"), set()),  # both are there
        ("a ring and a hoop", (), set()),  # synonyms
        ("a ring left of two stars", (), set()),  # one and many
    ],
)
def test_a_swap_says_something_false(text, tags, expected):
    found, tally = composed(composer(text_kinds={"swap": 1}), [text], tags, 60)
    assert {one.text for one in found} == expected
    assert all(one.kind == "swap" and len(one.places) == 2 for one in found)
    if text == "A ring and a box":
        assert tally.dropped["swap"] > 0 and tally.not_composed == 60


def test_what_may_both_be_true_is_neither_exchanged_nor_replaced():
    alike = {"red": frozenset({"blue"}), "blue": frozenset({"red"})}
    assert not composed(composer(alike, text_kinds={"swap": 1}), ["a red ring next to a blue ring"])[0]
    found, _ = composed(composer(alike, text_kinds={"attribute": 1}), ["a red ring"])
    assert found and not any("blue" in one.words for one in found)


def test_kinds_are_chosen_by_weight_and_the_others_follow_where_one_fails():
    text = ["a red ring left of a blue box"]
    kinds = [one.kind for one in composed(composer(text_kinds={"noun": 3, "attribute": 1}), text, variants=400)[0]]
    assert 0.6 < kinds.count("noun") / len(kinds) < 0.9
    found, _ = composed(composer(text_kinds={"relation": 100, "noun": 1}), ["a star"])
    assert {one.kind for one in found} == {"noun"}
    found, _ = composed(composer(text_kinds={"noun": 0, "attribute": 1}), text)
    assert {one.kind for one in found} == {"attribute"}


def test_a_caption_without_a_replaceable_word_has_no_negative():
    found, tally = composed(composer(), CAPTIONS["i2"])
    assert not found and tally.not_composed == 30


def test_no_negative_if_every_word_is_known_of_the_image():
    found, tally = composed(composer(text_kinds={"noun": 1}), ["a ring", "a box, a star, a plus", "an orb with fish"])
    assert not found and tally.dropped["noun"] > 0


def test_a_negative_is_a_function_of_seed_id_and_variant():
    described = image(CAPTIONS["i0"])
    whole = composer().compose(described, range(4), Tally())
    parts = {variant: composer().compose(described, (variant,), Tally()) for variant in reversed(range(4))}
    assert sorted(whole, key=repr) == sorted((one for part in parts.values() for one in part), key=repr)
    assert whole != composer(seed=2).compose(described, range(4), Tally())
    assert all(isinstance(one, ComposedText) for one in whole)
