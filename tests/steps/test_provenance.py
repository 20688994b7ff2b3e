"""From an artifact down to the raw data, and the first thing in which two artifacts differ."""

import copy
import json

import pytest
from settings_files import CONFIG

from vldeformer.artifact import write_json
from vldeformer.cli import main
from vldeformer.content_digest import digest
from vldeformer.report.differences import first_difference
from vldeformer.report.lineage import follow, in_order
from vldeformer.report.sources import Source, sources_path, write_sources

MADE = {
    "code": {"commit": "c" * 40, "dirty": False, "version": "0.1.0", "sha256": "5" * 64},
    "packages": {"numpy": "2.4.6"},
    "python": "3.11.7",
    "machine": {"processor": "EPYC", "cores": 2, "memory_mib": 1024, "gpus": ["H100"], "system": "Linux"},
    "finished": "2026-11-24T19:00:00Z",
    "wall_seconds": 2.5,
}


class World:
    """A run of three stages (prepare, train, embed) in a folder: each has one file of content and a record."""

    def __init__(self, folder):
        self.folder = folder
        self.raw = folder / "raw" / "scenes.jsonl"
        self.raw.parent.mkdir(parents=True)
        self.records = {}

    def make(self, raw="raw", **changes):
        """``changes``: stage → what its record says otherwise; the content of its output then differs too."""
        self.raw.write_text(raw)
        before, seed = {"raw": self.raw}, {"prepare": {"dataset": {"seed": 3}}}
        for stage in ("prepare", "train", "embed"):
            out = self.folder / "artifacts" / stage
            (out / "model").mkdir(parents=True)
            change = changes.get(stage, {})
            (out / "model" / "weights").write_text(raw + json.dumps([stage, changes if stage != "prepare" else change]))
            record = copy.deepcopy(MADE) | {"command": ["vldeformer", stage], "settings": seed.get(stage, {"train": {"seed": 0}})}
            inputs = {name: {"path": str(path), "sha256": digest(path)} for name, path in before.items()}
            write_json(out / "provenance.json", record | {"inputs": inputs} | change)
            before = {"model": out / "model"} | ({"raw": self.raw} if stage == "prepare" else {})
        return self.folder / "artifacts" / "embed"


@pytest.fixture
def embed(tmp_path):
    return World(tmp_path / "one").make()


def test_the_chain_runs_from_the_raw_data_to_the_artifact(embed):
    found = list(in_order(follow(embed)))
    assert [link.stage for link in found] == ["scenes.jsonl", "prepare", "train", "embed"]
    assert [link.state() for link in found] == ["as it was read"] * 3 + ["here"]
    raw = embed.parents[1] / "raw" / "scenes.jsonl"
    assert found[0].path == raw and found[0].recorded == digest(raw) and found[0].record is None


def test_a_tracked_file_is_known_as_raw_data_and_a_missing_record_as_missing(embed):
    (embed.parents[1] / "raw.dvc").touch()
    (embed.parent / "prepare" / "provenance.json").unlink()
    found = list(in_order(follow(embed)))
    hows = {link.path.parent.name: link.how for link in found if link.record is None}
    assert hows["raw"].startswith("raw data, tracked by ") and hows["raw"].endswith("raw.dvc")
    assert hows["prepare"] == "missing link: no record says what it was made of"


def test_what_changed_or_went_is_told(embed, capsys):
    (embed.parent / "train" / "model" / "weights").write_text("other")
    (embed.parents[1] / "raw" / "scenes.jsonl").unlink()
    with pytest.raises(SystemExit) as ended:
        main(["provenance", str(embed)])
    assert ended.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert any("train/model: changed since it was read, sha256" in line for line in lines)
    assert any("raw/scenes.jsonl: not here, sha256" in line for line in lines)


