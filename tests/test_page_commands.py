"""Every command of ``vldeformer`` on a page is run, here or by the test that is named, or says what it needs."""

import shlex
import shutil
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from page_commands import ROOT, commands_of, shown_commands

from vldeformer.cli import build_app, main

NEEDS = {"data", "a network", "SLURM", "Chromium"}
RUN_ELSEWHERE = {
    "README.md": "tests/test_readme.py",
    "your-own-data.md": "tests/test_your_own_data.py",
    "vldeformer serve INDEX": "tests/serve/page/conftest.py",
    "vldeformer provenance artifacts/scenes/base/embed": "tests/steps/test_provenance.py",
    "vldeformer journal artifacts/scenes/base/train/journal.jsonl --to tensorboard --out board": "tests/steps/test_journal.py",
}
"""Page or command → the test that runs it, or the same command on another run."""
OURS = [one for one in shown_commands() if one.command.startswith("vldeformer ")]
RUN_HERE = [one for one in OURS if not one.needs and one.page not in RUN_ELSEWHERE and one.command not in RUN_ELSEWHERE]


def test_what_a_command_needs_is_one_of_few_things():
    assert {one.needs for one in shown_commands()} - {""} <= NEEDS
    assert {"data", "a network", "SLURM"} <= {one.needs for one in shown_commands()}


def test_the_commands_of_a_page_are_found():
    page = "    make x   # needs data\n\n"
    page += "```sh\nvldeformer a \\\n  b && dvc c\n```\n\n    vldeformer.load(1)\n\n```python\nmake y\n```\n"
    assert [tuple(one) for one in commands_of("p", page)] == [
        ("p", "vldeformer a b", ""),
        ("p", "dvc c", ""),
        ("p", "make x", "data"),
    ]


@pytest.mark.parametrize("shown", OURS, ids=lambda one: f"{one.page}:{one.command[:60]}")
def test_a_command_of_a_page_is_one_of_the_command_line(shown):
    words = shlex.split(shown.command)[1:]
    if words not in (["--help"], [words[0], "--help"]):
        build_app().parse_args(words, exit_on_error=False, print_error=False)


def test_every_command_is_run_by_a_test():
    named = {one.page for one in OURS} | {one.command for one in OURS}
    assert set(RUN_ELSEWHERE) <= named
    assert [path for path in RUN_ELSEWHERE.values() if not (ROOT / path).is_file()] == []
    assert {"search.md", "on-a-cluster.md", "train-your-own-way.md", "run-the-workflow.md"} <= {one.page for one in RUN_HERE}


@pytest.fixture
def named_files(tmp_path, monkeypatch, tiny, model_folder, write_settings):
    """The current folder with everything that the pages name in capitals; ``rename`` gives a name to what a page made."""
    monkeypatch.chdir(tmp_path)
    for name, path in {
        "MANIFEST": tiny.manifest,
        "STORE": tiny.regions,
        "TOKENIZER": tiny.tokenizer,
        "SETTINGS": write_settings(
            train={
                "start": "pretrained",
                "distillation": {"weight": 1.0, "temperature": 2.0, "candidates": 2},
                "hard_negatives": {"kind": "none"},
            },
            negatives={"image_partner": "near"},
        ),
        "PRETRAINED": model_folder("oscar", reading="joint"),
        "JOINT": model_folder("oscar", reading="joint"),
        "MODEL_DIR": model_folder("oscar"),
    }.items():
        Path(name).symlink_to(path)
    Path("FOLDER").mkdir()
    for number in range(12):
        blocks = np.random.default_rng(number).integers(256, size=(3, 4, 3), dtype=np.uint8)
        PIL.Image.fromarray(blocks).resize((70, 50)).save(Path("FOLDER", f"{number:02}.jpg"))
    for name in ("ONE", "OTHER"):
        Path(name).mkdir()
    return tmp_path


@pytest.mark.parametrize("page", sorted({one.page for one in RUN_HERE}))
def test_the_commands_of_a_page_run_as_printed(page, named_files, model_folder, capsys, tiny):
    kind = "squares" if page == "search.md" else "oscar"
    Path("MODEL").symlink_to(model_folder(kind))
    Path("results").symlink_to(ROOT / "results")
    for name in ("ONE", "OTHER"):
        shutil.copytree(tiny.prepare, name, dirs_exist_ok=True)
    for shown in RUN_HERE:
        if shown.page == page:
            assert main(shlex.split(shown.command)[1:]) == 0, (shown.command, capsys.readouterr().err)
