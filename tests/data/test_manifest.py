"""The manifest refuses what would go wrong later, and comes back from disk as it was."""

import json

import numpy as np
import pytest

from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption, Image
from vldeformer.errors import InputError

IMAGES = (Image("a", "train", "a.jpg"), Image("b", "test"), Image("c", "test"))
CAPTIONS = (
    Caption("a#0", "a", "a dog"),
    Caption("b#0", "b", "ein Hündchen"),
    Caption("b#1", "b", "two cats"),
    Caption("c#0", "c", "a hat"),
)


@pytest.fixture
def manifest() -> Manifest:
    return Manifest("toy", IMAGES, CAPTIONS)


def test_rows_and_splits(manifest):
    np.testing.assert_array_equal(manifest.caption_image_index, [0, 1, 1, 2])
    assert manifest.caption_image_index.dtype == np.int64
    assert manifest.splits == {"train": 1, "test": 2}
    assert manifest.image_rows == {"a": 0, "b": 1, "c": 2}


def test_one_split_and_the_first_images(manifest):
    test = manifest.split("test")
    assert [image.id for image in test.images] == ["b", "c"]
    np.testing.assert_array_equal(test.caption_image_index, [0, 0, 1])
    assert [caption.id for caption in test.first(1).captions] == ["b#0", "b#1"]
    assert manifest.first(99) == manifest
    assert manifest.split("train", "test") == manifest


def test_a_split_that_is_not_there(manifest):
    with pytest.raises(InputError, match=r"val.*train"):
        manifest.split("val")


def test_round_trip_and_digest(manifest, tmp_path):
    path = tmp_path / "manifest.json"
    manifest.save(path)
    again = Manifest.load(path)
    assert again == manifest
    assert again.digest == manifest.digest
    other = Manifest("toy", IMAGES, (*CAPTIONS[:3], Caption("c#0", "c", "a cap")))
    assert other.digest != manifest.digest


def test_cut_short_or_foreign_file(manifest, tmp_path):
    path = tmp_path / "manifest.json"
    manifest.save(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"manifest\.json"):
        Manifest.load(path)
    path.write_text("{}")
    with pytest.raises(InputError, match=r"manifest\.json: expected a manifest"):
        Manifest.load(path)
    with pytest.raises(InputError, match="found none"):
        Manifest.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("kind", "row", "expected"),
    [
        ("images", [85329, "test", None], "image in place 2: expected id as a text, got 85329"),
        ("images", ["c", "test", 7], "image in place 2: expected file as a text, got 7"),
        ("images", "abc", "image in place 2: expected [id, split, file], got abc"),
        ("captions", ["b#0", "b", None], "caption in place 2: expected text as a text, got None"),
        ("captions", [["b#0"], "b", "a hat"], "caption in place 2: expected id as a text, got ['b#0']"),
    ],
)
def test_a_row_of_something_else_than_texts_is_named(manifest, tmp_path, kind, row, expected):
    path = tmp_path / "manifest.json"
    manifest.save(path)
    value = json.loads(path.read_text())
    value[kind][2] = row
    path.write_text(json.dumps(value))
    with pytest.raises(InputError) as caught:
        Manifest.load(path)
    assert str(caught.value) == f"{path}: {expected}; run `vldeformer prepare` again"


@pytest.mark.parametrize(
    ("images", "captions", "message"),
    [
        ((*IMAGES, Image("a", "test")), CAPTIONS, "image id 'a' occurs more than once"),
        (IMAGES, (*CAPTIONS, CAPTIONS[3]), "caption id 'c#0' occurs more than once"),
        (IMAGES, (*CAPTIONS, Caption("d#0", "d", "x")), "'d', which is not listed"),
        (IMAGES, (*CAPTIONS, Caption("c#1", "c", "  ")), "'c#1' of image 'c' is empty"),
        (
            IMAGES,
            (*CAPTIONS, Caption("c#1", "c", "a dog \ud83d!")),
            r"^toy: caption 'c#1': .* half of one \('\\ud83d' in place 6\)",
        ),
        (IMAGES, (*CAPTIONS, Caption("\udc15", "c", "a dog")), r"^toy: caption '\\udc15': expected whole characters"),
        ((Image("\ud83d", "test"), *IMAGES), CAPTIONS, r"^toy: image '\\ud83d': expected whole characters"),
        ((Image("d", "test", "\ud83d.jpg"), *IMAGES), CAPTIONS, "^toy: image 'd': expected whole characters"),
        (IMAGES, CAPTIONS[:3], "'c' has no caption"),
        (IMAGES, CAPTIONS[::-1], "order"),
    ],
)
def test_what_is_refused(images, captions, message):
    with pytest.raises(InputError, match=message):
        Manifest("toy", images, captions)
