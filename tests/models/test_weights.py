"""Model folders: the same model comes back, and anything else is refused in one line."""

import json
import math
import shutil

import pytest
import torch
from older_files import forget
from safetensors.torch import load_file, save_file
from tiny_settings import SECTIONS, backbone

from vldeformer.errors import InputError
from vldeformer.models.dual import DualEncoder
from vldeformer.models.joint import JointMatcher
from vldeformer.models.weights import ModelDescription, build_model, copy_backbone, load_model, save_model


def describe(words, region_store, kind="dual", **changes):
    return ModelDescription(
        kind=kind,
        backbone=backbone(**changes),
        vocabulary_size=len(words),
        feature_width=region_store.feature_width + 6,
        pooling="mean",
        pooling_dropout=0.25,
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory, words, region_store):
    folder = tmp_path_factory.mktemp("model") / "model"
    description = describe(words, region_store)
    save_model(folder, build_model(description), description, words)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "model")


def refusal(folder):
    with pytest.raises(InputError) as caught:
        load_model(folder)
    assert "\n" not in str(caught.value) and str(folder) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["joint", "dual"])
@pytest.mark.parametrize("reads", ["oscar", "vilt", "visualbert"])
def test_what_is_saved_comes_back(tmp_path, words, region_store, kind, reads):
    description = ModelDescription(
        kind=kind, backbone=backbone(reads), vocabulary_size=len(words),
        feature_width=region_store.feature_width + 6, pooling="mean_all", pooling_dropout=0.25,
    )  # fmt: skip
    model = build_model(description)
    save_model(tmp_path / "model", model, description, words)
    loaded, found, pieces = load_model(tmp_path / "model")
    assert isinstance(loaded, JointMatcher if kind == "joint" else DualEncoder) and not loaded.training
    assert found == description and pieces.encode(["a ring"], 9) == words.encode(["a ring"], 9)
    before, after = model.state_dict(), loaded.state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    if isinstance(loaded, DualEncoder):
        assert (loaded.pooling, loaded.dropout.p) == ("mean_all", 0.25)
    names = sorted(path.name for path in (tmp_path / "model").iterdir())
    assert names == ["digests.json", "encoder.json", "model.safetensors", "tokenizer.json"]


@pytest.mark.parametrize("reads", ["oscar", "vilt", "visualbert"])
def test_a_description_of_format_1_had_the_keys_of_all_kinds_and_is_still_read(tmp_path, words, region_store, reads):
    description = ModelDescription(
        kind="dual", backbone=backbone(reads), vocabulary_size=len(words), feature_width=region_store.feature_width + 6,
        pooling="mean", pooling_dropout=0.25,
    )  # fmt: skip
    save_model(tmp_path / "model", build_model(description), description, words)
    path = forget(tmp_path / "model") / "encoder.json"
    values = json.loads(path.read_text())
    assert values["format"] == 2
    everything = {
        "tag_tokens": 12, "joint_tokens": None, "regions": 6, "region_norm": True, "region_norm_eps": 1e-12, "patch_size": 16,
        "crop_size": 48, "keep_aspect": False, "text_model": None,
    }  # fmt: skip
    path.write_text(json.dumps(values | {"format": 1, "backbone": everything | values["backbone"]}))
    assert load_model(tmp_path / "model")[1] == description
    path.write_text(json.dumps(values | {"format": 1, "backbone": everything | values["backbone"] | {"colour": "red"}}))
    assert "backbone.colour: is unknown" in refusal(tmp_path / "model")


def test_a_missing_extra_or_misshaped_tensor_is_named(folder):
    path = forget(folder) / "model.safetensors"
    tensors = load_file(path)
    name = "backbone.region_norm.weight"
    for changed, expected in [
        ({key: value for key, value in tensors.items() if key != name}, f"1 tensors missing, first '{name}'"),
        (tensors | {"other": torch.zeros(1)}, "1 tensors left over, first 'other'"),
        (tensors | {name: torch.zeros(5)}, f"tensor '{name}' has shape (5,), expected (32,)"),
        (tensors | {name: torch.ones(32, dtype=torch.int8)}, f"tensor '{name}' holds torch.int8, expected plain floats"),
        (tensors | {name: torch.full((32,), torch.nan)}, f"tensor '{name}' holds NaN or infinity"),
    ]:
        save_file(changed, path)
        assert expected in refusal(folder)


@pytest.mark.parametrize("keep", [0, 4, 1000, -1])
def test_truncated_weights(folder, keep):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    assert "model.safetensors: expected a safetensors file" in refusal(folder)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"format": 3}, "format: expected 2, got 3"),
        ({"kind": "triple", "colour": "red"}, "kind: expected 'joint' or 'dual', got 'triple'"),
        ({"colour": "red"}, "colour: is unknown"),
        ({"backbone": {"kind": "oscar"}}, "backbone.layers: is missing"),
        ({"backbone": SECTIONS["backbone"] | {"patch_size": 16}}, "backbone.patch_size: is unknown"),
        ({"backbone": SECTIONS["backbone"] | {"heads": 5}}, "backbone.heads: expected a divisor of hidden, 32, got 5"),
        ({"vocabulary_size": "many" * 99}, "vocabulary_size: expected a valid integer"),
        ({"feature_width": 0}, "feature_width: expected greater than or equal to 1, got 0"),
    ],
)
def test_a_foreign_description_is_refused_for_the_first_thing_that_is_wrong(folder, change, expected):
    path = forget(folder) / "encoder.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    said = refusal(folder).removeprefix(str(path))
    assert said.startswith(f": not a model description of this version; {expected}") and len(said) < 200


