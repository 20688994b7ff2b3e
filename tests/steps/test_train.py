"""The training stages: what they leave behind, how they continue, and what they refuse."""

import json

import pytest
import torch
from safetensors.torch import load_file
from tiny_settings import COMPOSED

from vldeformer.models.dual import DualEncoder
from vldeformer.models.joint import JointMatcher
from vldeformer.models.weights import load_model


def weights(folder):
    return (folder / "model" / "model.safetensors").read_bytes()


def test_a_training_leaves_a_model_its_journal_and_where_it_came_from(trained):
    for folder, kind in ((trained.pretrain, JointMatcher), (trained.joint, JointMatcher), (trained.dual, DualEncoder)):
        assert {path.name for path in folder.iterdir()} - {"last"} == {
            "journal.jsonl",
            "model",
            "provenance.json",
            "digests.json",
        }
        assert isinstance(load_model(folder / "model")[0], kind)
        steps = [json.loads(line)["step"] for line in (folder / "journal.jsonl").read_text().splitlines()]
        assert steps == sorted(steps) and steps
    record = json.loads((trained.dual / "provenance.json").read_text())
    assert record["kept_step"] in (2, 4) and record["inputs"].keys() == {
        "manifest",
        "features",
        "tokenizer",
        "start",
        "negatives",
    }
    assert not [path for path in trained.dual.parent.iterdir() if path.name.endswith(".run") or path.name.startswith(".")]


def test_the_last_weights_are_kept_beside_the_best_if_they_are_others(trained, command, write_settings, tmp_path, monkeypatch):
    values = iter([30.0, 20.0, 10.0])
    monkeypatch.setattr("vldeformer.training.tasks.dual_validation", lambda *_: lambda model: next(values))
    settings = write_settings(train={"steps": 9, "validate_steps": 2, "patience": 2})
    assert command("train", settings, tmp_path / "train") == 0
    record = json.loads((tmp_path / "train" / "provenance.json").read_text())
    assert (record["kept_step"], record["last_step"]) == (2, 6)
    best, last = (load_file(tmp_path / "train" / name / "model.safetensors") for name in ("model", "last"))
    assert best.keys() == last.keys() and any(not torch.equal(best[name], last[name]) for name in best)
    assert isinstance(load_model(tmp_path / "train" / "last")[0], DualEncoder)
    assert not (trained.pretrain / "last").exists(), "without validation the last ones are kept"


def test_a_loss_that_is_no_number_names_its_pairs_and_leaves_the_state(
    command, write_settings, tmp_path, tiny, capsys, monkeypatch
):
    import vldeformer.training.vector_loss as vector_loss

    real, calls = vector_loss.retrieval_loss, []

    def overflown(*arguments):
        calls.append(1)
        return real(*arguments) * (float("nan") if len(calls) == 4 else 1)

    monkeypatch.setattr(vector_loss, "retrieval_loss", overflown)
    assert command("train", write_settings(), tmp_path / "train") == 2
    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("vldeformer: ")]
    assert len(error) == 1 and "the loss is nan at step 4 with image_ids train-0" in error[0]
    batch = json.loads((tmp_path / "train.run" / "bad_batch.json").read_text())
    assert len(set(batch["image_ids"])) == 8
    assert [caption.partition("#")[0] for caption in batch["caption_ids"]] == batch["image_ids"]
    assert (tmp_path / "train.run" / "state.pt").is_file() and not (tmp_path / "train").exists()
    monkeypatch.undo()
    assert command("train", write_settings(), tmp_path / "train") == 0, "from the last good state"


@pytest.mark.parametrize("step", ["pretrain", "train"])
@pytest.mark.parametrize(("kernels", "times"), [("fast", 1), ("plain", 0)])
def test_the_setting_decides_about_the_layers(command, write_settings, tmp_path, monkeypatch, step, kernels, times):
    replaced = []
    monkeypatch.setattr("vldeformer.models.fast_layers.use_fast_layers", replaced.append)
    settings = write_settings(pretrain={"steps": 1}, train={"steps": 1}, runtime={"kernels": kernels})
    assert command(step, settings, tmp_path / step) == 0
    assert len(replaced) == times


def test_a_model_carries_the_detector_whose_regions_it_read(trained, tiny):
    for folder in (trained.pretrain, trained.joint, trained.dual):
        assert (folder / "model" / "extractor.npz").read_bytes() == (tiny.features / "extractor.npz").read_bytes()


def test_a_model_of_squares_knows_how_large_they_were_before_the_crop(command, write_settings, tiny, tmp_path):
    settings = write_settings(backbone={"kind": "vilt"}, train={"steps": 1})
    assert command("train", settings, tmp_path / "train", features=tiny.pixels) == 0
    assert json.loads((tmp_path / "train" / "model" / "encoder.json").read_text())["image_size"] == 64
    assert not (tmp_path / "train" / "model" / "extractor.npz").exists()


def test_the_same_settings_give_the_same_bytes(trained, command, write_settings, tmp_path):
    settings = write_settings(train={"start": "pretrained", "hard_negatives": COMPOSED})
    more = ("--start", trained.pretrain / "model", "--negatives", trained.negatives)
    assert command("train", settings, tmp_path / "again", *more) == 0
    assert weights(tmp_path / "again") == weights(trained.dual)


@pytest.mark.parametrize(("kind", "features"), [("oscar", "regions"), ("vilt", "pixels")])
def test_a_stage_that_was_killed_continues(command, write_settings, tmp_path, tiny, monkeypatch, kind, features):
    import vldeformer.training.vector_loss as vector_loss

    settings = write_settings(backbone={"kind": kind})
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert command("train", settings, whole, features=getattr(tiny, features)) == 0
    real, calls = vector_loss.retrieval_loss, []

    def killed(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(vector_loss, "retrieval_loss", killed)
    assert command("train", settings, parts, features=getattr(tiny, features)) == 130
    assert not parts.exists() and (tmp_path / "parts.run" / "state.pt").is_file()
    assert command("train", settings, parts, features=getattr(tiny, features)) == 0
    assert len(calls) == 4 + 2, "two of the four steps were not done again"
    assert weights(whole) == weights(parts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts", "whole"]


def test_starting_from_pre_training_takes_its_weights(trained, command, write_settings, tmp_path):
    untrained = write_settings(train={"start": "pretrained", "steps": 0})
    assert command("train", untrained, tmp_path / "dual", "--start", trained.pretrain / "model") == 0
    start, kept = (load_file(folder / "model" / "model.safetensors") for folder in (trained.pretrain, tmp_path / "dual"))
    assert kept and all(torch.equal(start[name], tensor) for name, tensor in kept.items())
    scratch = write_settings(train={"steps": 0})
    assert command("train", scratch, tmp_path / "scratch") == 0
    assert weights(tmp_path / "scratch") != weights(tmp_path / "dual")


def test_a_text_transformer_is_a_start_too(command, tmp_path, tiny, words, write_settings):
    from transformers import BertConfig, BertModel

    torch.manual_seed(1)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    bert = BertModel(BertConfig(vocab_size=len(words), **sizes))
    bert.save_pretrained(tmp_path / "bert")
    settings = write_settings(backbone={"text_model": str(tmp_path / "bert")}, train={"steps": 0})
    assert command("train", settings, tmp_path / "train") == 0
    kept = load_file(tmp_path / "train" / "model" / "model.safetensors")
    assert torch.equal(kept["backbone.bert.embeddings.word_embeddings.weight"], bert.embeddings.word_embeddings.weight)
