"""The command line: one clear line and exit code 2 for whatever a user can get wrong, and nothing half-written."""

import contextlib
import errno
import json
import resource
import shutil
import subprocess
import sys

import numpy as np
import pytest
from command_refusals import refusal, run
from tiny_settings import SECTIONS, sections

from vldeformer.steps import vocabulary


def write(path, value):
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (sections(dataset={"colour": "red"}), "dataset.colour is unknown"),
        (sections(dataset={"world": SECTIONS["dataset"]["world"] | {"sed": 1}}), "world.sed is unknown"),
        (
            sections(dataset={"world": SECTIONS["dataset"]["world"] | {"seed": "many"}}),
            "world.seed: expected a valid integer",
        ),
        (sections(dataset={"source": "films"}), "dataset: expected a source of 'scenes', "),
        ({"train": {}}, "expected a section 'dataset'"),
        ([1], "expected a section 'dataset'"),
        ('{"dataset": ', "expected JSON"),
    ],
)
def test_wrong_settings(tmp_path, capsys, value, expected):
    path = write(tmp_path / "settings.json", value)
    line = refusal(capsys, "fetch", "scenes", "--settings", path, "--out", tmp_path / "out" / "scenes.jsonl")
    assert str(path) in line and expected in line
    assert sorted(item.name for item in tmp_path.iterdir()) == ["settings.json"]


@pytest.mark.parametrize(
    ("section", "changes", "expected"),
    [
        ("train", {"temprature": 1}, "train.temprature is unknown"),
        ("train", {"steps": "many"}, "train.steps: expected a valid integer"),
        ("train", {"kind": "triple"}, "train: expected a kind of 'joint', 'dual', 'oracle', 'lexical', got 'triple'"),
        ("runtime", {"device": "tpu"}, "runtime.device: expected 'cpu' or 'cuda'"),
        ("backbone", {"dropout": 1.5}, "backbone.dropout: expected less than 1"),
    ],
)
def test_wrong_settings_of_a_training(tiny, tmp_path, capsys, write_settings, section, changes, expected):
    settings = write_settings(**{section: changes})
    given = ["--manifest", tiny.manifest, "--features", tiny.regions, "--tokenizer", tiny.tokenizer, "--out", tmp_path / "train"]
    assert expected in refusal(capsys, "train", "--settings", settings, *given)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("missing", ["--settings", "--manifest", "--features", "--tokenizer"])
def test_a_missing_file_is_named(tiny, tmp_path, capsys, write_settings, missing):
    given = {
        "--settings": write_settings(),
        "--manifest": tiny.manifest,
        "--features": tiny.regions,
        "--tokenizer": tiny.tokenizer,
    }
    given[missing] = tmp_path / "nowhere"
    line = refusal(capsys, "train", *(part for pair in given.items() for part in pair), "--out", tmp_path / "train")
    assert str(tmp_path / "nowhere") in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("keep", [-3, 1000, 0])
def test_truncated_scenes(tiny, tmp_path, capsys, write_settings, keep):
    raw = tmp_path / "scenes.jsonl"
    raw.write_bytes((tiny.raw / "scenes.jsonl").read_bytes()[:keep])
    line = refusal(capsys, "prepare", "--settings", write_settings(), "--raw-dir", tmp_path, "--out", tmp_path / "prepare")
    assert str(raw) in line
    assert [item.name for item in tmp_path.iterdir()] == ["scenes.jsonl"]


@pytest.mark.parametrize("name", ["pixels.npy", "ids.json"])
def test_a_truncated_store(tiny, tmp_path, capsys, write_settings, name):
    store = shutil.copytree(tiny.pixels, tmp_path / "pixels")
    (store / name).write_bytes((store / name).read_bytes()[:-20])
    settings = write_settings(backbone={"kind": "vilt"})
    given = ["--manifest", tiny.manifest, "--features", store, "--tokenizer", tiny.tokenizer, "--out", tmp_path / "train"]
    assert str(store / name) in refusal(capsys, "train", "--settings", settings, *given)


def test_arrays_need_each_other(tmp_path, capsys):
    np.save(tmp_path / "images.npy", np.eye(2, dtype=np.float32))
    given = ["--images", tmp_path / "images.npy", "--protocol", "all", "--out", tmp_path / "x.json"]
    assert "--images needs --captions and --caption-image-index" in refusal(capsys, "evaluate", *given)


