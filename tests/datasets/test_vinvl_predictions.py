"""The detector's words: one an object, in the file's order, whatever the order of the rows."""

import json
import shutil
from pathlib import Path

import pytest
from vinvl_files import detect, write_features

from vldeformer.datasets.vinvl_predictions import read_tags
from vldeformer.datasets.vinvl_rows import open_vinvl
from vldeformer.errors import InputError

IMAGES = [detect(str(100 + number), boxes, bare=number % 2 == 1) for number, boxes in enumerate([3, 1, 5, 2])]
SHARED = Path(__file__).parents[3] / "shared" / "fixtures" / "vinvl_tiny"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_features(tmp_path_factory.mktemp("vinvl") / "download", IMAGES, lineidx=False)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 0, 3, 1]])
@pytest.mark.parametrize("lineidx", [True, False])
def test_tags_belong_to_their_images_in_any_order_of_rows(tmp_path, order, lineidx):
    tags = read_tags(open_vinvl(write_features(tmp_path, IMAGES, lineidx, predictions_order=order)))
    assert [tags[row] for row in range(4)] == [image.tags for image in IMAGES]


def test_it_tells_how_much_was_read(written):
    read = []
    read_tags(open_vinvl(written), read.append)
    assert sum(read) == (written / "predictions.tsv").stat().st_size


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not here: no recorded download to compare with")
def test_the_recorded_download_reads_as_a_plain_loop_reads_it():
    download = open_vinvl(SHARED)
    tags, lines = read_tags(download), (SHARED / "model_0060000" / "predictions.tsv").read_text().splitlines()
    for line in lines:
        name, text = line.split("\t")
        objects = json.loads(text)["objects"]
        assert tags[download.ids.index(name)] == tuple(item["class"] for item in objects)


def objects(*changes, **sides):
    """A prediction of two objects, some of their values changed."""
    given = [{"class": "dog", "rect": [1, 2, 3, 4], "conf": 0.5} for _ in range(2)]
    for change in changes:
        given[1].update(change)
    return json.dumps({"image_h": 480, "image_w": 640, "objects": given} | sides)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("102", objects()[:-9], "expected JSON, got something else"),
        ("102", "", "expected JSON, got something else"),
        ("102", "5", "expected a list of objects with class and rect"),
        ("102", "{}", "expected a list of objects with class and rect"),
        ("102", '["dog"]', "expected a list of objects with class and rect"),
        ("102", '[{"class": "dog"}]', "expected a list of objects with class and rect"),
        ("102", "[]", "expected one or more objects with four finite numbers as rect"),
        ("102", objects({"class": 3}), "expected a word as the class of every object, got 3"),
        ("102", objects({"class": " "}), "expected a word as the class of every object, got ' '"),
        ("102", objects({"rect": [1, 2, 3]}), "expected a list of objects with class and rect"),
        ("102", objects({"rect": [1, 2, 3, "x"]}), "expected a list of objects with class and rect"),
        ("102", objects({"rect": [1, 2, 3, float("nan")]}), "expected JSON, got something else"),
        ("102", objects({"rect": [1, 2, 3, None]}), "four finite numbers as rect"),
        ("102", "[" * 100_000, "expected JSON, got something else"),
        (
            "102",
            objects({"rect": [1, 2, 700, 4]}),
            "a rect lies outside the image of 640 x 480 pixels; image_w or image_h is wrong",
        ),
        ("102", objects(image_w=0), "expected image_h and image_w in pixels, got 480 and 0"),
        ("102", objects(image_h="480"), "expected image_h and image_w in pixels, got '480' and 640"),
        ("99", objects(), "not in "),
        ("101", objects(), "comes a second time; ids must be unique"),
    ],
)
def test_a_bad_row_is_named(written, tmp_path, name, text, expected):
    folder = shutil.copytree(written, tmp_path / "download")
    lines = (folder / "predictions.tsv").read_text().splitlines()
    (folder / "predictions.tsv").write_text("\n".join([*lines[:2], f"{name}\t{text}", lines[3]]) + "\n")
    with pytest.raises(InputError) as caught:
        read_tags(open_vinvl(folder))
    assert str(caught.value).startswith(f"{folder / 'predictions.tsv'}: row 3, image {name!r}: ")
    assert expected in str(caught.value) and "\n" not in str(caught.value)


def test_an_image_without_predictions_is_named(written, tmp_path):
    folder = shutil.copytree(written, tmp_path / "download")
    lines = (folder / "predictions.tsv").read_text().splitlines()
    (folder / "predictions.tsv").write_text("\n".join(lines[:-1]))
    with pytest.raises(InputError, match=r"predictions.tsv: image '103' is row 4 of .*features.tsv, but has no row here"):
        read_tags(open_vinvl(folder))
