"""Models of the hub, written by transformers itself: their grid, their classes, and what is refused."""

import json
import shutil

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from vision_models import PATCH, SIDE, photograph, save_vision_model

from vldeformer.errors import InputError
from vldeformer.extractors.hub import HubNetwork, as_map
from vldeformer.extractors.settings import HubRegions

CELLS = SIDE // PATCH
KINDS = {"resnet": 1, "vit": CELLS, "vit_plain": CELLS, "dinov2": CELLS, "clip": CELLS, "siglip": CELLS, "swin": 4}
"""Kind → rows and columns of its grid."""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """``saved(kind)``: folder and model, made once."""
    made = {}

    def save(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp("hub") / kind
            made[kind] = folder, save_vision_model(folder, kind)
        return made[kind]

    return save


def settings(folder, **changes):
    return HubRegions(kind="hub", model=str(folder), dtype="float32", **{"grid": 1} | changes)


def refusal(folder, **changes):
    with pytest.raises(InputError) as caught:
        HubNetwork.open(settings(folder, **changes))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_patches_in_their_places_without_special_tokens(saved, kind):
    folder, model = saved(kind)
    network = HubNetwork.open(settings(folder))
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    square = photograph(4, SIDE, SIDE)
    given = processor(square, do_resize=False, do_center_crop=False, return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(network.preparation(square), given, rtol=0, atol=1e-5)
    body = getattr(model, "vision_model", None) or getattr(model, "vit", None) or getattr(model, "resnet", None) or model
    with torch.inference_mode():
        feature_map, logits = network(given)
        states = body(pixel_values=given).last_hidden_state
        scores = model(pixel_values=given).logits if network.words else None
    rows = feature_map.shape[2]
    assert feature_map.shape[2:] == (rows, rows) and rows in (KINDS[kind], 4)
    if states.ndim == 4:
        expected = states
    else:
        special = {"vit": 1, "vit_plain": 1, "dinov2": 1 + 4, "clip": 1, "siglip": 0, "swin": 0}[kind]
        assert states.shape[1] == special + rows * rows
        expected = torch.empty_like(feature_map)
        for row in range(rows):
            for column in range(rows):
                expected[0, :, row, column] = states[0, special + row * rows + column]
    torch.testing.assert_close(feature_map, expected, rtol=0, atol=1e-6)
    if kind in ("vit", "resnet"):
        assert network.words == ("tench", "golden retriever", ""), "a class without a name becomes no tag"
        torch.testing.assert_close(logits, scores, rtol=0, atol=1e-6)
    else:
        assert network.words == () and logits is None


@pytest.mark.parametrize("kind", ["vit", "resnet", "clip"])
def test_a_network_is_rebuilt_from_its_layout_without_its_folder(saved, kind, tmp_path):
    folder = shutil.copytree(saved(kind)[0], tmp_path / "model")
    network = HubNetwork.open(settings(folder))
    shutil.rmtree(folder)
    again = HubNetwork.rebuild(json.loads(json.dumps(network.layout())))
    again.load_state_dict(network.state_dict())
    pixels = network.preparation(photograph(1))
    with torch.inference_mode():
        found, expected = again.eval()(pixels), network(pixels)
    assert again.preparation == network.preparation and torch.equal(found[0], expected[0])


def test_threads_do_not_see_each_others_images(saved):
    from concurrent.futures import ThreadPoolExecutor

    network = HubNetwork.open(settings(saved("vit")[0]))
    images = [network.preparation(photograph(seed)) for seed in range(12)]

    def read(pixels):
        with torch.inference_mode():
            return network(pixels)[0].numpy()

    alone = [read(pixels) for pixels in images]
    with ThreadPoolExecutor(4) as pool:
        for found, expected in zip(pool.map(read, images), alone, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_a_grid_that_is_finer_than_the_map(saved):
    assert f"its feature map is {CELLS} x {CELLS}; expected regions.grid of at most {CELLS}, got 5" in refusal(
        saved("vit_plain")[0], grid=5
    )


def test_a_model_without_a_grid_says_so(tmp_path, monkeypatch):
    save_vision_model(tmp_path, "vit_plain")
    real = transformers.ViTModel.forward

    def pooled(self, *given, **named):
        output = real(self, *given, **named)
        output.last_hidden_state = output.last_hidden_state.mean(1)
        return output

    monkeypatch.setattr(transformers.ViTModel, "forward", pooled)
    assert "expected a grid of patches or a feature map as last states, got shape (1, 32): it has no regions" in refusal(tmp_path)


@pytest.mark.parametrize("shape", [(1, 50, 7), (1, 15, 7), (1, 7), None])
def test_states_without_a_grid(shape):
    states = None if shape is None else torch.zeros(shape)
    with pytest.raises(InputError, match="expected a grid of patches or a feature map"):
        as_map(states, 20, transformers.ViTConfig(image_size=20, patch_size=5))


def test_tokens_that_are_no_grid_are_refused(tmp_path):
    folder = tmp_path / "text"
    transformers.BertModel(
        transformers.BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=9)
    ).save_pretrained(folder)
    save_vision_model(tmp_path / "vit", "vit_plain")
    assert "expected preprocessor_config.json or processor_config.json, found none" in refusal(folder)
    shutil.copy(tmp_path / "vit" / "preprocessor_config.json", folder)
    assert "expected a model of images, it does not take one" in refusal(folder)


def test_weights_must_be_safetensors_and_complete(tmp_path):
    save_vision_model(tmp_path, "vit")
    weights = tmp_path / "model.safetensors"
    stored = load_file(weights)
    name = "vit.layernorm.weight" if "vit.layernorm.weight" in stored else min(name for name in stored if "norm" in name)
    save_file({key: value for key, value in stored.items() if key != name}, weights, metadata={"format": "pt"})
    assert f"1 tensors are missing, first {name!r}; get the whole model again" in refusal(tmp_path)
    save_file(stored | {name: torch.zeros(3)}, weights, metadata={"format": "pt"})
    assert "1 tensors are of another shape" in refusal(tmp_path)
    weights.write_bytes(weights.read_bytes()[:500])
    assert "expected a vision model, cannot read it" in refusal(tmp_path)
    weights.rename(tmp_path / "pytorch_model.bin")
    assert "expected model.safetensors, found none" in refusal(tmp_path)


def test_a_processor_without_a_square_input_is_refused(tmp_path):
    save_vision_model(tmp_path, "vit_plain")
    path = tmp_path / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"size": {"height": 32, "width": 48}}))
    assert "expected an image processor with a square input" in refusal(tmp_path)
    assert "no such folder" in refusal(tmp_path / "nowhere")
