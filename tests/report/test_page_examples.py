import json

import numpy as np
import pytest
from page_world import RECORD

from vldeformer.data.pixels import PixelStore
from vldeformer.data.regions import RegionStore
from vldeformer.errors import InputError
from vldeformer.report.page_examples import image_examples, marked, text_examples
from vldeformer.report.page_provenance import trace


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


def test_stages_are_followed_from_the_last_to_the_first(tmp_path):
    for name, before in (("prepare", None), ("train", "prepare/manifest.json"), ("embed", "train/model")):
        (tmp_path / name).mkdir()
        inputs = {"before": {"path": str(tmp_path / before), "sha256": "ab"}} if before else {}
        (tmp_path / name / "provenance.json").write_text(json.dumps(RECORD | {"inputs": inputs}))
    found = trace({"mine": tmp_path / "embed", "other": tmp_path / "train", "lost": tmp_path / "nowhere"})
    assert [stage.folder.rsplit("/")[-1] for stage in found.behind["mine"]] == ["prepare", "train", "embed"]
    assert len(found.behind["other"]) == 2 and found.behind["lost"] == () and len(found.stages) == 3
    (tmp_path / "train" / "provenance.json").write_text('{"inputs": [3]}')
    with pytest.raises(InputError, match=r"train/provenance\.json"):
        trace({"mine": tmp_path / "embed"})
