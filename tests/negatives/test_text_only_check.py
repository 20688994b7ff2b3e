"""Readers who see no image: at chance where words do not tell, right where a word or two in a row do."""

import numpy as np
import pytest

from vldeformer.negatives.text_only_check import blind_accuracy


def captions(changed):
    """True captions of 60 images, three each, and what ``changed`` makes of them."""
    draw = np.random.default_rng(0)
    words = np.array(["red", "blue", "star", "ring", "box", "left", "of", "with"])
    true = [" ".join(draw.permutation(words)) for _ in range(180)]
    return true, [changed(text, draw) for text in true], [f"i{number // 3}" for number in range(180)]


def test_words_in_any_order_do_not_tell_but_their_neighbours_may():
    found = blind_accuracy(*captions(lambda text, draw: text + " zebra"))
    assert found == {"bag_of_words": 1.0, "ngrams": 1.0}
    found = blind_accuracy(
        *captions(lambda text, draw: "with of " + " ".join(w for w in text.split() if w not in ("with", "of")))
    )
    assert found["bag_of_words"] <= 0.55 and found["ngrams"] > 0.9
    found = blind_accuracy(*captions(lambda text, draw: " ".join(draw.permutation(text.split()))))
    assert max(found.values()) < 0.65


def test_no_image_is_learned_from_and_judged_on():
    images = [f"i{number}" for number in range(40)]
    true, changed = [f"t{image} x" for image in images for _ in range(4)], [f"c{image} x" for image in images for _ in range(4)]
    found = blind_accuracy(true, changed, [image for image in images for _ in range(4)])
    assert max(found.values()) == pytest.approx(0.5, abs=0.01), "what is learned of an image's own words is of no use"


def test_too_few_images_tell_nothing():
    assert blind_accuracy(["a b"] * 3, ["a c"] * 3, ["i0", "i1", "i2"]) == {"bag_of_words": None, "ngrams": None}