@pytest.mark.parametrize(("content", "expected"), [("[]", "not a model description"), ("{", "expected JSON")])
def test_a_description_that_is_none(folder, content, expected):
    (forget(folder) / "encoder.json").write_text(content)
    assert expected in refusal(folder)


@pytest.mark.parametrize("name", ["encoder.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file(folder, name):
    (folder / name).unlink()
    assert name in refusal(folder)


def test_words_of_another_model(folder, words):
    from vldeformer.inputs.tokens import WordPieces

    WordPieces.learn(["red blue green"], 100).save(forget(folder) / "tokenizer.json")
    assert f"says {len(words)}" in refusal(folder)


def test_no_folder(tmp_path):
    assert "expected a model folder" in refusal(tmp_path / "nothing")


def test_separate_weights_and_a_learned_temperature_come_back(tmp_path, words, region_store):
    changes = {"shared_weights": False, "initial_temperature": 0.07, "pooling": "mean_max"}
    description = describe(words, region_store).model_copy(update=changes)
    model = build_model(description)
    with torch.no_grad():
        next(model.image_backbone.parameters()).add_(1.0)
        model.log_temperature.add_(0.5)
    save_model(tmp_path / "model", model, description, words)
    loaded, found, _ = load_model(tmp_path / "model")
    before, after = model.state_dict(), loaded.state_dict()
    assert (
        found == description and loaded.temperature.item() == pytest.approx(0.07 * math.exp(0.5)) and loaded.embedding_size == 64
    )
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    assert not torch.equal(next(loaded.backbone.parameters()), next(loaded.image_backbone.parameters()))


def test_a_description_from_before_separate_weights_is_of_shared_ones(folder):
    path = forget(folder) / "encoder.json"
    values = json.loads(path.read_text())
    assert values.pop("shared_weights") is True and values.pop("initial_temperature") is None
    path.write_text(json.dumps(values))
    model, description, _ = load_model(folder)
    assert description.shared_weights and model.image_backbone is None and model.temperature is None
    path.write_text(json.dumps(values | {"shared_weights": False}))
    assert "tensors missing, first 'image_backbone." in refusal(folder)


def test_a_model_of_other_sizes_cannot_be_started_from(words, region_store):
    small, wide = (build_model(describe(words, region_store, intermediate=width)) for width in (64, 128))
    with pytest.raises(InputError, match=r"start from: tensor .* has shape \(128, 32\), expected \(64, 32\)"):
        copy_backbone(wide, small)


@pytest.mark.parametrize("kind", ["joint", "dual"])
def test_starting_copies_the_backbone_and_a_matchers_head(words, region_store, kind):
    source, target = build_model(describe(words, region_store, "joint")), build_model(describe(words, region_store, kind))
    copy_backbone(source, target)
    expected = source.state_dict()
    assert all(torch.equal(expected[name], tensor) for name, tensor in target.state_dict().items())
    with torch.no_grad():
        next(source.parameters()).zero_()
    assert next(target.parameters()).any(), "a copy"


def test_a_shared_start_mixes_matrices_and_takes_over_biases_and_norms(words, region_store):
    source, target = build_model(describe(words, region_store, "joint")), build_model(describe(words, region_store))
    given = source.backbone.state_dict()
    fresh = {name: tensor.clone() for name, tensor in target.backbone.state_dict().items()}
    copy_backbone(source, target, share=0.25)
    for name, weight in target.backbone.named_parameters():
        expected = 0.25 * given[name] + 0.75 * fresh[name] if weight.dim() > 1 else given[name]
        torch.testing.assert_close(weight.detach(), expected)


@pytest.mark.parametrize("kind", ["joint", "dual"])
def test_separate_weights_both_start_from_the_one_backbone(words, region_store, kind):
    separate = describe(words, region_store).model_copy(update={"shared_weights": False, "initial_temperature": 0.07})
    source, target = build_model(describe(words, region_store, kind)), build_model(separate)
    copy_backbone(source, target)
    expected = source.backbone.state_dict()
    for part in (target.backbone, target.image_backbone):
        assert all(torch.equal(expected[name], tensor) for name, tensor in part.state_dict().items())
    assert target.temperature.item() == pytest.approx(0.07)


def test_separate_weights_start_separate_ones_and_no_shared_ones(words, region_store):
    separate = describe(words, region_store).model_copy(update={"shared_weights": False})
    source, target = build_model(separate), build_model(separate)
    with torch.no_grad():
        next(source.image_backbone.parameters()).add_(1.0)
    copy_backbone(source, target)
    assert all(torch.equal(tensor, target.state_dict()[name]) for name, tensor in source.state_dict().items())
    for kind in ("joint", "dual"):
        with pytest.raises(InputError, match="separate weights for captions and images; set train"):
            copy_backbone(source, build_model(describe(words, region_store, kind)))


def test_a_depth_comes_back_and_a_description_without_one_is_of_all_layers(tmp_path, words, region_store):
    description = describe(words, region_store, "joint").model_copy(update={"joint_layers": 1})
    save_model(tmp_path / "model", build_model(description), description, words)
    model, found, _ = load_model(tmp_path / "model")
    assert isinstance(model, JointMatcher) and found.joint_layers == 1 and model.apart == SECTIONS["backbone"]["layers"] - 1
    path = forget(tmp_path / "model") / "encoder.json"
    values = json.loads(path.read_text())
    for layers, expected in ((3, "joint_layers is 3, but the backbone has 2 layers"), (0, "joint_layers: expected")):
        path.write_text(json.dumps(values | {"joint_layers": layers}))
        with pytest.raises(InputError, match=expected):
            load_model(tmp_path / "model")
    del values["joint_layers"]
    path.write_text(json.dumps(values))
    whole, found, _ = load_model(tmp_path / "model")
    assert found.joint_layers is None and isinstance(whole, JointMatcher) and whole.apart == 0
