"""COCO's own layout of captions: order, ids, and what is refused."""

import json

import pytest

from vldeformer.datasets.coco_captions import read_coco_captions
from vldeformer.errors import InputError

IMAGES = [{"id": 139, "file_name": "a.jpg"}, {"id": 7, "file_name": "b.jpg"}]
ANNOTATIONS = [
    {"id": 30, "image_id": 7, "caption": "A  cat\non a mat."},
    {"id": 20, "image_id": 139, "caption": "كلب"},
    {"id": 10, "image_id": 7, "caption": "One cat."},
    {"id": 40, "image_id": 139, "caption": "Two dogs."},
]


def write(path, images=IMAGES, annotations=ANNOTATIONS):
    path.write_text(json.dumps({"info": {}, "images": images, "annotations": annotations}))
    return path


def test_images_and_captions_keep_the_order_of_the_file_and_their_numbers(tmp_path):
    manifest = read_coco_captions(write(tmp_path / "c.json"), "coco", "val")
    assert [(image.id, image.split, image.file) for image in manifest.images] == [("139", "val", "a.jpg"), ("7", "val", "b.jpg")]
    found = [(caption.id, caption.image_id, caption.text) for caption in manifest.captions]
    assert found == [("20", "139", "كلب"), ("40", "139", "Two dogs."), ("30", "7", "A cat on a mat."), ("10", "7", "One cat.")]


def test_only_the_first_captions_count_if_asked(tmp_path):
    manifest = read_coco_captions(write(tmp_path / "c.json"), "coco", "val", captions_per_image=1)
    assert [caption.id for caption in manifest.captions] == ["20", "30"]


@pytest.mark.parametrize(
    ("images", "annotations", "expected"),
    [
        (IMAGES, ANNOTATIONS[:3], "image '139' has 1 captions, expected 2"),
        (IMAGES[:1], ANNOTATIONS, "caption '30' belongs to image '7', which is not listed"),
        (IMAGES, [{"image_id": 7, "caption": "x"}], "expected COCO's layout"),
        (IMAGES, [*ANNOTATIONS, {"id": 50, "image_id": 7, "caption": " "}], None),
        ([3], ANNOTATIONS, "expected COCO's layout"),
    ],
)
def test_wrong_files_are_named(tmp_path, images, annotations, expected):
    path = write(tmp_path / "c.json", images, annotations)
    if expected is None:  # only if the empty one is among those that count
        assert len(read_coco_captions(path, "coco", "val", captions_per_image=2).captions) == 4
        path, expected = write(tmp_path / "c.json", images, annotations[4:]), "has 0 captions, expected 2"
    with pytest.raises(InputError) as caught:
        read_coco_captions(path, "coco", "val", captions_per_image=2)
    assert expected in str(caught.value) and str(path) in str(caught.value)
