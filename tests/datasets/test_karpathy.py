"""Karpathy's layout: what is read, and what is refused with file and image; the published files themselves."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from vldeformer.data.manifest import Manifest
from vldeformer.data.photographs import open_photograph
from vldeformer.datasets.coco_captions import read_coco_captions
from vldeformer.datasets.karpathy import KarpathySource, read_karpathy
from vldeformer.datasets.public_datasets import PUBLIC_DATASETS
from vldeformer.errors import InputError

SHARED = Path(__file__).parents[3] / "shared" / "data"
# First, tenth and last image: id, split, file, its first caption, its last caption's id and text. The captions are not ours
# to print: of each, the first digits of its sha256.
FLICKR30K = [
    ("1000092795", "train", "1000092795.jpg", "3f106ec97d1e", "1000092795#4", "59a9df024bbc"),
    ("1001545525", "train", "1001545525.jpg", "00f954b38788", "1001545525#4", "b1f2c93967be"),
    ("998845445", "train", "998845445.jpg", "318d2b8c936a", "998845445#4", "96b51b4c767e"),
]  # fmt: skip
COCO = [
    ("139", "val", "val2017/000000000139.jpg", "f444c140b5a6", "139#4", "d4152bda50c5"),
    ("1000", "train", "val2017/000000001000.jpg", "379c3e648b0c", "1000#4", "f2a3cc20a330"),
    ("581781", "train", "val2017/000000581781.jpg", "03eab4b62e1b", "581781#4", "1611dc90c686"),
]  # fmt: skip


def published(name):
    """Skips a test where that data set's files are not at hand."""
    return pytest.mark.skipif(not (SHARED / name).is_dir(), reason=f"../shared/data/{name} is not here")


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


def test_a_target_set_apart_shares_no_image_with_the_pretraining(tmp_path):
    rows = [row(f"{n}.jpg", split) for n, split in enumerate(["train", "val", "restval", "test", "train", "train", "train"])]
    write(tmp_path, *rows)
    keys = {"source": "karpathy", "name": "x", "raw_dir": "raw", "images": "i", "image_size": 64, "captions_per_image": 2}
    whole = KarpathySource(**keys, annotations="dataset.json")
    apart = whole.model_copy(update={"target_images": 2})
    splits = ["pretrain", "val", "pretrain", "test", "pretrain", "train", "train"]
    assert [image.split for image in apart.read(tmp_path).images] == splits
    assert apart.read(tmp_path).captions == whole.read(tmp_path).captions
    assert "target_images" not in whole.model_dump()
    with pytest.raises(InputError, match=r"5 training images; dataset\.target_images must be less, got 5"):
        whole.model_copy(update={"target_images": 5}).read(tmp_path)


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


def test_the_id_of_a_coco_image_is_its_number_as_text(tmp_path):
    path = write(tmp_path, row("COCO_val2014_000000391895.jpg", "restval", filepath="val2014", cocoid=391895))
    found = read_karpathy(path, "coco", 5)
    assert [(image.id, image.split, image.file) for image in found.images] == [
        ("391895", "train", "val2014/COCO_val2014_000000391895.jpg")
    ]
    assert found.captions[4].id == "391895#4"


def test_the_numbers_of_images_can_be_checked(tmp_path):
    path = write(tmp_path, row("a.jpg"), row("b.jpg", "restval"), row("c.jpg", "val"), row("d.jpg", "test"))
    assert read_karpathy(path, "photos", 5, {"train": 2, "val": 1, "test": 1}).splits == {"train": 2, "val": 1, "test": 1}
    for expected in ({"train": 2, "val": 2, "test": 1}, {"train": 2, "val": 1}):
        with pytest.raises(InputError) as caught:
            read_karpathy(path, "photos", 5, expected)
        said = " / ".join(f"{number} {name}" for name, number in expected.items())
        assert str(caught.value) == (
            f"{path}: expected {said} images, found 2 train / 1 val / 1 test; "
            "use the published file, or change dataset.expected_splits"
        )


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


def records(manifest, *rows):
    """Images of those rows, and of each the first and the last caption."""
    captions = {image_id: [] for image_id in manifest.image_rows}
    for caption in manifest.captions:
        captions[caption.image_id].append(caption)
    for image in (manifest.images[row] for row in rows):
        first, last = captions[image.id][0], captions[image.id][-1]
        yield image.id, image.split, image.file, short(first.text), last.id, short(last.text)


