"""Oscar checkpoints: what comes out equals the released computation, and anything else than a checkpoint is refused."""

import json
import pickle
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from released_oscar import ReleasedOscar
from safetensors.torch import load_file
from vinvl_files import PIECES, WORDS, write_checkpoint, write_download

from vldeformer.cli import main
from vldeformer.errors import InputError
from vldeformer.models.dual import DualEncoder
from vldeformer.models.importing import import_model
from vldeformer.models.joint import JointMatcher
from vldeformer.models.oscar_import import DROPPED, key_table
from vldeformer.models.pooling import pool
from vldeformer.models.weights import load_model
from vldeformer.retrieval.reader import open_encoder, open_matcher
from vldeformer.runtime import this_machine
from vldeformer.steps.import_features import import_features

LONG = " ".join([*WORDS, *WORDS, *WORDS])
TEXTS = ["a man on a street", "", LONG, " ".join(LONG.split()[:67]), " ".join(LONG.split()[:68]), " ".join(LONG.split()[:30])]


@pytest.fixture(scope="module")
def download(tmp_path_factory):
    """A download, and the store and the model folder that are imported from it."""
    folder = tmp_path_factory.mktemp("vinvl")
    detected = write_download(folder / "download", images=4)
    weights = folder / "download" / "checkpoint" / "pytorch_model.bin"
    # Larger matrices, so that every word and region matters.
    tensors = torch.load(weights, weights_only=True)
    torch.save({name: tensor * 3 if tensor.ndim > 1 else tensor for name, tensor in tensors.items()}, weights)
    import_features(folder / "download" / "model_0060000", out=folder / "store", dtype="float32")
    assert main(["import-weights", str(folder / "download" / "checkpoint"), "--out", str(folder / "model")]) == 0
    return folder, detected


@pytest.fixture(scope="module")
def released(download):
    tensors = torch.load(download[0] / "download" / "checkpoint" / "pytorch_model.bin", weights_only=True)
    return ReleasedOscar(tensors, 4, {piece: number for number, piece in enumerate(PIECES)})


def features(image):
    return torch.from_numpy(np.hstack([image.features, image.boxes]))


def test_vectors_before_normalising_are_the_released_ones_alone_and_together(download, released):
    folder, detected = download
    encoder, reader = open_encoder(folder / "model", folder / "store", this_machine())
    assert encoder.pooling == "mean_all" and encoder.dropout.p == 0.1 and not encoder.training
    assert {len(image.boxes) for image in detected} == {3, 7, 10, 75}

    def vectors(texts, ids):
        backbone = encoder.backbone
        with torch.no_grad():
            text = backbone.encode(replace(backbone.text_sequence(reader.text.read(texts)), whole=True))
            image = backbone.encode(replace(backbone.visual_sequence(reader.visual.read(ids)), whole=True))
            return torch.tanh(pool(text, "mean_all")), torch.tanh(pool(image, "mean_all"))

    ids = [image.id for image in detected]
    texts, images = vectors(TEXTS, ids)
    assert torch.allclose(texts, torch.stack([released.of_text(text) for text in TEXTS]), atol=1e-5)
    expected = torch.stack([released.of_image(features(image), image.tags) for image in detected])
    assert torch.allclose(images, expected, atol=1e-5)
    for row, image_id in enumerate(ids):
        text, image = vectors([TEXTS[row]], [image_id])
        assert torch.allclose(text[0], texts[row], atol=1e-6) and torch.allclose(image[0], images[row], atol=1e-6)


def test_joint_logits_are_the_released_ones_whatever_room_a_caption_leaves_to_the_tags(download, released):
    folder, detected = download
    matcher, reader = open_matcher(folder / "model", folder / "store", this_machine())
    for image in (detected[0], detected[2]):
        read = reader.visual.read([image.id] * len(TEXTS))
        with torch.no_grad():
            found = matcher.logits(reader.text.read(TEXTS), read)
        expected = torch.stack([released.logits(text, features(image), image.tags) for text in TEXTS])
        assert torch.allclose(found, expected, atol=1e-5)
        assert found.std(0).min() > 1e-3, "captions matter"


def test_one_folder_gives_both_readings_of_the_same_weights(download):
    folder, _ = download
    model, description, words = load_model(folder / "model")
    assert isinstance(model, JointMatcher) and description.kind == "joint" and len(words) == len(PIECES)
    settings = description.backbone
    lengths = (settings.caption_tokens, settings.tag_tokens, settings.regions, settings.joint_tokens)
    assert lengths == (35, 35, 70, 70) and settings.positions == 128 and description.feature_width == 2054
    encoder, matcher = (of(folder / "model", folder / "store", this_machine())[0] for of in (open_encoder, open_matcher))
    joint, dual = matcher.backbone.state_dict(), encoder.backbone.state_dict()
    assert joint.keys() == dual.keys() and all(torch.equal(joint[name], dual[name]) for name in joint)


