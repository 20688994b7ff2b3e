"""What cannot be trained, or not from what is given, is one line."""

import json
import shutil

import pandas as pd
import pytest
from older_files import forget
from tiny_settings import COMPOSED

COSINE = {
    "temperature": 0.1,
    "captions_per_image": 2,
    "control_distillation": {"control": "linear", "weight": 1.0, "temperature": 0.1},
}
CURRICULUM = {"curriculum": {"control": "linear_scratch_text", "stages": [{"step": 0, "share": 1}, {"step": 2, "share": 0.5}]}}
MINED = {"kind": "mined", "epochs": 1, "depth": 2, "limit": None}


@pytest.mark.parametrize(
    ("changes", "more", "expected"),
    [
        ({"train": {"kind": "oracle"}}, [], "train.kind is oracle, which is not trained"),
        ({"train": {"start": "pretrained"}}, [], "train.start is 'pretrained'; give --start"),
        ({}, ["--start", "somewhere"], "train.start is 'scratch'; give --start unless"),
        ({"train": {"hard_negatives": COMPOSED | {"kind": "text"}}}, [], "train.hard_negatives.kind is 'text'; give --negatives"),
        (
            {"train": {"hard_negatives": COMPOSED | {"kind": "text"}}},
            ["--negatives", "nowhere"],
            "vldeformer: nowhere/text.parquet: expected composed negatives, found none; run `vldeformer negatives`",
        ),
        ({}, ["--negatives", "nowhere"], "train.hard_negatives.kind is 'none'; give --negatives exactly if hard"),
        ({}, ["--teacher", "nowhere"], "neither train.distillation nor train.hard_negatives.limit asks for --teacher"),
        (
            {},
            ["--control", "nowhere"],
            "give --control, a decomposed model, exactly if train.curriculum or a control_distillation names one",
        ),
        ({"train": {"kind": "joint"} | CURRICULUM}, [], "give --control, a decomposed model, exactly if"),
        ({"train": {"kind": "joint"} | CURRICULUM}, ["--control", "nowhere"], "nowhere: no such folder"),
        (
            {"train": {"kind": "joint", "curriculum": {"control": "x", "stages": [{"step": 5, "share": 0.1}]}}},
            [],
            "train.curriculum.stages: expected stages from step 0 on, each later than the one before, got steps [5]",
        ),
        (
            {"train": {"kind": "joint", "cosine": COSINE} | CURRICULUM},
            ["--control", "nowhere"],
            "one control for curriculum and cosine.control_distillation, got linear_scratch_text and linear",
        ),
        ({"train": {"hard_negatives": MINED | {"scope": "batch"}}}, [], "train.hard_negatives.scope is unknown"),
        (
            {"train": {"loss": {"kind": "triplet", "margin": 1.0, "learn_temperature": True}}},
            [],
            "train.loss.learn_temperature is unknown",
        ),
        (
            {
                "train": {
                    "loss": {"kind": "triplet", "margin": 1.0},
                    "distillation": {"weight": 0.5, "temperature": 1.0, "candidates": 2},
                }
            },
            [],
            "train: expected a loss with a temperature (infonce or sigmoid), which distillation reads too",
        ),
        ({"train": {"chunk_images": 0}}, [], "train.chunk_images: expected a number of images of at least 1"),
        ({"train": {"chunk_images": -3}}, [], "'auto' or null, got -3"),
        ({"train": {"chunk_images": "most"}}, [], "of at least 1, 'auto' or null, got 'most'"),
        (
            {"train": {"loss": {"kind": "triplet", "margin": float("inf")}}},
            [],
            "train.loss.margin: expected a finite number, got inf",
        ),
        ({"train": {"kind": "joint", "joint_layers": 9}}, [], "json: train.joint_layers is 9, but the backbone has 2 layers"),
        ({"train": {"start": "pretrained"}}, ["--start", "nowhere"], "nowhere: expected a model folder"),
        ({"backbone": {"kind": "vilt"}}, [], "expected a pixel store (backbone.kind is vilt), found no pixels.npy"),
        (
            {"train": {"distillation": {"weight": 0.5, "temperature": 1.0, "candidates": 2}}},
            [],
            "asks for the joint model; give --teacher",
        ),
        (
            {"train": {"hard_negatives": MINED | {"limit": 0.0}}},
            [],
            "asks for the joint model; give --teacher",
        ),
        (
            {"train": {"distillation": {"weight": 0.5, "temperature": 1.0, "candidates": 2}}},
            ["--teacher", "nowhere"],
            "nowhere: expected a model folder",
        ),
        ({"runtime": {"processes": 2}}, [], "runtime.processes is 2 but 1 run"),
        ({"train": {"images": 1}}, [], "train.images: expected greater than or equal to 2, got 1"),
        ({"backbone": {"text_model": "package:no_such_package/x"}}, [], "'no_such_package' is not installed"),
    ],
)
def test_what_cannot_be_trained_is_one_line(command, write_settings, tmp_path, capsys, changes, more, expected):
    assert command("train", write_settings(**changes), tmp_path / "train", *more) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and errors[0].startswith("vldeformer: ") and expected in errors[0]
    assert not (tmp_path / "train").exists()


