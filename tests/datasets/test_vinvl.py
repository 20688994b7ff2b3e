"""Captions of VinVL downloads as one manifest: splits of a data set, several data sets, and what does not fit together."""

import json

import pytest
from published_runs import VINVL_SPLITS, write_vinvl

from vldeformer.datasets.vinvl import VinvlPart, VinvlSource
from vldeformer.errors import InputError

SPLITS = ("train", "val", "test")


def part(name):
    captions = {split: f"{name}/{name}_ir/{split}_captions.pt" for split in SPLITS}
    keys = {split: f"{name}/{name}_ir/{split}_img_keys.tsv" for split in SPLITS}
    return VinvlPart(features=f"{name}/model_0060000", captions=captions, keys=keys)


def source(*names, expected=None):
    parts = {name: part(name) for name in names}
    return VinvlSource(source="vinvl", name="ours", raw_dir="raw", parts=parts, expected_splits=expected)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    for seed, name in enumerate(("coco", "flickr30k")):
        write_vinvl(folder / name, name, seed=seed)
    return folder


def keys_of(raw, name, split):
    return (raw / name / f"{name}_ir" / f"{split}_img_keys.tsv").read_text().split()


def test_the_splits_of_one_data_set_keep_its_ids(raw):
    manifest = source("coco").read(raw)
    assert manifest.dataset == "ours" and manifest.splits == VINVL_SPLITS
    expected = [(image_id, split) for split in SPLITS for image_id in keys_of(raw, "coco", split)]
    assert [(image.id, image.split) for image in manifest.images] == expected
    assert len(manifest.captions) == 5 * len(manifest.images)


def test_several_data_sets_come_one_after_the_other_under_ids_of_their_own(raw):
    manifest = source("coco", "flickr30k", expected={split: 2 * n for split, n in VINVL_SPLITS.items()}).read(raw)
    tests = [image.id for image in manifest.images if image.split == "test"]
    wanted = [f"{name}:{image_id}" for name in ("coco", "flickr30k") for image_id in keys_of(raw, name, "test")]
    assert tests == wanted


def test_other_counts_than_expected_are_refused(raw):
    with pytest.raises(InputError, match=r"raw.*: expected images \{'train': 7\}, the keys of its captions list"):
        source("coco", expected={"train": 7}).read(raw)


def test_captions_of_images_without_features_are_refused(raw, tmp_path):
    write_vinvl(tmp_path / "coco", "coco")
    path = tmp_path / "coco" / "model_0060000" / "imageid2idx.json"
    rows = json.loads(path.read_text())
    lost = keys_of(tmp_path, "coco", "val")[2]
    rows["1"] = rows.pop(lost)
    path.write_text(json.dumps(rows))
    with pytest.raises(InputError, match=rf"val_img_keys\.tsv: image '{lost}' is not in .*imageid2idx\.json"):
        source("coco").read(tmp_path)


def test_keys_and_captions_must_be_of_the_same_splits():
    with pytest.raises(ValueError, match="the splits of captions, train"):
        VinvlPart(features="f", captions={"train": "a.pt"}, keys={"test": "b.tsv"})
