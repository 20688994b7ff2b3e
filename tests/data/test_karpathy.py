"""Karpathy's layout: what is read, and what is refused with file and image."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from vldeformer.data.karpathy import read_karpathy, read_photograph
from vldeformer.errors import InputError

FLICKR8K = Path(__file__).parents[3] / "shared" / "data" / "flickr8k"


def row(name, split="train", captions=5, **more):
    return {"filename": name, "split": split, "sentences": [{"raw": f" {name}  says\n{n} ."} for n in range(captions)], **more}


def write(tmp_path, *rows):
    path = tmp_path / "dataset.json"
    path.write_text(json.dumps({"images": list(rows), "dataset": "x"}))
    return path


def refusal(path, captions=5):
    with pytest.raises(InputError) as caught:
        read_karpathy(path, "photos", captions)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    return str(caught.value)


def test_images_and_first_captions_in_file_order(tmp_path):
    path = write(
        tmp_path, row("b.jpg", captions=7), row("a.jpg", "restval", filepath="val2014"), row("c.jpg", "val"), row("d.jpg", "test")
    )
    found = read_karpathy(path, "photos", 5)
    assert [(image.id, image.split, image.file) for image in found.images] == [
        ("b", "train", "b.jpg"), ("a", "train", "val2014/a.jpg"), ("c", "val", "c.jpg"), ("d", "test", "d.jpg"),
    ]  # fmt: skip
    assert len(found.captions) == 20 and found.dataset == "photos"
    assert [(c.id, c.text) for c in found.captions[3:6]] == [
        ("b#3", "b.jpg says 3 ."), ("b#4", "b.jpg says 4 ."), ("a#0", "a.jpg says 0 ."),
    ]  # fmt: skip


def test_too_few_captions(tmp_path):
    assert "image 'b' has 4 captions, expected 5; lower dataset.captions_per_image" in refusal(
        write(tmp_path, row("a.jpg"), row("b.jpg", captions=4))
    )


def test_an_empty_caption(tmp_path):
    wrong = row("b.jpg")
    wrong["sentences"][2]["raw"] = "  "
    assert "caption 'b#2' of image 'b' is empty" in refusal(write(tmp_path, row("a.jpg"), wrong))


def test_an_unknown_split(tmp_path):
    assert "image 'a.jpg' has split 'dev', expected one of train, restval, val, test" in refusal(
        write(tmp_path, row("a.jpg", "dev"))
    )


@pytest.mark.parametrize(
    "more", [{"filename": "../a.jpg"}, {"filename": "/etc/a.jpg"}, {"filename": "a.jpg", "filepath": "x/../.."}]
)
def test_a_path_that_leaves_the_folder(tmp_path, more):
    assert "points outside its folder" in refusal(write(tmp_path, row("a.jpg") | more))


@pytest.mark.parametrize("key", ["filename", "split", "sentences"])
def test_a_missing_key(tmp_path, key):
    wrong = row("a.jpg")
    del wrong[key]
    assert f"got another one; KeyError('{key}')" in refusal(write(tmp_path, wrong))


@pytest.mark.parametrize("raw", [None, 5, ["a"]])
def test_a_caption_that_is_no_text(tmp_path, raw):
    wrong = row("a.jpg")
    wrong["sentences"][0]["raw"] = raw
    assert "expected Karpathy's layout" in refusal(write(tmp_path, wrong))


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"images": 3}', '{"images": ["a"]}', '{"images": [{"filename": 3, "split": "val"}]}']
)
def test_another_layout(tmp_path, content):
    path = tmp_path / "dataset.json"
    path.write_text(content)
    assert "expected Karpathy's layout" in refusal(path)


def test_a_cut_or_missing_file_and_two_images_of_one_name(tmp_path):
    path = write(tmp_path, row("a.jpg"), row("x/a.png"))
    assert "image id 'a' occurs more than once" in refusal(path)
    path.write_bytes(path.read_bytes()[:-10])
    assert "it may be cut short" in refusal(path)
    path.unlink()
    assert "found none" in refusal(path)


def save(path, width, height, mode="RGB"):
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, : width // 2] = (250, 0, 0)
    pixels[:, width // 2 :] = (0, 0, 250)
    PIL.Image.fromarray(pixels).convert(mode).save(path)
    return path


@pytest.mark.parametrize(("width", "height"), [(64, 64), (100, 50), (50, 100), (33, 17), (7, 5), (640, 3)])
def test_the_centre_of_any_photograph_fills_the_square(tmp_path, width, height):
    read = read_photograph(save(tmp_path / "a.png", width, height), 32)
    assert read.shape == (32, 32, 3) and read.dtype == np.uint8
    assert read[16, 2, 0] > 200 > 50 > read[16, 2, 2] and read[16, 29, 2] > 200 > 50 > read[16, 29, 0]


def test_a_photograph_of_the_right_size_is_not_touched(tmp_path):
    path = save(tmp_path / "a.png", 32, 32)
    assert np.array_equal(read_photograph(path, 32), np.asarray(PIL.Image.open(path)))


@pytest.mark.parametrize("mode", ["L", "CMYK", "P", "RGBA"])
def test_other_kinds_of_colour_become_rgb(tmp_path, mode):
    path = save(tmp_path / ("a.tif" if mode == "CMYK" else "a.png"), 40, 40, mode)
    assert read_photograph(path, 32).shape == (32, 32, 3)


def test_a_missing_truncated_or_foreign_photograph_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.jpg: photograph not found"):
        read_photograph(tmp_path / "gone.jpg", 32)
    path = save(tmp_path / "cut.jpg", 200, 200)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"cut\.jpg: expected a photograph"):
        read_photograph(path, 32)
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(InputError, match=r"text\.jpg: expected a photograph"):
        read_photograph(tmp_path / "text.jpg", 32)


@pytest.mark.skipif(not FLICKR8K.is_dir(), reason="../shared/data/flickr8k is not here")
def test_flickr8k_itself():
    """The folder holds 8,091 photographs; the annotation file splits 8,000 of them."""
    found = read_karpathy(FLICKR8K / "dataset_flickr8k.json", "flickr8k", 5)
    assert found.splits == {"train": 6000, "val": 1000, "test": 1000}
    assert set(Counter(caption.image_id for caption in found.captions).values()) == {5}
    files = {path.name for path in (FLICKR8K / "images").iterdir()}
    assert len(files) == 8091 and {image.file for image in found.images} <= files
    assert read_photograph(FLICKR8K / "images" / found.images[0].file, 128).std() > 10
