"""From a cell of a table to the stages behind its file."""

import json

import pytest
from settings_files import CONFIG

from vldeformer.cli import main
from vldeformer.commands.explaining import explain_cell
from vldeformer.config import load_settings
from vldeformer.plan import write_stage_settings
from vldeformer.report.sources import Source, sources_path, write_sources

RESULTS = {
    "subset": {"experiment": "decomposed", "dataset": "tiny", "protocol": "subset", "mean_recall": 50.0},
    "compositional": {"experiment": "decomposed", "dataset": "tiny", "subsets": {"swap_obj": {"accuracy": 50.0}}},
}


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table of two rows, each of another file of one experiment, in a folder where the plan wrote its settings."""
    monkeypatch.chdir(tmp_path)
    settings = load_settings(CONFIG, "tiny", "decomposed")
    for stage in ("embed", "compositional-items", "compositional"):
        write_stage_settings(tmp_path / "artifacts/tiny/base/settings" / f"{stage}.json", settings, stage)
    sources = []
    for name, result in RESULTS.items():
        path = tmp_path / "results/tiny/decomposed" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result))
        key = "mean_recall" if name == "subset" else "subsets/swap_obj/accuracy"
        sources.append(Source((f"results/tiny/decomposed/{name}.json",), {"value": key}))
    path = tmp_path / "mine.csv"
    path.write_text("row,value\n" + "".join(f"{name},50.0\n" for name in RESULTS))
    write_sources(path, sources)
    return path


def stages(lines):
    return [line.split(":")[0].split(",")[0].strip() for line in lines if "settings" in line]


def test_the_stages_are_those_that_made_the_kind_of_result(table):
    assert stages(explain_cell(table, ["subset"], "value", CONFIG)) == ["embed"]
    found = explain_cell(table, ["compositional"], "value", CONFIG)
    assert stages(found) == ["compositional-items", "compositional"]
    assert "results/tiny/decomposed/compositional.json, key subsets/swap_obj/accuracy = 50.0" in found[1]
    assert found[-1].strip() == "compositional, settings artifacts/tiny/base/settings/compositional.json"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", "the file: "),
        ("{}", "rows: "),
        ('{"rows": 3}', "rows: "),
        ('{"rows": [{"foreign": 1}, {}]}', "rows/0/foreign: "),
        ('{"rows": [null, {}]}', "rows/0: "),
        ('{"rows": [{"keys": 3}, {}]}', "rows/0/keys: "),
        ('{"rows": [{}]}', "expected 2 rows as in mine.csv, got 1"),
        (None, "found no file"),
    ],
)
def test_damaged_sources_are_one_line_that_says_to_report_again(table, capsys, text, expected):
    if text is None:
        sources_path(table).unlink()
    else:
        sources_path(table).write_text(text)
    assert main(["explain", str(table), "--row", "subset", "--column", "value", "--config", str(CONFIG)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "mine.sources.json: " in line and expected in line and line.endswith("; make the report again")