@pytest.mark.parametrize(("key", "value", "had"), [("intermediate", 128, 64), ("heads", 4, 2), ("region_norm_eps", 1e-5, 1e-12)])
def test_a_start_of_another_architecture_is_refused_also_where_shapes_do_not_tell(
    trained, command, write_settings, tmp_path, capsys, key, value, had
):
    settings = write_settings(train={"start": "pretrained"}, backbone={key: value})
    assert command("train", settings, tmp_path / "train", "--start", trained.pretrain / "model") == 2
    assert (
        f"backbone.{key} is {value}, but the model to start from, {trained.pretrain / 'model'}, has {had}"
        in capsys.readouterr().err
    )


def with_two_words_exchanged(model, folder):
    """A copy of a model folder whose word pieces are as many, and other ones."""
    forget(shutil.copytree(model, folder))
    words = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = words["model"]["vocab"]
    last, before = sorted(vocabulary, key=vocabulary.get)[-2:]
    vocabulary[last], vocabulary[before] = vocabulary[before], vocabulary[last]
    (folder / "tokenizer.json").write_text(json.dumps(words))
    return folder


def test_a_start_of_other_word_pieces_is_refused_also_where_they_are_as_many(
    trained, command, write_settings, tmp_path, tiny, capsys
):
    start = with_two_words_exchanged(trained.pretrain / "model", tmp_path / "start")
    assert command("train", write_settings(train={"start": "pretrained"}), tmp_path / "train", "--start", start) == 2
    expected = f"{start}: the model to start from has other word pieces than {tiny.tokenizer}; give --tokenizer its own"
    assert capsys.readouterr().err == f"vldeformer: {expected}\n"


def test_negatives_of_other_images_are_refused(trained, command, write_settings, tmp_path, manifest, capsys):
    def refusal(kind, folder, **train):
        settings = write_settings(train={"hard_negatives": COMPOSED | {"kind": kind}} | train)
        assert command("train", settings, tmp_path / "train", "--negatives", folder) == 2
        errors = capsys.readouterr().err.splitlines()
        assert len(errors) == 1 and f"{folder}: " in errors[0] and not (tmp_path / "train").exists()
        return errors[0]

    foreign = tmp_path / "foreign"
    foreign.mkdir()
    for name, column in (("text", "caption_id"), ("image", "image_id")):
        table = pd.read_parquet(trained.negatives / f"{name}.parquet")
        table.assign(**{column: "other-" + table[column]}).to_parquet(foreign / f"{name}.parquet")
    assert "no composed caption is of a training caption" in refusal("text", foreign)
    assert "no composed image is of a training image" in refusal("image", foreign)
    assert "which is no training image; compose with negatives.images as train.images" in refusal(
        "both", trained.negatives, images=8
    )
    few = write_settings(negatives={"images": 8})
    assert command("negatives", few, tmp_path / "few") == 0
    settings = write_settings(train={"hard_negatives": COMPOSED, "images": 8})
    assert command("train", settings, tmp_path / "train", "--negatives", tmp_path / "few") == 0


@pytest.mark.parametrize("key", ["caption_tokens", "regions", "tag_tokens"])
def test_a_teacher_of_regions_must_read_as_much_of_them(trained, command, write_settings, tmp_path, capsys, key):
    settings = write_settings(backbone={key: 5}, train={"distillation": {"weight": 0.5, "temperature": 1.0, "candidates": 2}})
    assert command("train", settings, tmp_path / "train", "--teacher", trained.joint / "model") == 2
    assert f"the teacher has another backbone.{key} than the model that it teaches" in capsys.readouterr().err


def test_a_teacher_must_be_a_joint_model_of_the_same_run(trained, command, write_settings, tmp_path, tiny, capsys):
    other = tmp_path / "other"
    assert command("pretrain", write_settings(pretrain={"steps": 1}, backbone={"kind": "visualbert"}), other) == 0
    strange = with_two_words_exchanged(trained.joint / "model", tmp_path / "strange")
    capsys.readouterr()
    for teacher, expected in (
        (trained.dual / "model", "it has no matching head, and so nothing to teach"),
        (other / "model", "the teacher has another kind of backbone than the model that it teaches"),
        (strange, "the teacher has other word pieces than the model that it teaches; train both from one run"),
    ):
        settings = write_settings(train={"distillation": {"weight": 0.5, "temperature": 1.0, "candidates": 2}})
        assert command("train", settings, tmp_path / "train", "--teacher", teacher) == 2
        errors = capsys.readouterr().err.splitlines()
        assert len(errors) == 1 and f"{teacher}: {expected}" in errors[0]
        assert not (tmp_path / "train").exists()


def test_a_teacher_of_pixels_must_read_the_same_patches(command, write_settings, tmp_path, tiny, capsys):
    joint = write_settings(backbone={"kind": "vilt"}, train={"kind": "joint", "steps": 0})
    assert command("train", joint, tmp_path / "joint", features=tiny.pixels) == 0
    settings = write_settings(
        backbone={"kind": "vilt", "crop_size": 64}, train={"distillation": {"weight": 0.5, "temperature": 1.0, "candidates": 2}}
    )
    capsys.readouterr()
    assert command("train", settings, tmp_path / "train", "--teacher", tmp_path / "joint" / "model", features=tiny.pixels) == 2
    assert "the teacher has another backbone.crop_size than the model that it teaches" in capsys.readouterr().err
