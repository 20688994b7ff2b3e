"""The whole composition of a corpus: as asked for, as many processes as one, and settled so that words do not tell."""

import re
from collections import Counter

import numpy as np
import pytest

from vldeformer.data.records import Caption
from vldeformer.errors import InputError
from vldeformer.inputs.settings import NegativeSettings
from vldeformer.negatives import composer as negatives
from vldeformer.negatives.composer import Corpus, HardNegativeComposer, sample_pairs

SETTINGS = {
    "seed": 1, "images": None, "variants": 2, "text_kinds": {"noun": 1, "attribute": 1, "relation": 1, "swap": 1},
    "word_ratio": 0.3, "replacements": "corpus", "image_partner": "random",
    "image_ratio": 0.5,
}  # fmt: skip
THINGS, COLOURS = ("ring", "box", "star", "moon", "tree"), ("red", "blue", "green", "white", "black")


def corpus(count=150, detector=True):
    """Two things in their colours; rings, and red, are much more frequent than the others."""
    draw = np.random.default_rng(0)
    captions, tags = {}, {}
    for number in range(count):
        shares = [0.4, 0.15, 0.15, 0.15, 0.15]
        (a, b), (c, d) = (draw.choice(5, size=2, replace=False, p=shares) for _ in range(2))
        one, other = f"{COLOURS[c]} {THINGS[a]}", f"{COLOURS[d]} {THINGS[b]}"
        image = f"i{number}"
        texts = (f"a {one} {('left', 'right')[number % 2]} of a {other}", f"a {other} and a {THINGS[a]}")
        captions[image] = [Caption(f"{image}#{n}", image, text) for n, text in enumerate(texts)]
        tags[image] = (one, other)
    return Corpus(captions, tags if detector else None)


def composer(data, workers=1, **changes):
    return HardNegativeComposer(NegativeSettings(**SETTINGS | changes), data, workers)


@pytest.fixture(scope="module")
def data():
    return corpus()


@pytest.mark.slow
def test_any_number_of_processes_composes_the_same(data, monkeypatch):
    alone = composer(data).texts()
    monkeypatch.setattr(negatives, "PART_IMAGES", 40)
    texts, tally = composer(data, workers=4).texts()
    assert (texts, tally) == alone and len(texts) + tally.not_composed == 600 and len(texts) > 400
    assert {text.kind for text in texts} == {"noun", "attribute", "relation", "swap"}
    order = [text.caption_id for text in texts]
    assert order == sorted(order, key=[c.id for captions in data.captions.values() for c in captions].index)


def test_a_word_comes_in_about_as_often_as_it_goes_out(data):
    _, tally = composer(data, variants=4, text_kinds={"noun": 1}).texts()
    went, came = (sum(counts.values(), Counter()) for counts in (tally.went, tally.came))
    assert went.total() == came.total() > 500
    for word in THINGS:
        assert came[word] == pytest.approx(went[word], rel=0.35), (
            "rings are known of most images, and yet they do not only go out"
        )


def test_replacements_from_tags_are_tag_words(data):
    captions = {
        image: [*texts, Caption(f"{image}#9", image, texts[0].text.replace("moon", "crescent"))]
        for image, texts in data.captions.items()
    }
    named = Corpus(captions, data.tags)
    assert any("crescent" in text.words for text in composer(named, text_kinds={"noun": 1}).texts()[0])
    texts, _ = composer(named, text_kinds={"noun": 1}, replacements="tags").texts()
    assert texts and {word for text in texts for word in text.words} <= set(THINGS), "no tag is a crescent"
    with pytest.raises(InputError, match=re.escape("negatives.replacements is tags, but there is no detector here; set it to")):
        composer(corpus(20, detector=False), replacements="tags")


def test_partners_are_of_the_kind_that_is_asked_for(data):
    ids = list(data.captions)
    things = {image: {tag.split()[1] for tag in row} for image, row in data.tags.items()}
    images = composer(data, image_partner="category").image_composer(None)
    found = [images.compose(image, 0, dict.fromkeys(ids, 2)) for image in ids]
    assert all(things[one.image_id] & things[one.partner_id] for one in found if one) and any(found)
    vectors = np.array([[number, 1] for number in range(len(ids))], dtype=np.float32)
    circle = np.stack([np.cos(vectors[:, 0] / 24), np.sin(vectors[:, 0] / 24)], axis=1)
    images = composer(data, image_partner="near").image_composer((ids[::-1], circle[::-1]))
    found = [images.compose(image, 0, dict.fromkeys(ids, 2)) for image in ids[30:120]]
    assert all(abs(ids.index(one.image_id) - ids.index(one.partner_id)) <= 12 for one in found if one) and any(found)


def test_near_partners_need_vectors_of_every_image(data):
    near = composer(data, image_partner="near")
    with pytest.raises(InputError, match="image_partner is near, but there are no regions here; give --embeddings"):
        near.image_composer(None)
    ids = list(data.captions)
    with pytest.raises(InputError, match="training image 'i149' is not among its 149 images; embed --split train"):
        near.image_composer((ids[:-1], np.ones((149, 2), np.float32)))


def test_blind_readers_see_one_negative_of_a_caption(data):
    texts, _ = composer(data).texts()
    pairs = sample_pairs(texts, 10**6)
    assert len(pairs) == len({text.caption_id for text in texts}) and sample_pairs(texts, 3) == pairs[:3]


@pytest.mark.parametrize(
    "wrong",
    [{"text_kinds": {"swap": 0}}, {"text_kinds": {}}, {"word_ratio": 0}, {"text_kinds": {"verb": 1}}],
)
def test_settings_that_say_nothing_or_too_much_are_refused(wrong):
    with pytest.raises(ValueError, match=r"text_kinds|word_ratio"):
        NegativeSettings(**SETTINGS | wrong)