def test_all_that_is_recorded_is_shown(embed, capsys):
    assert main(["provenance", str(embed)]) == 0
    text = capsys.readouterr().out
    for part in (
        "made by embed: 2.5 s, finished 2026-11-24T19:00:00Z; record",
        "code 0.1.0 at cccccccccccc (clean), sources 555555555555",
        'settings {"train": {"seed": 0}}',
        "seeds train.seed 0",
        "seeds dataset.seed 3",
        "Python 3.11.7, packages numpy 2.4.6",
        "machine EPYC, 2 cores, 1,024 MiB, H100, Linux",
        "read model: ",
    ):
        assert part in text, part
    assert main(["provenance", str(embed), "--json"]) == 0
    links = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [link["stage"] for link in links] == ["scenes.jsonl", "prepare", "train", "embed"]
    assert links[1]["seeds"] == {"dataset.seed": 3} and links[3]["record"]["machine"]["gpus"] == ["H100"]


def test_what_an_older_record_lacks_is_said(embed, capsys):
    write_json(embed / "provenance.json", {"inputs": {}, "code": {"commit": None, "dirty": None, "version": "0"}, "machine": {}})
    assert main(["provenance", str(embed)]) == 0
    text = capsys.readouterr().out
    for part in ("time not recorded", "commit not recorded", "Python not recorded, packages not recorded"):
        assert part in text
    assert "machine CPU not recorded, cores not recorded, memory not recorded, GPU not recorded" in text


CODE = {"code": MADE["code"] | {"commit": "d" * 40, "sha256": "6" * 64}}


@pytest.mark.parametrize(
    ("raw", "changes", "expected"),
    [
        ("other", {"train": CODE}, "data: "),
        ("raw", {"prepare": CODE, "train": {"settings": {"train": {"seed": 1}}}}, "code: "),
        ("raw", {"train": {"settings": {"train": {"seed": 1}}} | CODE}, "code: "),
        ("raw", {"train": {"settings": {"train": {"seed": 1}}}, "embed": CODE}, "settings: "),
        ("raw", {"embed": {"packages": {"numpy": "1"}, "machine": {}}}, "packages: "),
        ("raw", {"embed": {"machine": MADE["machine"] | {"processor": "Xeon"}}}, "machine: "),
    ],
)
def test_the_first_difference_is_the_one_most_upstream(embed, tmp_path, raw, changes, expected):
    other = World(tmp_path / "two").make(raw, **changes)
    assert first_difference(follow(embed), follow(other)).startswith(expected)


