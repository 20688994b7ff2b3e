"""Raw files → manifest, pixels, regions and word pieces."""

import json

import numpy as np
import PIL.Image
import pytest
from published_runs import write_vinvl

from vldeformer.cli import main
from vldeformer.content_digest import digest
from vldeformer.data.manifest import Manifest
from vldeformer.data.photographs import PhotographStore
from vldeformer.data.pixels import PixelStore

PHOTOS = {
    "source": "karpathy", "name": "photos", "raw_dir": "raw", "annotations": "photos.json", "images": "pictures",
    "image_size": 32, "captions_per_image": 2,
}  # fmt: skip


LACKING = "no image is in {}: a training needs train and val, a judgement test"


def photos(tmp_path, **changes):
    """A data set of three photographs, and the settings file to read it."""
    (tmp_path / "raw" / "pictures").mkdir(parents=True)
    rows = []
    for number, split in enumerate(["train", "val", "test"]):
        pixels = np.full((40, 60, 3), 80 * number, dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / "raw" / "pictures" / f"p{number}.png")
        sentences = [{"raw": f"caption {turn} of {number}"} for turn in range(2)]
        rows.append({"filename": f"p{number}.png", "split": split, "sentences": sentences})
    (tmp_path / "raw" / "photos.json").write_text(json.dumps({"images": rows}))
    (tmp_path / "settings.json").write_text(json.dumps({"dataset": PHOTOS | changes}))
    return tmp_path


def own(tmp_path, **changes):
    """The same photographs as a user's own folder: one has three captions, one has one, one has none."""
    photos(tmp_path)
    lines = ["image,caption,split", "p2.png,الأول,test", "p0.png,a,train", "p2.png,b,test", "p2.png,c,test", "p0.png,d,train"]
    (tmp_path / "raw" / "captions.csv").write_text("\n".join(lines), encoding="utf-8")
    dataset = {
        "source": "folder", "name": "own", "raw_dir": "raw", "captions": "captions.csv", "images": "pictures", "image_size": 32,
    }  # fmt: skip
    (tmp_path / "settings.json").write_text(json.dumps({"dataset": dataset | changes}))
    return tmp_path


def prepare(folder):
    arguments = ["prepare", "--settings", folder / "settings.json", "--raw-dir", folder / "raw", "--out", folder / "prepare"]
    return main([*map(str, arguments)])


def test_of_a_vinvl_download_every_file_that_was_read_is_recorded(tmp_path):
    write_vinvl(tmp_path / "raw", "coco")
    splits = ("train", "val", "test")
    captions, keys = ({split: f"coco_ir/{split}_{file}" for split in splits} for file in ("captions.pt", "img_keys.tsv"))
    part = {"features": "model_0060000", "captions": captions, "keys": keys}
    dataset = {"source": "vinvl", "name": "ours", "raw_dir": "raw", "parts": {"coco": part}}
    (tmp_path / "settings.json").write_text(json.dumps({"dataset": dataset}))
    assert prepare(tmp_path) == 0
    record = json.loads((tmp_path / "prepare" / "provenance.json").read_text())
    read = {item["path"]: item["sha256"] for item in record["inputs"].values()}
    files = [tmp_path / "raw" / file for file in (*captions.values(), *keys.values(), "model_0060000/imageid2idx.json")]
    assert read == {str(file): digest(file) for file in files}


def test_photographs_become_one_store(tmp_path, capsys):
    assert prepare(photos(tmp_path)) == 0
    assert "no image is in" not in capsys.readouterr().err
    store = PixelStore(tmp_path / "prepare" / "pixels")
    assert store.ids == ["p0", "p1", "p2"] and store.size == (32, 32)
    assert [int(store[name].mean()) for name in store.ids] == [0, 80, 160]


def test_photographs_as_they_are_are_pointed_to(tmp_path):
    assert prepare(photos(tmp_path, photographs="as_they_are", image_size=None)) == 0
    assert {path.name for path in (tmp_path / "prepare" / "pixels").iterdir()} == {"photographs.json", "digests.json"}
    store = PhotographStore(tmp_path / "prepare" / "pixels")
    assert store.ids == ["p0", "p1", "p2"] and store["p2"].shape == (40, 60, 3) and int(store["p2"].mean()) == 160
    assert Manifest.load(tmp_path / "prepare" / "manifest.json").splits == {"train": 1, "val": 1, "test": 1}


