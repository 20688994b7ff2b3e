"""Steps `record` and `ablations`: the record of an experiment, and the tables that are made of records."""

import csv
import json

import pytest
from made_records import made_result, made_test
from made_reports import SPEED
from older_files import forget

from vldeformer.cli import main
from vldeformer.evaluation.experiment_record import ExperimentRecord
from vldeformer.report.sources import find_cell, value_in
from vldeformer.steps.ablations import VERSION as ABLATIONS

EXPERIMENTS = {"joint": 1, "decomposed": 2, "other": 3}
SETTINGS = {"versions": {"train": 1}, "train": {"seed": 0}}
ROWS = [{"experiment": "decomposed"}, {"experiment": "other"}, {"experiment": "joint"}]
REPORT = {
    "titles": {name: name.capitalize() for name in EXPERIMENTS},
    "baseline": "joint",
    "main": "decomposed",
    "decomposed": ["decomposed", "other"],
    "claimed": ["decomposed"],
    "trivial": [],
    "ablations": {"depth": {"title": "Depth", "protocol": "subset", "reference": "decomposed", "rows": ROWS}},
    "published_protocols": [],
    "counterparts": {},
}


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A folder with results, trainings and a time of three experiments."""
    monkeypatch.chdir(tmp_path)
    for name, seed in EXPERIMENTS.items():
        for protocol in ("subset", "test"):
            made_result(name, protocol, seed=seed).save(tmp_path / name / f"{protocol}.json")
        made_test(name, seed=seed).save(tmp_path / name / "compositional.json")
        trained = {"code": {"commit": f"{seed}" * 40, "dirty": False}, "machine": {"processor": "EPYC"}, "command": ["x"]}
        (tmp_path / name / "train" / "model").mkdir(parents=True)
        (tmp_path / name / "train" / "provenance.json").write_text(json.dumps(trained))
        section = {"dataset": "scenes", "experiment": name, "settings": SETTINGS}
        (tmp_path / name / "settings.json").write_text(json.dumps({"version": 1, "record": section}))
    (tmp_path / "pair_time.json").write_text('{"seconds": 9.5, "pair_ms": 2}')
    (tmp_path / "speed.json").write_text(json.dumps(SPEED))
    settings = {"version": ABLATIONS, "report": REPORT, "records": dict.fromkeys(EXPERIMENTS, SETTINGS)}
    (tmp_path / "ablations.json").write_text(json.dumps(settings))
    return tmp_path


def record(name):
    words = ["record", "--settings", f"{name}/settings.json", "--results", f"{name}/subset.json", f"{name}/test.json"]
    words += ["--compositional", f"{name}/compositional.json", "--model", f"{name}/train/model"]
    words += ["--pair-time", "pair_time.json"] if name == "joint" else []
    assert main([*words, "--out", f"records/{name}.json"]) == 0
    return f"records/{name}.json"


def ablations(*results):
    return main(["ablations", "--settings", "ablations.json", "--speed", "speed.json", "--out", "out", "--results", *results])


def plain_results():
    compositional = [f"{name}/compositional.json" for name in EXPERIMENTS]
    results = [f"{name}/{protocol}.json" for name in EXPERIMENTS for protocol in ("subset", "test")]
    return [*results, "--compositional", *compositional, "--pair-times", "joint=pair_time.json"]


def test_a_record_holds_the_results_and_where_the_model_was_trained(world):
    found = ExperimentRecord.load(world / record("joint"))
    assert [one.protocol for one in found.results] == ["subset", "test"] and found.pair_time["seconds"] == 9.5
    assert found.made == {"commit": "1" * 40, "dirty": False, "processor": "EPYC"} and "command" not in found.trained
    assert set(found.provenance["inputs"]) == {"joint/subset", "joint/test", "joint/compositional", "pair time"}
    assert json.loads((world / "records" / "joint.json").read_text())["seed"] == 0


def test_tables_of_records_have_the_numbers_of_tables_of_results(world):
    assert ablations(*plain_results()) == 0
    before = {name: (world / "out" / "tables" / f"{name}.csv").read_text() for name in ("recall", "recall_drop", "compositional")}
    metrics = (world / "out" / "metrics.json").read_bytes()
    choices = json.loads((world / "out" / "report.json").read_text())["ablations"][0]["choices"]
    assert ablations(*map(record, EXPERIMENTS)) == 0
    assert {name: (world / "out" / "tables" / f"{name}.csv").read_text() for name in before} == before
    assert (world / "out" / "metrics.json").read_bytes() == metrics
    found = json.loads((world / "out" / "report.json").read_text())["ablations"][0]["choices"]
    for ours, other in zip(found, choices, strict=True):
        same = ("experiment", "mean_recall", "gain", "gain_by_seed")
        assert {key: ours[key] for key in same} == {key: other[key] for key in same}
        for key in ("compositional", "compositional_gain", "seconds"):
            assert (ours[key] or {}).get("value") == (other[key] or {}).get("value")


def test_a_row_names_its_record_commit_and_processor(world, capsys):
    assert ablations(*map(record, EXPERIMENTS)) == 0
    path = world / "out" / "tables" / "depth.csv"
    row = find_cell(path, ["other"], "mean_recall")
    (cells,) = [one for one in csv.DictReader(path.read_text().splitlines()) if one["experiment"] == "other"]
    assert cells["record"] == "records/other.json" and cells["commit"] == "333333333333; 222222222222"
    assert row.source.made == {
        "records/other.json": "commit 333333333333, EPYC",
        "records/decomposed.json": "commit 222222222222, EPYC",
    }
    shown = path.with_suffix(".md").read_text()
    assert " Commit |" in shown and " Processor |" not in shown and "Made on processor EPYC." in shown
    for column in ("mean_recall", "mean_recall_low", "compositional", "seconds"):
        cell = find_cell(path, ["joint"], column)
        (file,), key = cell.source.of(column)
        assert file == "records/joint.json" and value_in(world / file, key) == pytest.approx(float(cell.value))
    capsys.readouterr()
    assert main(["provenance", "out/tables/depth.csv", "--row", "other", "--column", "mean_recall"]) == 0
    printed = capsys.readouterr().out
    assert "records/other.json: here" in printed and "at 333333333333 (clean)" in printed and "seeds train.seed 0" in printed


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"settings": SETTINGS | {"train": {"seed": 4}}}, "records/other.json: of other settings: train.seed is 4, expected 0"),
        ({"settings": SETTINGS | {"versions": {"train": 2}}}, "records/other.json: of other settings: versions.train is 2"),
        ({"experiment": "fourth"}, "records/other.json: the record of 'fourth', which is no experiment of this run"),
        ({"results": {}}, "no result of experiment 'other' under protocol 'subset'"),
    ],
)
def test_a_record_that_is_not_of_the_run_is_never_shown(world, capsys, change, problem):
    records = [*map(record, EXPERIMENTS)]
    value = json.loads(forget(world / "records" / "other.json").read_text())
    (world / "records" / "other.json").write_text(json.dumps(value | change))
    assert ablations(*records) == 2 and not (world / "out").exists()
    error = capsys.readouterr().err
    assert problem in error and error.count("\n") == 1


def test_results_and_records_are_not_mixed(world, capsys):
    assert ablations(record("joint"), "other/test.json") == 2
    assert "other/test.json: expected a record like records/joint.json, got a result" in capsys.readouterr().err


def test_a_result_of_another_experiment_is_refused(world, capsys):
    words = ["record", "--settings", "joint/settings.json", "--results", "other/test.json", "--out", "records/joint.json"]
    assert main(words) == 2
    assert "other/test.json: expected a result of 'joint' on 'scenes', got 'other' on 'scenes'" in capsys.readouterr().err
