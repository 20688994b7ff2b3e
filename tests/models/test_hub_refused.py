"""A model of the hub that is not whole, not built here or not there: one line each, and no code of it runs."""

import json

import huggingface_hub
import pytest
import torch
from hub_models import save_vilt, save_visualbert
from safetensors.torch import load_file, save_file

from vldeformer.errors import InputError
from vldeformer.models.importing import import_model


@pytest.fixture
def folder(tmp_path):
    save_vilt(tmp_path / "vilt")
    return tmp_path / "vilt"


def refusal(name):
    with pytest.raises(InputError) as caught:
        import_model(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"vilt.pooler.dense.bias": None}, "1 tensors missing, first 'vilt.pooler.dense.bias'"),
        ({"rank_output.bias": None}, "1 tensors missing, first 'rank_output.bias'"),
        ({"surprise": torch.zeros(1)}, "1 tensors left over, first 'surprise'"),
        ({"vilt.pooler.dense.bias": torch.full((32,), torch.nan)}, "tensor 'vilt.pooler.dense.bias' holds NaN or infinity"),
        ({"rank_output.bias": torch.full((1,), -torch.inf)}, "tensor 'rank_output.bias' holds NaN or infinity"),
        ({"vilt.pooler.dense.bias": torch.zeros(5)}, "of another shape than config.json says, first 'vilt.pooler.dense.bias'"),
    ],
)
def test_a_missing_extra_or_misshaped_tensor_is_named(folder, change, expected, capfd):
    path = folder / "model.safetensors"
    tensors = {name: tensor for name, tensor in (load_file(path) | change).items() if tensor is not None}
    save_file(tensors, path, metadata={"format": "pt"})
    said = refusal(folder)
    assert str(path) in said and expected in said
    assert not capfd.readouterr().err, "and nothing else is said"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"architectures": ["CLIPModel"]}, "architecture CLIPModel; expected one of ViltForImageAndTextRetrieval"),
        ({"architectures": None}, "architecture none; expected one of"),
        ({"architectures": "ViltModel"}, "architectures is 'ViltModel'; expected a list"),
        ({"num_attention_heads": 5}, "config.json: num_attention_heads: expected a divisor of hidden, 32, got 5"),
        ({"hidden_act": "relu"}, "hidden_act is 'relu'; only 'gelu'"),
        ({"modality_type_vocab_size": 3}, "modality_type_vocab_size is 3; only 2"),
        ({"vocab_size": 99}, "vocab_size is 99; only"),
        ({"hidden_dropout_prob": 0.1}, "attention_probs_dropout_prob is 0.0; only 0.1"),
        ({"image_size": "large"}, "crop_size: expected a valid integer"),
    ],
)
def test_a_config_that_is_not_built_here_is_named(folder, change, expected):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert expected in refusal(folder)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"image_mean": [0.4, 0.5, 0.5]}, "image_mean is"),
        ({"size": {"shortest_edge": 32}}, "size is"),
        ({"resample": 2}, "resample is 2"),
    ],
)
def test_an_image_processor_that_does_something_else_is_named(folder, change, expected):
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    said = refusal(folder)
    assert str(path) in said and expected in said


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[]", "got list"),
        ("{", "expected JSON"),
        ('{"size": "large"}', "expected the settings of a ViLT image processor"),
    ],
)
def test_an_image_processor_that_is_none_is_named(folder, content, expected):
    path = folder / "preprocessor_config.json"
    path.write_text(content)
    said = refusal(folder)
    assert str(path) in said and expected in said


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"max_position_embeddings": "many"}, "max_position_embeddings: expected a valid integer"),
        ({"visual_embedding_dim": 0}, "visual_embedding_dim is 0; expected the width of a region"),
        ({"visual_embedding_dim": None}, "visual_embedding_dim is missing"),
    ],
)
def test_a_wrong_size_of_a_visualbert_is_named_as_its_config_does(tmp_path, change, expected):
    save_visualbert(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert f"{path}: {expected}" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["model.safetensors"], "expected model.safetensors or pytorch_model.bin"),
        (["tokenizer.json", "vocab.txt"], "expected tokenizer.json or vocab.txt"),
        (["preprocessor_config.json"], "expected preprocessor_config.json or processor_config.json"),
    ],
)
def test_a_missing_file_is_named(folder, names, expected):
    for name in names:
        (folder / name).unlink()
    assert f"{folder}: {expected}" in refusal(folder)


class Code:
    def __reduce__(self):
        return (print, ("this ran",))


def test_weights_that_carry_code_are_refused_and_not_run(tmp_path, capsys):
    save_vilt(tmp_path, layout="old")
    torch.save({"vilt.pooler.dense.bias": Code()}, tmp_path / "pytorch_model.bin")
    assert "refused" in refusal(tmp_path) and "this ran" not in capsys.readouterr().out


@pytest.mark.parametrize("keep", [0, 100, -100])
@pytest.mark.parametrize(("layout", "name"), [("new", "model.safetensors"), ("old", "pytorch_model.bin")])
def test_weights_that_are_cut_short_are_refused(tmp_path, layout, name, keep):
    save_vilt(tmp_path, layout=layout)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:keep])
    said = refusal(tmp_path)
    assert f"{name}: expected the weights of a ViltForImageAndTextRetrieval" in said and "cut short or damaged" in said


def test_photographs_cannot_be_averaged_over_their_padding(folder):
    with pytest.raises(InputError, match="mean_all needs inputs of one length"):
        import_model(folder, "mean_all")


@pytest.mark.parametrize("name", ["/nowhere/model", "./model", "../model", "~/model", "raw/run/model.cpkt"])
def test_what_can_only_be_a_path_is_not_looked_for_on_the_hub(name, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", None)
    assert refusal(name) == f"{name}: no such folder or file; expected a model"


def test_what_is_neither_folder_nor_hub_id():
    assert refusal("raw/vinvl base").startswith("raw/vinvl base: no such folder, and no hub id")


def test_without_network_what_to_download_is_said(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between the library's retries
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    for name in ("ENDPOINT", "HUGGINGFACE_CO_URL_TEMPLATE"):
        value = getattr(huggingface_hub.constants, name)
        monkeypatch.setattr(huggingface_hub.constants, name, value.replace("https://huggingface.co", "http://127.0.0.1:9"))
    said = refusal("dandelin/vilt-b32-mlm")
    assert not capfd.readouterr().err and "the hub is not reached" in said and "`hf download dandelin/vilt-b32-mlm`" in said