@pytest.mark.parametrize("kind", [{}, {"photographs": "as_they_are", "image_size": None}])
def test_an_own_folder_is_a_data_set(tmp_path, capsys, kind):
    assert prepare(own(tmp_path, **kind)) == 0
    first = f"1 photographs have no caption and are left out, {tmp_path / 'raw' / 'pictures' / 'p1.png'} first"
    assert capsys.readouterr().err.splitlines()[:2] == [first, LACKING.format("val")]
    manifest = Manifest.load(tmp_path / "prepare" / "manifest.json")
    assert [image.id for image in manifest.images] == ["p2.png", "p0.png"] and manifest.captions[0].text == "الأول"
    assert manifest.caption_image_index.tolist() == [0, 0, 0, 1, 1]
    store = (PhotographStore if kind else PixelStore)(tmp_path / "prepare" / "pixels")
    assert store.ids == ["p2.png", "p0.png"] and int(store["p2.png"].mean()) == 160


def test_the_published_numbers_of_images_are_checked_when_asked_for(tmp_path, capsys):
    assert prepare(photos(tmp_path, expected_splits={"train": 1, "val": 1, "test": 2})) == 2
    assert "expected 1 train / 1 val / 2 test images, found 1 train / 1 val / 1 test" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_photograph_that_cannot_be_read_leaves_nothing(tmp_path, capsys, damage):
    path = photos(tmp_path) / "raw" / "pictures" / "p1.png"
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:60])
    before = sorted(tmp_path.iterdir())
    assert prepare(tmp_path) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if "vldeformer: " in line]
    assert len(errors) == 1 and str(path) in errors[0]
    assert sorted(tmp_path.iterdir()) == before


def test_preparing_and_describing_twice_gives_the_same_bytes(tiny, write_settings, tmp_path, monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)
    settings = str(write_settings())
    raw, prepared = tmp_path / "raw" / "scenes.jsonl", tmp_path / "prepare"
    assert main(["fetch", "scenes", "--settings", settings, "--out", str(raw)]) == 0
    assert raw.read_bytes() == (tiny.raw / "scenes.jsonl").read_bytes()
    assert main(["prepare", "--settings", settings, "--raw-dir", str(raw.parent), "--out", str(prepared)]) == 0
    assert digest(prepared) == digest(tiny.prepare)
    arguments = ["--raw-dir", raw.parent, "--prepared", prepared, "--out", tmp_path / "features"]
    assert main(["features", "--settings", settings, *map(str, arguments)]) == 0
    assert digest(tmp_path / "features") == digest(tiny.features)


def test_words_are_learned_from_training_captions_and_tags_alone(tiny, write_settings, tmp_path, manifest, region_store):
    from vldeformer.inputs.tokens import WordPieces

    out = tmp_path / "tokenizer.json"
    arguments = ["--settings", write_settings(), "--manifest", tiny.manifest, "--features", tiny.regions, "--out", out]
    assert main(["vocabulary", *map(str, arguments)]) == 0
    assert out.read_bytes() == tiny.tokenizer.read_bytes()
    seen = [caption.text for caption in manifest.split("pretrain", "train").captions]
    assert WordPieces.learn(seen + region_store.words, 300).tokenizer.get_vocab() == WordPieces.load(out).tokenizer.get_vocab()


def test_scenes_of_other_settings_are_refused(tiny, write_settings, tmp_path, capsys):
    world = {"pretrain_images": 24, "train_images": 16, "val_images": 8, "test_images": 11, "image_size": 64, "seed": 5}
    settings = write_settings(dataset={"world": world})
    assert main(["prepare", "--settings", str(settings), "--raw-dir", str(tiny.raw), "--out", str(tmp_path / "prepare")]) == 2
    assert "'test': 11} scenes, found" in capsys.readouterr().err


def test_photographs_are_not_a_world_of_scenes(tmp_path, capsys):
    assert main(["fetch", "scenes", "--settings", str(photos(tmp_path) / "settings.json"), "--out", str(tmp_path / "x")]) == 2
    assert "expected dataset.source scenes, got karpathy" in capsys.readouterr().err