def test_every_tensor_of_the_checkpoint_is_in_the_model_folder_and_nothing_else(download):
    folder, _ = download
    theirs = torch.load(folder / "download" / "checkpoint" / "pytorch_model.bin", weights_only=True)
    ours, table = load_file(folder / "model" / "model.safetensors"), dict(key_table(2, True, True))
    assert table.keys() == theirs.keys() and set(table.values()) == ours.keys() and len(table) == len(set(table.values()))
    assert all(torch.equal(ours[here], theirs[there]) for there, here in table.items())


@pytest.mark.parametrize("head", ["pretraining", "none"])
def test_a_checkpoint_without_matching_head_is_a_dual_encoder_only(tmp_path, download, head, capsys):
    write_checkpoint(tmp_path / "checkpoint", head=head, image_norm=head == "none")
    model, description, _ = import_model(tmp_path / "checkpoint", "mean")
    assert isinstance(model, DualEncoder) and description.pooling == "mean"
    assert any("region_norm" in name for name in model.state_dict()) == (head == "none")
    assert main(["import-weights", str(tmp_path / "checkpoint"), "--out", str(tmp_path / "model")]) == 0
    with pytest.raises(InputError, match="no matching head, and so no joint scores"):
        open_matcher(tmp_path / "model", download[0] / "store", this_machine())


def test_without_region_norm_the_projection_is_read_as_it_is(tmp_path, download):
    folder, detected = download
    checkpoint = write_checkpoint(tmp_path / "checkpoint", image_norm=False)
    tensors = torch.load(checkpoint / "pytorch_model.bin", weights_only=True)
    slow = ReleasedOscar(tensors, 4, {piece: number for number, piece in enumerate(PIECES)})
    matcher, reader = open_matcher(checkpoint, folder / "store", this_machine())
    with torch.no_grad():
        found = matcher.logits(reader.text.read(TEXTS[:1]), reader.visual.read([detected[0].id]))
    assert torch.allclose(found[0], slow.logits(TEXTS[0], features(detected[0]), detected[0].tags), atol=1e-5)


@pytest.mark.parametrize("place", ["file", "folder", "below"])
def test_the_released_file_of_bert_alone_is_read_with_what_lies_beside_it(tmp_path, place):
    checkpoint = write_checkpoint(tmp_path / "run", head="none")
    (checkpoint / "pytorch_model.bin").rename(checkpoint / "model.cpkt")
    given = checkpoint
    if place == "file":
        given = checkpoint / "model.cpkt"
    if place == "below":
        (checkpoint / "best").mkdir()
        given = (checkpoint / "model.cpkt").rename(checkpoint / "best" / "model.cpkt")
    model, description, _ = import_model(given)
    assert isinstance(model, DualEncoder) and description.pooling == "mean_all"


@pytest.fixture
def checkpoint(download, tmp_path):
    return shutil.copytree(download[0] / "download" / "checkpoint", tmp_path / "checkpoint")


def refusal(checkpoint, capsys):
    """The one line that the command ends with; nothing is left behind."""
    out = checkpoint.parent / "made" / "model"
    assert main(["import-weights", str(checkpoint), "--out", str(out)]) == 2
    assert not out.parent.exists() or not any(out.parent.iterdir())
    said = capsys.readouterr().err
    assert said.startswith("vldeformer: ") and said.count("\n") == 1
    return said


def changed(checkpoint, **tensors):
    """The weights with other tensors; None takes one away."""
    path = checkpoint / "pytorch_model.bin"
    found = torch.load(path, weights_only=True) | {name.replace("__", "."): tensor for name, tensor in tensors.items()}
    torch.save({name: tensor for name, tensor in found.items() if tensor is not None}, path)
    return path


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("bert__pooler__dense__bias", None, "1 tensors missing, first 'bert.pooler.dense.bias'"),
        ("bert__LayerNorm__weight", None, "1 tensors missing, first 'bert.LayerNorm.weight'"),
        ("bert__encoder__layer__2__output__dense__bias", torch.zeros(48), "first 'bert.encoder.layer.2.output.dense.bias'"),
        ("cls__surprise", torch.zeros(1), "first 'cls.surprise'"),
        ("module__bert__pooler__dense__bias", torch.zeros(48), "first 'module.bert.pooler.dense.bias'"),
        (
            "bert__img_embedding__weight",
            torch.zeros(48, 2048),
            "'bert.img_embedding.weight' has shape (48, 2048), expected (48, 2054)",
        ),
        ("bert__img_embedding__bias", torch.full((48,), torch.nan), "'bert.img_embedding.bias' holds NaN or infinity"),
        ("classifier__bias", torch.full((2,), 1e300, dtype=torch.float64), "'classifier.bias' holds NaN or infinity"),
        ("classifier__bias", torch.zeros(2, dtype=torch.int64), "'classifier.bias' holds torch.int64, expected plain floats"),
        ("classifier__bias", torch.ones(2).to_sparse(), "'classifier.bias' holds torch.sparse_coo, expected plain floats"),
        ("classifier__weight", torch.zeros(3, 48), "has shape (3, 48), expected (2, 48)"),
    ],
)
def test_a_missing_unknown_or_misshaped_tensor_is_named(checkpoint, capsys, name, value, expected):
    path = changed(checkpoint, **{name: value})
    said = refusal(checkpoint, capsys)
    assert str(path) in said and expected in said