def short(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@published("flickr8k")
def test_flickr8k_itself():
    """The folder holds 8,091 photographs; the annotation file splits 8,000 of them. The manifest's bytes are fixed."""
    found = read_karpathy(SHARED / "flickr8k" / "dataset_flickr8k.json", "flickr8k", 5, PUBLIC_DATASETS["flickr8k"].splits)
    assert found.splits == {"train": 6000, "val": 1000, "test": 1000}
    assert set(Counter(caption.image_id for caption in found.captions).values()) == {5}
    files = {path.name for path in (SHARED / "flickr8k" / "images").iterdir()}
    assert len(files) == 8091 and {image.file for image in found.images} <= files
    assert np.asarray(open_photograph(SHARED / "flickr8k" / "images" / found.images[0].file)).std() > 10
    assert found.digest == "bb993c4e574535f2f481833271dcfdd6516ae70df02e0ca51ca455155ec5f5bf"


@published("flickr30k")
def test_the_whole_of_flickr30k(tmp_path):
    found = read_karpathy(SHARED / "flickr30k" / "dataset_flickr30k.json", "flickr30k", 5, PUBLIC_DATASETS["flickr30k"].splits)
    assert (len(found.images), len(found.captions)) == (31_014, 155_070)
    assert found.splits == {"train": 29_000, "val": 1_014, "test": 1_000}
    assert list(records(found, 0, 9, -1)) == FLICKR30K
    test = found.split("test")
    assert (len(test.images), len(test.captions)) == (1_000, 5_000)
    assert test.caption_image_index.tolist() == [row for row in range(1_000) for _ in range(5)]
    test.save(tmp_path / "manifest.json")
    assert Manifest.load(tmp_path / "manifest.json") == test


@published("coco")
def test_coco_val2017_reads_the_same_in_both_layouts():
    """25,014 captions: 12 images have six and one has seven."""
    own = read_coco_captions(SHARED / "coco" / "captions_val2017.json", "coco", "test")
    assert (len(own.images), len(own.captions)) == (5_000, 25_014)
    assert Counter(Counter(caption.image_id for caption in own.captions).values()) == {5: 4_987, 6: 12, 7: 1}
    karpathy = read_karpathy(SHARED / "coco" / "dataset_coco_val2017.json", "coco", 5)
    assert (len(karpathy.images), len(karpathy.captions)) == (5_000, 25_000)
    assert list(records(karpathy, 0, 9, -1)) == COCO
    said = {image.id: set() for image in own.images}
    for caption in own.captions:
        said[caption.image_id].add(caption.text)
    assert {image.id for image in karpathy.images} == said.keys()
    assert all(caption.text in said[caption.image_id] for caption in karpathy.captions)


@published("coco")
def test_the_published_lists_of_coco_make_its_five_thousand(tmp_path):
    """dataset_coco.json as it is, with Karpathy's images of val and test and, for train, some that say so."""
    rows, listed = [], {}
    for split in ("val", "test"):
        lines = (SHARED / "coco" / f"karpathy_{split}_images.txt").read_text().splitlines()
        listed[split] = [line.split() for line in lines]
        for file, number in listed[split]:
            folder, name = file.split("/")
            rows.append(row(name, split, 5 + (int(number) % 400 == 0), filepath=folder, cocoid=int(number)))
    rows += [row(f"COCO_train2014_{n:012}.jpg", ("train", "restval")[n % 2], filepath="train2014", cocoid=n) for n in (1, 2, 3)]
    path = write(tmp_path, *rows)
    found = read_karpathy(path, "coco", 5, {"train": 3, "val": 5_000, "test": 5_000})
    for split, images in listed.items():
        part = found.split(split)
        assert [(image.file, image.id) for image in part.images] == [tuple(image) for image in images]
        assert len(part.captions) == 25_000
    with pytest.raises(InputError, match=r"expected 113,287 train / 5,000 val / 5,000 test images, found 3 train / 5,000 val"):
        read_karpathy(path, "coco", 5, PUBLIC_DATASETS["coco"].splits)