def test_a_difference_names_the_key_and_both_values(embed, tmp_path, capsys):
    other = World(tmp_path / "two").make(train={"settings": {"train": {"seed": 1}}})
    assert main(["provenance", str(embed), str(other)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("settings: ") and line.endswith(": train.seed is 0 and 1") and "train/model" in line


def test_the_same_content_is_no_difference_whatever_made_it(embed, tmp_path):
    other = World(tmp_path / "two").make()
    record = json.loads((other / "provenance.json").read_text())
    write_json(other / "provenance.json", record | CODE)
    assert first_difference(follow(embed), follow(other)).startswith("no difference: the content is the same")


def test_trees_that_were_changed_count_as_different_code_where_their_sources_are_not_recorded(embed, tmp_path):
    dirty = {"code": {"commit": "c" * 40, "dirty": True, "version": "0.1.0"}}
    sides = [World(tmp_path / name).make(embed=dirty | {"finished": name}) for name in ("two", "three")]
    found = first_difference(*(follow(side) for side in sides))
    assert found.startswith("code: ") and "with uncommitted changes" in found


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table of one row, of a result whose vectors have a record."""
    monkeypatch.chdir(tmp_path)
    made = World(tmp_path / "run").make()
    vectors = tmp_path / "artifacts" / "tiny" / "base" / "embed"
    vectors.mkdir(parents=True)
    (vectors / "provenance.json").write_bytes((made / "provenance.json").read_bytes())
    write_json(tmp_path / "test.json", {"experiment": "decomposed", "dataset": "tiny", "protocol": "test", "mean_recall": 50.0})
    path = tmp_path / "mine.csv"
    path.write_text("row,value\none,50.0\n")
    write_sources(path, [Source(("test.json",), {"value": "mean_recall"})])
    return path


def test_a_cell_and_a_table_lead_to_the_raw_data(table, capsys):
    cell = ["provenance", str(table), "--row", "one", "--column", "value", "--config", str(CONFIG)]
    assert main(cell) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [f"{table}: value = 50.0", "  key mean_recall of test.json = 50.0"]
    assert any(
        line.startswith("  no record; by the present settings it was measured on artifacts/tiny/base/embed") for line in lines
    )
    assert any("raw/scenes.jsonl: as it was read" in line for line in lines)
    assert main([*cell, "--json"]) == 0
    links = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert links[0]["value"] == "50.0" and links[-1]["path"] == "test.json"
    assert main(["provenance", str(table), "--config", str(CONFIG)]) == 0
    assert "mine.sources.json: no digest, code or time is recorded" in capsys.readouterr().out


def test_a_cell_whose_file_is_gone_says_how_to_get_it(table, capsys):
    (table.parent / "test.json").unlink()
    assert main(["provenance", str(table), "--row", "one", "--column", "value", "--config", str(CONFIG)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "  key mean_recall of test.json" and lines[2] == "test.json: not here; `dvc pull`, or run the workflow"


def test_a_compositional_result_leads_to_its_items_and_its_model(table, capsys):
    result = {"experiment": "decomposed", "dataset": "tiny", "subsets": {"swap_obj": {"accuracy": 50.0}}}
    write_json(table.parent / "compositional.json", result)
    assert main(["provenance", "compositional.json", "--config", str(CONFIG)]) == 0
    words = "measured on artifacts/tiny/base/compositional-items and artifacts/tiny/base/train"
    assert words in capsys.readouterr().out


def test_what_the_report_wrote_has_its_record_and_what_lies_beside_it_has_not(table):
    folder = table.parent / "results" / "tiny"
    for name in ("metrics.json", "tables/recall.csv", "speed.json", "decomposed/test.json", "decomposed/test.ranks.parquet"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    result = folder / "decomposed" / "test.json"
    inputs = {"decomposed/test": {"path": str(result), "sha256": digest(result)}}
    made = MADE | {"command": ["vldeformer", "report"], "settings": {}, "inputs": inputs, "outputs": ["metrics.json", "tables"]}
    write_json(folder / "report.provenance.json", made)
    for path in (folder, folder / "metrics.json", folder / "tables", folder / "tables" / "recall.csv"):
        link = follow(path)
        assert link.stage == "report" and [below.path for below in link.inputs] == [result], path
        assert link.inputs[0].record is None and link.inputs[0].state() == "as it was read"
    for name in ("speed.json", "decomposed/test.json", "decomposed/test.ranks.parquet", "decomposed"):
        assert follow(folder / name).record is None, name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", "the file: "),
        ("{}", "rows: "),
        ('{"rows": 3}', "rows: "),
        ('{"rows": [{"foreign": 1}]}', "rows/0/foreign: "),
        ('{"rows": [null]}', "rows/0: "),
        ('{"rows": [{"keys": 3}]}', "rows/0/keys: "),
        ('{"rows": [{}, {}]}', "expected 1 rows as in mine.csv, got 2"),
        (None, "found no file"),
    ],
)
def test_damaged_sources_are_one_line_that_says_to_report_again(table, capsys, text, expected):
    if text is None:
        sources_path(table).unlink()
    else:
        sources_path(table).write_text(text)
    assert main(["provenance", str(table), "--row", "one", "--column", "value", "--config", str(CONFIG)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "mine.sources.json: " in line and expected in line and line.endswith("; make the report again")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["none"], "none: expected an artifact, a result or a table, found none"),
        (["artifacts", "--row", "one"], "a cell needs both --row and --column"),
        (["artifacts", "artifacts", "--row", "one", "--column", "value"], "--row and --column are of one table"),
        (["reported"], "reported/report.provenance.json: expected the record of a stage, got something else"),
        (["damaged"], "damaged/provenance.json: expected the record of a stage, got something else"),
        (["cut"], "cut/provenance.json: expected JSON, got something else"),
    ],
)
def test_wrong_input_is_one_line(table, capsys, words, expected):
    for name, text in (("damaged", '{"inputs": [3]}'), ("cut", "{")):
        (table.parent / name).mkdir()
        (table.parent / name / "provenance.json").write_text(text)
    (table.parent / "reported").mkdir()
    (table.parent / "reported" / "report.provenance.json").write_text("[]")
    assert main(["provenance", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line
