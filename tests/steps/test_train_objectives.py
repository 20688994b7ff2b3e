"""Every objective, pooling and kind of weights through the stage: trained, saved, opened again and used."""

import json
from typing import get_args

import numpy as np
import pytest
from safetensors.torch import load_file

import vldeformer
from vldeformer.models.settings import Pooling
from vldeformer.models.weights import load_model
from vldeformer.objective.retrieval import LossName
from vldeformer.training import vector_loss

EVERYTHING = {"shared_weights": False, "pooling": "mean_max", "loss": {"temperature": 0.2, "learn_temperature": True}}


def short(command, write_settings, out, **changes):
    """The model folder of a short training with ``changes`` and the lines of its journal."""
    assert command("train", write_settings(train={"steps": 2} | changes), out) == 0
    return out / "model", [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]


def test_each_loss_trains_another_model(command, write_settings, tmp_path):
    found = {}
    for loss in get_args(LossName):
        folder, journal = short(
            command, write_settings, tmp_path / loss, loss={"kind": loss} | ({"margin": 1.0} if "triplet" in loss else {})
        )
        assert all(np.isfinite(line["loss"]) for line in journal if "loss" in line)
        found[loss] = (folder / "model.safetensors").read_bytes()
    assert len(set(found.values())) == len(found) == 5


@pytest.mark.parametrize("pooling", get_args(Pooling))
def test_each_pooling_trains_and_is_used_again(command, write_settings, tmp_path, region_store, pooling):
    folder, _ = short(command, write_settings, tmp_path / "out", pooling=pooling, steps=1)
    encoder = vldeformer.load(folder)
    assert encoder.encode_text(["a ring"]).shape == (1, 64 if pooling == "mean_max" else 32)
    assert encoder.encode_images([region_store[region_store.ids[0]]]).shape == (1, 64 if pooling == "mean_max" else 32)


def test_separate_weights_and_a_learned_temperature_are_trained_saved_and_embedded_with(command, write_settings, tmp_path):
    folder, journal = short(command, write_settings, tmp_path / "out", **EVERYTHING)
    model, description, _ = load_model(folder)
    assert not description.shared_weights and description.initial_temperature == 0.2
    assert 0 < abs(model.temperature.item() - 0.2) < 0.01 and any("temperature" in line for line in journal)
    tensors = load_file(folder / "model.safetensors")
    name = "bert.encoder.layer.0.output.dense.weight"
    assert not tensors[f"backbone.{name}"].equal(tensors[f"image_backbone.{name}"]), "each has learned from its own side"
    assert command("embed", write_settings(), tmp_path / "embed", "--model", folder) == 0
    vectors = np.load(tmp_path / "embed" / "images.npy")
    assert vectors.shape[1] == 64 and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_separate_weights_start_from_one_pre_trained_backbone(command, write_settings, tmp_path):
    assert command("pretrain", write_settings(pretrain={"steps": 1}), tmp_path / "pretrain") == 0
    settings = write_settings(train=EVERYTHING | {"start": "pretrained", "steps": 0})
    assert command("train", settings, tmp_path / "out", "--start", tmp_path / "pretrain" / "model") == 0
    start, kept = (load_file(tmp_path / stage / "model" / "model.safetensors") for stage in ("pretrain", "out"))
    names = [name for name in start if name.startswith("backbone.")]
    assert all(kept[name].equal(start[name]) and kept[f"image_{name}"].equal(start[name]) for name in names)
    assert len(kept) == 2 * len(names) + 1


MINED = {"kind": "mined", "epochs": 1, "depth": 2, "limit": None}
HARD = {"hard_negatives": MINED, "steps": 5, "checkpoint_steps": 1}
FILTERED = HARD | {"hard_negatives": MINED | {"limit": 0.0}}
TAUGHT = {"distillation": {"weight": 0.5, "temperature": 1.0, "candidates": 2}}


@pytest.mark.parametrize("changes", [HARD, FILTERED, TAUGHT], ids=["mined", "filtered", "distilled"])
def test_a_killed_training_with_mined_negatives_or_a_teacher_ends_as_one_that_was_not(
    command, write_settings, trained, tmp_path, monkeypatch, changes
):
    settings, whole, parts = write_settings(train=changes), tmp_path / "whole", tmp_path / "parts"
    teacher = ["--teacher", trained.joint / "model"] if changes != HARD else []
    assert command("train", settings, whole, *teacher) == 0
    real, calls = vector_loss.retrieval_loss, []

    def killed(*arguments):
        calls.append(1)
        if len(calls) == 4:  # between two look-ups of the hardest
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(vector_loss, "retrieval_loss", killed)
    assert command("train", settings, parts, *teacher) == 130
    assert command("train", settings, parts, *teacher) == 0
    kept, again = ((folder / "model" / "model.safetensors").read_bytes() for folder in (whole, parts))
    assert kept == again
    lines, others = (
        [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()] for folder in (whole, parts)
    )
    assert [line.get("loss") for line in lines] == [line.get("loss") for line in others]
    figure = {"mined_dropped": changes == FILTERED, "distillation_loss": changes == TAUGHT}
    assert {name: any(name in line for line in lines) for name in figure} == figure


def test_mining_and_a_teacher_train_other_models_than_their_absence(command, write_settings, trained, tmp_path):
    found = []
    for number, changes in enumerate([{}, HARD, TAUGHT]):
        settings = write_settings(train=HARD | {"hard_negatives": {"kind": "none"}} | changes)
        teacher = ["--teacher", trained.joint / "model"] if changes == TAUGHT else []
        assert command("train", settings, tmp_path / str(number), *teacher) == 0
        found.append((tmp_path / str(number) / "model" / "model.safetensors").read_bytes())
    assert len(set(found)) == 3
