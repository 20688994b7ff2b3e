"""A joint matcher whose lower layers read captions and images apart, through the stages: trained, continued, scored, timed."""

import json

import pytest

from vldeformer.cli import main
from vldeformer.content_digest import digest
from vldeformer.models.joint import JointMatcher
from vldeformer.models.weights import load_model
from vldeformer.retrieval.embeddings import Scores
from vldeformer.retrieval.reader import open_matcher

PARTLY = {"kind": "joint", "joint_layers": 1}


@pytest.fixture(scope="module")
def partly(tmp_path_factory, command, write_settings):
    out = tmp_path_factory.mktemp("partly") / "train"
    assert command("train", write_settings(train=PARTLY), out) == 0
    return out


def test_the_model_keeps_its_depth(partly):
    model, description, _ = load_model(partly / "model")
    assert isinstance(model, JointMatcher) and (model.apart, description.joint_layers, model.backbone.layers) == (1, 1, 2)


def test_a_training_that_was_killed_continues(partly, command, write_settings, tmp_path, monkeypatch):
    import vldeformer.training.tasks as tasks

    settings, real, calls = write_settings(train=PARTLY), tasks.mismatched, []

    def killed(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(tasks, "mismatched", killed)
    assert command("train", settings, tmp_path / "parts") == 130
    assert command("train", settings, tmp_path / "parts") == 0
    assert len(calls) == 4 + 2, "two of the four steps were not done again"
    weights = [(folder / "model" / "model.safetensors").read_bytes() for folder in (partly, tmp_path / "parts")]
    assert weights[0] == weights[1]


def test_as_many_joint_layers_as_there_are_is_the_joint_model(partly, command, write_settings, tmp_path):
    for name, layers in (("null", None), ("all", 2)):
        assert command("train", write_settings(train=PARTLY | {"joint_layers": layers}), tmp_path / name) == 0
    whole, same = ((tmp_path / name / "model" / "model.safetensors").read_bytes() for name in ("null", "all"))
    assert whole == same != (partly / "model" / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (3, "joint_layers is 3, but the backbone has 2 layers"),
        (0, "train.joint_layers: expected greater than or equal to 1"),
    ],
)
def test_a_depth_that_does_not_exist_is_refused(command, write_settings, tmp_path, capsys, layers, expected):
    assert command("train", write_settings(train=PARTLY | {"joint_layers": layers}), tmp_path / "out") == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and expected in errors[0] and not (tmp_path / "out").exists()


def test_it_scores_all_pairs(partly, command, write_settings, tmp_path):
    assert command("score", write_settings(), tmp_path / "score", "--model", partly / "model") == 0
    assert Scores.load(tmp_path / "score").scores.shape == (6, 30)


def test_each_depth_is_timed_an_item_and_a_pair(partly, command, write_settings, tmp_path):
    out = tmp_path / "pair_time.json"
    assert command("pair-time", write_settings(), out, "--model", partly / "model") == 0
    found = json.loads(out.read_text())
    assert (found["layers"], found["joint_layers"], found["n_images"], found["n_captions"]) == (2, 1, 10, 50)
    assert (found["sampled_pairs"], found["sampled_images"], found["sampled_captions"]) == (2 * 10, 4, 6)
    assert min(found["image_ms"], found["caption_ms"], found["pair_ms"]) > 0 and found["device"] == "cpu"
    total = found["image_ms"] * 10 + found["caption_ms"] * 50 + found["pair_ms"] * 500
    assert found["seconds"] == pytest.approx(total / 1e3)
    record = json.loads((tmp_path / "pair_time.provenance.json").read_text())
    assert record["inputs"]["model"]["sha256"] == digest(partly / "model") and record["settings"].keys() == {"speed", "runtime"}


def test_what_has_no_matching_head_has_no_pair_time(model_folder, command, write_settings, tmp_path, capsys):
    assert command("pair-time", write_settings(), tmp_path / "out.json", "--model", model_folder("oscar")) == 2
    assert "no matching head" in capsys.readouterr().err and not (tmp_path / "out.json").exists()


def test_it_leaves_no_room_of_a_caption_to_tags(partly, tiny, runtime):
    assert open_matcher(partly / "model", tiny.regions, runtime)[1].text.most_tokens == 24


def test_a_time_is_not_measured_for_a_file_that_cannot_be_written(tiny, tmp_path, capsys):
    given = ["--settings", tmp_path / "none", "--manifest", tiny.manifest, "--features", tiny.regions, "--out", tmp_path]
    for command, models in (("pair-time", ["--model", tmp_path]), ("speed", ["--joint", tmp_path, "--dual", tmp_path])):
        assert main([command, *map(str, [*given, *models])]) == 2
        assert f"{tmp_path}: expected the name of a file to write, got a folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
