"""A training journal in the files of TensorBoard and of DVCLive."""

import json
import sys

import pytest

from vldeformer.cli import main


@pytest.fixture
def journal(tmp_path):
    path = tmp_path / "journal.jsonl"
    lines = [{"step": step, "loss": 1 / step, "lr": 1e-3} for step in range(1, 6)]
    lines.insert(2, {"step": 2, "val_mean_recall": 40.5})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def converted(journal, to, out):
    return main(["journal", str(journal), "--to", to, "--out", str(out)])


def test_tensorboard_reads_every_number_at_its_step(journal, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for _ in range(2):  # the second time in place of the first
        assert converted(journal, "tensorboard", tmp_path / "out") == 0
    read = EventAccumulator(str(tmp_path / "out")).Reload()
    assert sorted(read.Tags()["scalars"]) == ["loss", "lr", "val_mean_recall"]
    assert [(event.step, event.value) for event in read.Scalars("loss")] == [(n, pytest.approx(1 / n)) for n in range(1, 6)]
    assert [(event.step, event.value) for event in read.Scalars("val_mean_recall")] == [(2, 40.5)]


def test_dvclive_has_every_number_at_its_step(journal, tmp_path, monkeypatch):
    pytest.importorskip("dvclive")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert converted(journal, "dvclive", tmp_path / "out") == 0
    rows = [line.split("\t") for line in (tmp_path / "out" / "plots" / "metrics" / "loss.tsv").read_text().splitlines()]
    assert rows[0] == ["step", "loss"]
    assert [(int(step), float(value)) for step, value in rows[1:]] == [(n, pytest.approx(1 / n)) for n in range(1, 6)]
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["val_mean_recall"] == 40.5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal.jsonl", "out"]


@pytest.mark.parametrize(("to", "module"), [("tensorboard", "torch.utils.tensorboard"), ("dvclive", "dvclive")])
def test_what_is_not_installed_is_said_in_one_line(journal, tmp_path, capsys, monkeypatch, to, module):
    monkeypatch.setitem(sys.modules, module, None)
    assert converted(journal, to, tmp_path / "out") == 2
    assert capsys.readouterr().err == f"vldeformer: {to} is not installed; run `pip install {to}`\n"
    assert not (tmp_path / "out").exists()


def test_a_journal_that_is_none_is_named(tmp_path, capsys):
    assert converted(tmp_path / "none.jsonl", "dvclive", tmp_path / "out") == 2
    assert "none.jsonl: expected a training journal" in capsys.readouterr().err


@pytest.mark.parametrize("to", ["tensorboard", "dvclive"])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff\xfe\x00", "expected a training journal in UTF-8, got another kind of file"),
        (b'{"step": "one", "loss": 1}\n', "line 1: expected a JSON object with a whole number as `step`"),
        (b'{"step": 1.5, "loss": 1}\n', "line 1: expected a JSON object with a whole number as `step`"),
        (b"", "expected a line for each step of a training, got none"),
        (b'{"step": 1, "x/y/../../../../z": 1}\n', "expected names of numbers such as loss or val/recall, got 'x/y/"),
        (b'{"step": 1, "/tmp/z": 1}\n', "expected names of numbers"),
        (b'{"step": 1, "a\\nb": 1}\n', "expected names of numbers"),
    ],
)
def test_a_journal_that_cannot_be_shown_is_one_line_and_leaves_nothing(tmp_path, capsys, to, content, expected):
    pytest.importorskip("tensorboard" if to == "tensorboard" else "dvclive")
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content)
    assert converted(path, to, tmp_path / "out") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"vldeformer: {path}") and expected in line
    assert list(tmp_path.iterdir()) == [path]
