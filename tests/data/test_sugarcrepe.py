"""SugarCrepe's files: read in their published layout, one line for what is wrong, and images found by COCO's numbers."""

import json

import pytest

from vldeformer.data.records import Image
from vldeformer.data.sugarcrepe import CompositionalItem, image_ids_by_file, read_items, write_items
from vldeformer.errors import InputError

ROW = {"filename": "000000085329.jpg", "caption": "A dog on a mat.", "negative_caption": "A cat on a mat."}


def write(folder, subset, value):
    (folder / f"{subset}.json").write_text(value if isinstance(value, str) else json.dumps(value))


def test_items_in_the_published_layout(tmp_path):
    write(tmp_path, "swap_att", {"10": ROW, "2": ROW | {"caption": "A red dog."}, "extra": ROW})
    write(tmp_path, "replace_obj", {"0": ROW})
    (tmp_path / "provenance.json").write_text("{}")
    found = read_items(tmp_path)
    assert [(item.subset, item.key) for item in found] == [
        ("replace_obj", "0"), ("swap_att", "2"), ("swap_att", "10"), ("swap_att", "extra"),
    ]  # fmt: skip
    assert found[0] == CompositionalItem("replace_obj", "0", "000000085329.jpg", "A dog on a mat.", "A cat on a mat.")


def test_what_is_written_is_read(tmp_path):
    items = [CompositionalItem("add_rel", str(n), f"{n}.png", f"a star {n}", f"a star {n} at the top") for n in range(12)]
    write_items(tmp_path, items)
    assert read_items(tmp_path) == items
    assert json.loads((tmp_path / "add_rel.json").read_text())["3"] == {
        "filename": "3.png", "caption": "a star 3", "negative_caption": "a star 3 at the top",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('{"0": ', "expected JSON"),
        ([ROW], "expected items by number, got list"),
        ({"0": ROW | {"filename": 3}}, "item '0': expected 'filename' as a text, got '3'"),
        ({"0": {"filename": "a.jpg", "caption": "a"}}, "item '0': expected 'negative_caption' as a text, got 'None'"),
        ({"7": ROW | {"caption": " "}}, "item '7': expected 'caption' as a text"),
        ({"7": "text"}, "item '7': expected 'filename' as a text"),
        ({"7": ROW | {"caption": "\ud800"}}, "item '7': expected whole characters"),
        ({}, "found no item"),
    ],
)
def test_a_bad_file_is_named(tmp_path, value, expected):
    write(tmp_path, "replace_att", value)
    with pytest.raises(InputError) as error:
        read_items(tmp_path)
    assert expected in str(error.value) and str(tmp_path) in str(error.value) and "\n" not in str(error.value)


def test_images_are_found_by_number_name_or_id():
    images = [
        Image("85329", "test"), Image("COCO_val2014_000000000139", "test", "val2014/COCO_val2014_000000000139.jpg"),
        Image("test-000003", "test"), Image("coco:42", "test"), Image("own.dog", "test", "folder/dog.png"),
    ]  # fmt: skip
    files = [
        "000000085329.jpg",
        "000000000139.jpg",
        "test-000003.png",
        "000000000042.jpg",
        "dog.png",
        "own.dog",
        "000000000007.jpg",
    ]
    assert image_ids_by_file(files, images) == dict(
        zip(files, ["85329", "COCO_val2014_000000000139", "test-000003", "coco:42", "own.dog", "own.dog"], strict=False)
    )


def test_two_images_of_one_number_are_refused():
    images = [Image("coco:7", "test"), Image("flickr30k:7", "test")]
    with pytest.raises(InputError, match="images 'coco:7' and 'flickr30k:7' have that number"):
        image_ids_by_file(["000000000007.jpg"], images)


def test_images_of_one_name_in_two_folders_are_told_apart_by_their_paths_or_refused():
    images = [Image(path, "test", path) for path in ("a/001.png", "b/001.png", "b/001.jpg", "b/002.png")]
    files = ["a/001.png", "b/001.png", "b/001.jpg", "002.jpg", "./b/002.png"]
    found = image_ids_by_file(files, images)
    assert found == dict(zip(files, ["a/001.png", "b/001.png", "b/001.jpg", "b/002.png", "b/002.png"], strict=True))
    assert image_ids_by_file(["c/001.png", "a/002.png", "000001.png", "."], images) == {}, "of no folder here, nor COCO's"
    for file, first in (("001.png", "a/001.png"), ("b/001.jpeg", "b/001.jpg")):
        with pytest.raises(InputError, match=f"file '{file}': images '{first}' and 'b/001.[a-z]+' have that name"):
            image_ids_by_file([file], images)
