"""README.md and the pages that are made from results or code are what those say, and README.md stays short."""

import importlib.util
import re
import shlex
import shutil
from pathlib import Path

import PIL.Image
import pytest

from vldeformer.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BY_HAND = ("README.md", "docs/index.md", "docs/results.md", "docs/method.md", "docs/departures.md", "docs/data-sets.md")
"""Pages that talk of results: what people wrote there has no measured number."""
MEASURED = re.compile(r"\d ?%|\d\s+(?:points|times)\b|\[-?\d[\d.,]*, -?\d[\d.,]*\]")


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["README.md", "docs/results.md"])
def test_the_parts_of_a_page_are_those_of_the_results(committed, page):
    module, text = load("readme_results"), (committed / page).read_text(encoding="utf-8")
    assert len(module.PART.findall(text)) >= 3 and page in module.PAGES
    assert module.filled(text, committed) == text, "run `make readme`"


def test_a_part_without_results_keeps_its_text(tmp_path):
    text = "<!-- results: summary scenes -->\nas it was\n<!-- end -->\n"
    assert load("readme_results").filled(text, tmp_path) == text


def test_ablations_that_were_not_run_leave_no_old_numbers(committed, tmp_path):
    shutil.copytree(committed / "results" / "scenes", tmp_path / "results" / "scenes")
    shutil.rmtree(tmp_path / "results" / "scenes" / "ablations")
    text = "<!-- results: tables scenes/ablations -->\nan old table\n<!-- end -->\n"
    assert load("readme_results").filled(text, tmp_path) == text.replace("an old table", "Not run.")


@pytest.mark.parametrize("page", BY_HAND)
def test_no_measured_number_is_typed_by_hand(page):
    text = load("readme_results").PART.sub("", (ROOT / page).read_text(encoding="utf-8"))
    assert [number for number in MEASURED.findall(text) if number not in ("95 %", "5 %")] == []


def test_a_number_typed_by_hand_is_found():
    for typed in ("recall is 85.7 %", "drop 0.32 [-0.58, 1.28]", "1,186 times faster", "a drop of 0.3 points"):
        assert MEASURED.search(typed), typed


def test_the_readme_is_short_and_its_picture_small():
    assert len(README.splitlines()) <= 160
    assert (ROOT / "docs" / "pictures" / "front.png").stat().st_size <= 300_000


def test_the_tables_of_results_in_the_readme_are_small():
    tables = re.findall(r"<!-- results: summary .*?-->\n(.*?)\n\n", README, re.DOTALL)
    assert len(tables) == 2
    for table in tables:
        rows = table.splitlines()
        assert len(rows) - 2 <= 7 and {row.count("|") - 1 for row in rows} == {5}


def test_every_path_that_the_readme_links_to_exists():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_page_of_settings_is_made_from_the_code():
    assert load("settings_page").page() == (ROOT / "config" / "keys.md").read_text(encoding="utf-8"), "run `make settings-page`"


@pytest.fixture
def finished_run(tmp_path, monkeypatch, tiny, model_folder):
    """The current folder with all that the examples of README.md read: a run's artifacts, a published model, photographs."""
    base = tmp_path / "artifacts" / "scenes" / "base"
    base.mkdir(parents=True)
    (base / "prepare").symlink_to(tiny.prepare)
    (base / "features").symlink_to(tiny.features)
    shutil.copytree(model_folder("oscar", extractor=True), base / "train" / "model")
    shutil.copytree(model_folder("squares"), tmp_path / "dandelin" / "vilt-b32-finetuned-coco")
    (tmp_path / "photographs").mkdir()
    for number in range(6):
        PIL.Image.new("RGB", (60, 80), (40 * number, 90, 120)).save(tmp_path / "photographs" / f"{number}.jpg")
    monkeypatch.chdir(tmp_path)


def test_the_examples_of_the_readme_run_as_printed(finished_run, capsys):
    used = README.partition("\n## Use it\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```(sh|python)\n(.*?)```", used, re.DOTALL)
    assert [kind for kind, _ in blocks] == ["sh", "sh", "python", "sh"]
    for kind, text in blocks:
        if kind == "python":
            names = {}
            exec(compile(text, "README.md", "exec"), names)
            assert names["vectors"].shape[0] == 2 and names["vectors"].dtype == "float32"
            continue
        for line in text.replace("\\\n", "").splitlines():
            program, *words = shlex.split(line)
            assert program == "vldeformer" and main(words) == 0, capsys.readouterr().err
    assert Path("recalls.json").is_file() and "rank" in capsys.readouterr().out
