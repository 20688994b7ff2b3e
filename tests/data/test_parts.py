"""Datasets under prefixed ids: the same images, captions and regions as in the parts, and no feature copied."""

import json
import shutil

import numpy as np
import pytest

from vldeformer.cli import main
from vldeformer.content_digest import digest
from vldeformer.data.manifest import Manifest
from vldeformer.data.parts import JoinedRegionStore, join_manifests, join_region_stores, open_region_store
from vldeformer.data.records import Caption, Image, Regions
from vldeformer.data.regions import RegionStore, write_regions
from vldeformer.errors import InputError

WORDS = {"coco": ("dog", "cat"), "flickr": ("tree", "dog"), "sbu": ("bus",)}


def regions(seed, words, width):
    generator = np.random.default_rng(seed)
    return Regions(generator.random((2, width), dtype=np.float32), generator.random((2, 4), dtype=np.float32), words)


def write_store(folder, words, width=3):
    write_regions(folder, [(str(row), regions(row, words, width)) for row in range(2)], width)
    return folder


@pytest.fixture
def parts(tmp_path):
    return {name: write_store(tmp_path / "stores" / name, words) for name, words in WORDS.items()}


def manifest(name, files=(None, None)):
    images = [Image(str(row), ("train", "test")[row], files[row]) for row in range(2)]
    return Manifest(
        name, tuple(images), tuple(Caption(f"{i}#{n}", f"{i}", f"{name} {i} {n}") for i in range(2) for n in range(2))
    )


def test_manifests_are_joined_under_prefixed_ids():
    joined = join_manifests({"coco": manifest("c", ("0.jpg", "1.jpg")), "flickr": manifest("f")})
    assert joined.dataset == "coco+flickr" and joined.splits == {"train": 2, "test": 2}
    assert [(image.id, image.split, image.file) for image in joined.images] == [
        ("coco:0", "train", "0.jpg"),
        ("coco:1", "test", "1.jpg"),
        ("flickr:0", "train", None),
        ("flickr:1", "test", None),
    ]
    assert [caption.text for caption in joined.captions] == [f"{name} {i} {n}" for name in "cf" for i in (0, 1) for n in (0, 1)]
    assert joined.captions[-1] == Caption("flickr:1#1", "flickr:1", "f 1 1")


def test_a_joined_store_answers_as_its_parts_do(tmp_path, parts):
    join_region_stores(tmp_path / "joined" / "store", parts)
    store = open_region_store(tmp_path / "joined" / "store")
    assert isinstance(store, JoinedRegionStore)
    assert (len(store), store.feature_width, store.words) == (6, 3, ["dog", "cat", "tree", "bus"])
    assert store.ids == ["coco:0", "coco:1", "flickr:0", "flickr:1", "sbu:0", "sbu:1"]
    for image_id in store.ids:
        name, row = image_id.split(":")
        read, expected = store[image_id], RegionStore(parts[name])[row]
        assert isinstance(read.features.base.base, np.memmap) and read.tags == expected.tags
        np.testing.assert_array_equal(read.features, expected.features)
        np.testing.assert_array_equal(read.boxes, expected.boxes)


def test_no_feature_is_copied_and_they_may_move_together(tmp_path, parts):
    join_region_stores(tmp_path / "joined", parts)
    assert {path.name for path in (tmp_path / "joined").iterdir()} == {"parts.json", "digests.json"}
    (tmp_path / "elsewhere").mkdir()
    shutil.move(tmp_path / "joined", tmp_path / "elsewhere" / "joined")
    shutil.move(tmp_path / "stores", tmp_path / "elsewhere" / "stores")
    assert open_region_store(tmp_path / "elsewhere" / "joined")["sbu:1"].tags == ("bus",)


def test_a_joined_store_can_be_a_part(tmp_path, parts):
    join_region_stores(tmp_path / "sbu", {"00": parts["sbu"], "01": parts["coco"]})
    join_region_stores(tmp_path / "all", {"flickr": parts["flickr"], "sbu": tmp_path / "sbu"})
    store = open_region_store(tmp_path / "all")
    assert store.ids[2:] == ["sbu:00:0", "sbu:00:1", "sbu:01:0", "sbu:01:1"]
    assert store["sbu:01:1"].tags == ("dog", "cat")


def test_a_plain_store_is_opened_as_one(parts):
    assert isinstance(open_region_store(parts["coco"]), RegionStore)


@pytest.mark.parametrize("image_id", ["coco:9", "0", "vg:0", "coco", ""])
def test_an_unknown_image_is_named(tmp_path, parts, image_id):
    join_region_stores(tmp_path / "joined", parts)
    with pytest.raises(InputError, match=f"image '{image_id}' is not in the region store joined of coco, flickr, sbu"):
        open_region_store(tmp_path / "joined")[image_id]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda parts, folder: {}, "nothing to join"),
        (lambda parts, folder: {"a:b": parts["coco"]}, "name 'a:b': expected a name without a colon"),
        (lambda parts, folder: {"": parts["coco"]}, "name '': expected a name"),
        (
            lambda parts, folder: parts | {"vg": folder / "nowhere"},
            "stores/nowhere: expected a region store .the part 'vg' of .*/joined., found none",
        ),
        (
            lambda parts, folder: parts | {"vg": write_store(folder / "wide", ("bus",), 4)},
            "/joined: expected features of one width in all parts, got .*'sbu': 3, 'vg': 4",
        ),
    ],
)
def test_what_cannot_be_joined_is_refused_and_leaves_nothing(tmp_path, parts, change, expected):
    with pytest.raises(InputError, match=expected):
        join_region_stores(tmp_path / "joined", change(parts, tmp_path / "stores"))
    assert [path.name for path in tmp_path.iterdir()] == ["stores"]


@pytest.mark.parametrize("value", [{"coco": "x"}, ["coco"], 3, [["coco", 5]]])
def test_a_list_of_parts_that_is_none(tmp_path, value):
    (tmp_path / "parts.json").write_text(json.dumps(value))
    with pytest.raises(InputError, match=r"parts.json: expected name, path and digest of each part"):
        open_region_store(tmp_path)


def test_manifests_need_names():
    with pytest.raises(InputError, match="without a colon"):
        join_manifests({"a:b": manifest("c")})


def test_another_part_gives_another_digest_of_the_joined_store(tmp_path):
    digests = []
    for words in (("dog", "cat"), ("dog", "cat"), ("dog", "bus")):
        join_region_stores(tmp_path / "joined", {"coco": write_store(tmp_path / "part", words)})
        digests.append(digest(tmp_path / "joined"))
    assert digests[0] == digests[1] != digests[2]


def test_two_stores_of_one_folder_name_are_refused(tmp_path, parts, capsys):
    store = parts["coco"]
    again = shutil.copytree(store, tmp_path / "again" / store.name)
    assert main(["join-features", str(store), str(again), "--out", str(tmp_path / "joined")]) == 2
    assert "two stores have one folder name" in capsys.readouterr().err and not (tmp_path / "joined").exists()