@contextlib.contextmanager
def small_disk(limit):
    """No file can grow beyond ``limit`` bytes: what a full disk does, to this process alone."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("stage", ["fetch", "prepare", "features", "vocabulary", "negatives", "pretrain", "train", "train-late"])
def test_a_full_disk_leaves_nothing_half_written(tiny, tmp_path, capsys, write_settings, monkeypatch, stage):
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)
    settings, out = write_settings(), tmp_path / "out"
    learned = ["--manifest", tiny.manifest, "--features", tiny.regions, "--tokenizer", tiny.tokenizer]
    given = {
        "fetch": (["fetch", "scenes"], 10_000),
        "prepare": (["prepare", "--raw-dir", tiny.raw], 300_000),
        "features": (["features", "--raw-dir", tiny.raw, "--prepared", tiny.prepare], 1500),
        "vocabulary": (["vocabulary", "--manifest", tiny.manifest], 5000),
        "negatives": (["negatives", "--manifest", tiny.manifest, "--features", tiny.regions], 5000),
        "pretrain": (["pretrain", *learned], 5000),
        "train": (["train", *learned], 5000),
        "train-late": (["train", *learned], None),
    }
    arguments, limit = given[stage]
    if stage == "train-late":
        # The state is written, the model is not.
        monkeypatch.setattr("vldeformer.models.weights.serialize", lambda tensors: bytes(6_000_000))
        limit = 5_000_000
    with small_disk(limit):
        assert run(*arguments, "--settings", settings, "--out", out) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if "vldeformer: " in line and "none of kind" not in line]
    assert len(errors) == 1 and str(out) in errors[0]
    assert not out.exists()
    left = [path for path in tmp_path.rglob("*") if path.name not in ("out.run", "journal.jsonl", "state.pt")]
    assert left == [], "only what a training continues from may stay"
    monkeypatch.undo()
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)
    assert run(*arguments, "--settings", settings, "--out", out) == 0
    assert {path.name for path in tmp_path.iterdir()} - {"out.provenance.json"} == {"out"}


def test_an_error_of_the_system_without_a_name_is_said_of_the_output(tmp_path, capsys, monkeypatch, write_settings):
    def short(*arguments):
        raise OSError("4096 requested and 0 written")

    monkeypatch.setattr("vldeformer.scenes.world.write_scenes", short)
    line = refusal(capsys, "fetch", "scenes", "--settings", write_settings(), "--out", tmp_path / "x")
    assert line == f"vldeformer: {tmp_path / 'x'}: not written whole (4096 requested and 0 written); is the disk full?"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "{out}: not written whole (No space left on device); is the disk full?",
        ),
        (OSError("the library says so"), "the library says so; {out} is not made"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error; {out} is not made"),
        (PermissionError(errno.EACCES, "Permission denied", "/root/x"), "/root/x: Permission denied"),
    ],
)
def test_the_disk_is_called_full_only_where_the_system_says_so(tmp_path, capsys, monkeypatch, write_settings, error, expected):
    def failing(*arguments):
        raise error

    monkeypatch.setattr("vldeformer.scenes.world.write_scenes", failing)
    line = refusal(capsys, "fetch", "scenes", "--settings", write_settings(), "--out", tmp_path / "x")
    assert line == f"vldeformer: {expected.format(out=tmp_path / 'x')}"


def test_an_error_of_a_command_that_writes_nothing_is_the_systems_own(tmp_path, capsys, monkeypatch):
    def full(*arguments):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("vldeformer.search.index.SearchIndex.open", full)
    assert refusal(capsys, "search", tmp_path, "a ring") == "vldeformer: Too many open files"


def test_a_reader_that_has_seen_enough_ends_the_command_quietly(tmp_path):
    code = (
        "import sys, vldeformer.cli as cli, vldeformer.steps.search as step\n"
        "def search(index, text, /): [print('x' * 100) for _ in range(100_000)]\n"
        "step.search = search\n"
        "sys.exit(cli.main(['search', 'INDEX', 'a ring']))"
    )
    command = f"{sys.executable} -c '{code.replace(chr(39), chr(34))}' 2> {tmp_path / 'err'} | head -1"
    shown = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert shown.stdout == "x" * 100 + "\n" and (tmp_path / "err").read_text() == ""


def test_an_interrupted_command_says_how_to_go_on(tmp_path, capsys, monkeypatch, write_settings):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("vldeformer.scenes.world.write_scenes", interrupted)
    assert run("fetch", "scenes", "--settings", write_settings(), "--out", tmp_path / "x") == 130
    assert capsys.readouterr().err == "vldeformer: interrupted; run the same command again to continue\n"


def test_settings_of_another_version_are_refused(tiny, tmp_path, capsys, write_settings):
    settings = write_settings()
    values = json.loads(settings.read_text())
    given = ["--manifest", tiny.manifest, "--out", tmp_path / "tokenizer.json"]
    for version in (vocabulary.VERSION + 1, "1", None):
        settings.write_text(json.dumps(values | {"version": version}))
        line = refusal(capsys, "vocabulary", "--settings", settings, *given)
        assert f"{settings}: expected version {vocabulary.VERSION} of the step, got {version!r}; run snakemake" in line
    settings.write_text(json.dumps(values | {"version": vocabulary.VERSION}))
    assert run("vocabulary", "--settings", settings, *given) == 0


def test_as_a_program_it_exits_with_2(tmp_path):
    command = [
        sys.executable,
        "-m",
        "vldeformer.cli",
        "fetch",
        "scenes",
        "--settings",
        str(tmp_path / "none.json"),
        "--out",
        str(tmp_path / "x"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr == f"vldeformer: {tmp_path / 'none.json'}: expected a JSON file, found none\n"