def test_known_heads_are_dropped_by_name(checkpoint):
    changed(checkpoint, **{name.replace(".", "__"): torch.zeros(1) for name in DROPPED})
    assert isinstance(import_model(checkpoint)[0], JointMatcher)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"hidden_act": "relu"}, "hidden_act is 'relu'; only 'gelu' can be imported"),
        ({"type_vocab_size": 3}, "type_vocab_size is 3"),
        ({"vocab_size": 30522}, f"vocab_size is 30522; only {len(PIECES)}"),
        ({"img_feature_type": "dis_code"}, "img_feature_type is 'dis_code'"),
        ({"attention_probs_dropout_prob": 0.5}, "attention_probs_dropout_prob is 0.5; only 0.1"),
        ({"img_feature_dim": None}, "img_feature_dim is missing"),
        ({"img_feature_dim": -1}, "img_feature_dim is -1"),
        ({"num_attention_heads": 5}, "config.json: num_attention_heads: expected a divisor of hidden, 48, got 5"),
        ({"hidden_size": "wide"}, "hidden_size: expected a valid integer"),
        ({"num_hidden_layers": 3}, "tensors missing, first 'bert.encoder.layer.2."),
        ({"max_position_embeddings": 60}, "config.json: max_position_embeddings is 60; expected at least 70"),
        ({"layer_norm_eps": ...}, "layer_norm_eps is missing"),
    ],
)
def test_a_config_that_is_not_built_here_is_named(checkpoint, capsys, change, expected):
    path = checkpoint / "config.json"
    values = json.loads(path.read_text()) | change
    path.write_text(json.dumps({name: value for name, value in values.items() if value is not ...}))
    assert expected in refusal(checkpoint, capsys)


class Code:
    def __reduce__(self):
        return (print, ("this ran",))


@pytest.mark.parametrize("how", ["torch", "pickle"])
def test_a_file_that_carries_code_is_refused_and_not_run(checkpoint, capsys, how):
    path = checkpoint / "pytorch_model.bin"
    if how == "torch":
        torch.save({"bert.pooler.dense.bias": Code()}, path)
    else:
        path.write_bytes(pickle.dumps(Code()))
    assert main(["import-weights", str(checkpoint), "--out", str(checkpoint / "out")]) == 2
    said = capsys.readouterr()
    assert "refused" in said.err and str(path) in said.err and said.err.count("\n") == 1 and "this ran" not in said.out


@pytest.mark.parametrize("keep", [0, 100, -100])
def test_a_file_that_is_cut_short_is_refused(checkpoint, capsys, keep):
    path = checkpoint / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[:keep])
    said = refusal(checkpoint, capsys)
    assert "pytorch_model.bin" in said and "damaged" in said


def test_a_text_file_given_as_weights_is_called_damaged_too(checkpoint, capsys):
    assert "vocab.txt: refused: it is damaged or holds something else" in refusal(checkpoint / "vocab.txt", capsys)


@pytest.mark.parametrize("name", ["config.json", "vocab.txt", "pytorch_model.bin"])
def test_a_missing_file_is_named(checkpoint, capsys, name):
    (checkpoint / name).unlink()
    assert name in refusal(checkpoint, capsys)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"[PAD]\na\na\n", "'a' comes twice"), (b"[PAD]\na\n", "[UNK] [CLS] [SEP] [MASK] missing"), (b"\xff\xfe", "UTF-8")],
)
def test_a_vocabulary_that_is_none(checkpoint, capsys, content, expected):
    (checkpoint / "vocab.txt").write_bytes(content)
    assert expected in refusal(checkpoint, capsys)


def test_a_cased_vocabulary_says_so_beside_it(checkpoint):
    (checkpoint / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    numbers = import_model(checkpoint)[2].encode(["a A"], 9)[0]
    assert numbers == [PIECES.index(piece) for piece in ("[CLS]", "a", "[UNK]", "[SEP]")]


def test_what_is_no_model_at_all(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert "expected a model, found none of encoder.json" in refusal(tmp_path / "empty", capsys)


def test_a_model_folder_is_not_imported_twice(download, capsys):
    assert main(["import-weights", str(download[0] / "model"), "--out", str(download[0] / "again")]) == 2
    assert "already a model folder" in capsys.readouterr().err
