"""Rows of an ablation with a record of the run's settings are not trained again; any other is."""

import json
import shutil

import pytest
import yaml
from older_files import forget
from workflow_projects import ROOT

from vldeformer.planning.plan import load_plan

RUN = {"dataset": "tiny", "experiments": {"all": ["joint", "decomposed"], "ablations": ["temperature"]}}
ROW, OTHER = "temperature_0.02", "temperature_0.5"
ADDED = "  - {title: Temperature 0.5, at: 0.5, set: {train.loss.temperature: 0.5}}\n"
TRAINED = f"artifacts/tiny/{ROW}/train"
RECORD = f"results/tiny/records/{ROW}.json"


@pytest.fixture
def clone(project):
    """A project without artifacts, with two rows and the record of one of them."""
    (project.folder / "config" / "short.yaml").write_text(yaml.safe_dump(RUN))
    path = project.folder / "config" / "ablations" / "temperature.yaml"
    lines = path.read_text().splitlines(keepends=True)
    kept = "".join(line for line in lines if not line.startswith("  - {title:") or "0.02" in line)
    path.write_text(kept + ADDED)
    write_record(project)
    return project


def write_record(project, name=ROW):
    plan = load_plan(project.folder / "config", RUN)
    path = project.folder / "results" / "tiny" / "records" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"record": 1, "results": {}, "settings": plan.recorded(name)}))


def planned(project, *arguments):
    return project.snakemake("-n", "ablations", *arguments, config="short")


def test_a_row_with_a_record_is_not_trained_and_one_without_is(clone):
    printed = planned(clone)
    assert ROW not in printed.replace(RECORD, "") and f"artifacts/tiny/{OTHER}/train" in printed


def test_the_run_is_idle_afterwards(clone):
    clone.snakemake("--cores", "3", "ablations", config="short")
    trained = {out for stage, out in clone.ran() if stage == "train"}
    assert trained == {"artifacts/tiny/joint/train", "artifacts/tiny/base/train", f"artifacts/tiny/{OTHER}/train"}
    assert "Nothing to be done" in planned(clone)
    # A row that was made here stands for itself once its model is gone; Snakemake does not miss the inputs that made it.
    write_record(clone, OTHER)
    shutil.rmtree(clone.folder / "artifacts" / "tiny" / OTHER / "train")
    clone.snakemake("--cores", "3", "ablations", config="short")
    assert [stage for stage, _ in clone.ran()] == ["ablations", "page"]
    assert "Nothing to be done" in planned(clone)


def test_a_changed_setting_trains_it(clone):
    path = clone.folder / "config" / "experiments" / "decomposed.yaml"
    text = path.read_text()
    path.write_text(f"# A comment.\n{text}")
    assert TRAINED not in planned(clone)
    values = yaml.safe_load(text)
    values["train"]["seed"] += 1
    path.write_text(yaml.safe_dump(values))
    assert TRAINED in planned(clone)


def test_a_raised_version_of_its_training_trains_it_and_that_of_another_step_does_not(clone):
    shutil.copytree(ROOT / "src", clone.folder / "src")
    clone.edit("src/vldeformer/steps/import_weights.py", "VERSION = 1", "VERSION = 2")
    assert TRAINED not in planned(clone)
    clone.edit("src/vldeformer/steps/train.py", "VERSION = 1", "VERSION = 2")
    assert TRAINED in planned(clone)


@pytest.mark.parametrize("text", ["", "[]", '{"settings": 3}', '{"record": 1'])
def test_a_file_that_is_no_record_stands_for_nothing(clone, text):
    (clone.folder / RECORD).write_text(text)
    assert TRAINED in planned(clone)


def test_it_is_trained_if_it_is_forced(clone):
    assert TRAINED in planned(clone, "--config", "fresh=true")
    (clone.folder / RECORD).unlink()
    assert TRAINED in planned(clone)


@pytest.mark.pipeline
def test_an_added_row_is_run_and_tabled_and_its_record_gives_the_same_table_without_the_model(real_project):
    """The tables are made of the records, byte for byte, once the models are gone; another record is refused."""
    run = RUN | {"experiments": RUN["experiments"] | {"ablations": ["temperature", "depth"]}}
    (real_project.folder / "config" / "short.yaml").write_text(yaml.safe_dump(run))
    for name, row in (("temperature", ADDED), ("depth", "")):
        path = real_project.folder / "config" / "ablations" / f"{name}.yaml"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(x for x in lines if "set:" not in x or "joint_layers: 2}" in x) + row)
    folder = real_project.folder / "results" / "tiny" / "ablations"
    real_project.snakemake("--cores", "2", "results/tiny/ablations/report.json", config="short")
    tables = {path.name: path.read_bytes() for path in (folder / "tables").iterdir()}
    records = sorted((real_project.folder / "results" / "tiny" / "records").iterdir())
    assert [path.stem for path in records] == ["decomposed", "depth_2", "joint", "reranked", OTHER]
    rows = [line.split("|")[1].strip() for line in tables["temperature.md"].decode().splitlines() if "| Temperature 0" in line]
    assert rows == ["Temperature 0.07", "Temperature 0.5"]
    assert max(path.stat().st_size for path in records) <= 60_000
    sources = json.loads(tables["temperature.sources.json"])["rows"]
    assert all(set(row["made"]) == set(row["files"]) for row in sources)
    assert all(made.startswith("commit ") for row in sources for made in row["made"].values())
    for name in (OTHER, "depth_2"):
        shutil.rmtree(real_project.folder / "artifacts" / "tiny" / name)
        shutil.rmtree(real_project.folder / "results" / "tiny" / name)
    (folder / "report.json").unlink()
    shutil.rmtree(folder / "pair_times")
    printed = real_project.snakemake("--cores", "2", "results/tiny/ablations/report.json", config="short")
    assert (
        "rule report_ablations" in printed
        and "rule train" not in printed
        and f"records/{OTHER}" not in printed.split("input:")[0]
    )
    assert {path.name: path.read_bytes() for path in (folder / "tables").iterdir()} == tables
    cell = ["provenance", "results/tiny/ablations/tables/temperature.csv", "--row", OTHER, "--column", "mean_recall"]
    printed = real_project.run("vldeformer", *cell)
    assert f"key results/test/mean_recall of results/tiny/records/{OTHER}.json" in printed and "made by record" in printed
    record = real_project.folder / "results" / "tiny" / "records" / f"{OTHER}.json"
    value = json.loads(record.read_text())
    value["settings"]["train"]["seed"] = 9
    record.write_text(json.dumps(value))
    forget(record)  # its digest, by which it would be refused as damaged
    settings = "artifacts/tiny/base/settings/ablations.json"
    step = ["vldeformer", "ablations", "--settings", settings, "--speed", "results/tiny/speed.json", "--out", "elsewhere"]
    refused = real_project.run(*step, "--results", *map(str, records), fails=True)
    assert f"results/tiny/records/{OTHER}.json: of other settings: train.seed is 9, expected 0" in refused
