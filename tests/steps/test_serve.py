"""The command `serve`: one line for what is wrong before anything is served."""

import importlib.util

import pytest

from vldeformer.cli import main
from vldeformer.serve.server import listen


def refusal(capsys, *arguments):
    assert main(["serve", *map(str, arguments)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_what_cannot_be_served_is_refused_in_one_line(tmp_path, capsys):
    assert "expected an index" in refusal(capsys, tmp_path / "nothing", "--port", 0)
    assert "--rerank N goes with --joint" in refusal(capsys, tmp_path, "--rerank", 5)
    assert "at least 1 image" in refusal(capsys, tmp_path, "--rerank", 0, "--joint", "x")
    assert "at most 4" in refusal(capsys, tmp_path, *["--example", "x"] * 5)
    with listen("127.0.0.1", 0) as taken:
        assert "is in use" in refusal(capsys, tmp_path, "--port", taken.getsockname()[1])


@pytest.mark.parametrize(("module", "package"), [("fastapi", "fastapi"), ("python_multipart", "python-multipart")])
def test_packages_that_are_missing_are_named(tmp_path, capsys, monkeypatch, module, package):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else found(name))
    assert f"{package} is not installed; pip install 'vldeformer[serve]'" in refusal(capsys, tmp_path)
