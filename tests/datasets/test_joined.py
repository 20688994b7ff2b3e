"""Several Karpathy files as one data set: ids of their own, files below one folder, counts of all together."""

import pytest
from published_runs import write_karpathy

from vldeformer.datasets.joined import JoinedSource
from vldeformer.errors import InputError

SPLITS = {"train": 20, "val": 8, "test": 12}


def source(expected):
    parts = {
        "coco": {"annotations": "coco/dataset_coco.json", "images": "coco/images"},
        "flickr30k": {"annotations": "flickr30k/dataset_flickr30k.json", "images": "flickr30k/images"},
    }
    values = {"source": "joined", "name": "both", "raw_dir": "raw", "parts": parts, "captions_per_image": 5}
    return JoinedSource.model_validate(values | {"expected_splits": expected})


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    write_karpathy(folder / "coco", "dataset_coco.json", "train2014")
    write_karpathy(folder / "flickr30k", "dataset_flickr30k.json", "")
    return folder


def test_every_image_has_an_id_of_its_part_and_a_file_that_is_there(raw):
    manifest = source(SPLITS).read(raw)
    assert manifest.dataset == "both" and len(manifest.captions) == 5 * 40
    assert [image.id.split(":")[0] for image in manifest.images] == ["coco"] * 20 + ["flickr30k"] * 20
    assert manifest.images[0].file == "coco/images/train2014/COCO_000000000000.jpg"
    assert all((raw / image.file).is_file() for image in manifest.images)


def test_other_counts_than_expected_are_refused(raw):
    with pytest.raises(
        InputError, match=r"expected images \{'train': 7\}, the parts' files have \{'train': 20, 'val': 8, 'test': 12\}"
    ):
        source({"train": 7}).read(raw)
