import numpy as np
import pytest

from vldeformer.data.pixels import PixelStore
from vldeformer.data.regions import RegionStore
from vldeformer.errors import InputError
from vldeformer.report.page_examples import image_examples, marked, text_examples


@pytest.fixture
def world(page_world):
    return page_world


@pytest.mark.parametrize(
    ("true", "changed", "out", "came"),
    [
        ("a red star, left of it", "a blue star, left of it", ["red"], ["blue"]),
        ("an owl", "a dog", ["an", "owl"], ["a", "dog"]),
        ("dog and cat", "cat and dog", None, None),
        ("same", "same", [], []),
        ("שלום dog", "שלום cat", ["dog"], ["cat"]),
    ],
)
def test_marked_words_give_both_captions_back(true, changed, out, came):
    pieces = list(marked(true, changed))
    assert "".join(piece.text for piece in pieces if piece.change != "in") == true
    assert "".join(piece.text for piece in pieces if piece.change != "out") == changed
    if out is not None:
        assert [piece.text for piece in pieces if piece.change == "out"] == out
        assert [piece.text for piece in pieces if piece.change == "in"] == came


def test_each_kind_of_text_is_shown(world):
    examples = text_examples(world.root / "negatives", world.manifest, PixelStore(world.root / "pixels"))
    assert [example.kind for example in examples] == ["noun", "noun", "swap", "swap"]
    assert all(example.picture.data.startswith("data:image/webp;base64,") for example in examples)


def test_halves_have_the_boxes_and_tags_of_their_regions(world):
    store = RegionStore(world.root / "regions")
    example = image_examples(world.root / "negatives", world.manifest, None, store)[0]
    np.testing.assert_allclose(example.own.boxes, [(0, 0, 50, 50), (0, 0, 100, 100)])
    np.testing.assert_allclose(example.partner.boxes, [(50, 0, 50, 100)])
    assert example.own.tags == ("dog", "sky") and example.partner.tags == ("<i>",)


def test_without_regions_the_parts_are_patches_of_the_grid(world):
    example = image_examples(world.root / "negatives", world.manifest, None, None)[0]
    assert example.own.boxes == ((0, 0, 25, 25), (50, 0, 25, 25)) and example.own.tags == ()


def test_negatives_of_another_run_are_refused(world, tmp_path):
    with pytest.raises(InputError, match="is not in the manifest"):
        text_examples(world.root / "negatives", world.manifest.first(0), None)
    with pytest.raises(InputError, match="run `vldeformer negatives` again"):
        text_examples(tmp_path, world.manifest, None)
