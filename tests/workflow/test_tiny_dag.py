"""The whole pipeline with its real stages on a tiny world: it ends, and has nothing to do the second time."""

import json

import pytest

from vldeformer.config import load_settings

EXPERIMENTS = {"oracle", "untrained_joint", "joint", "decomposed", "no_negatives", "scratch", "untrained"}


@pytest.mark.slow
def test_the_whole_pipeline(real_project):
    project = real_project
    results = project.folder / "results" / "tiny"
    project.snakemake("--cores", "2", "all")

    metrics = json.loads((results / "metrics.json").read_text())
    assert set(metrics["models"]) == EXPERIMENTS | {"reranked"}
    assert metrics["recall_drop"].keys() >= {"value", "low", "high"}
    assert json.loads((results / "speed.json").read_text())["speedup"] > 0
    titles = load_settings(project.folder / "config", "tiny", "decomposed").report.titles
    table = (results / "tables" / "recall.md").read_text()
    rows = [table.index(f"| {title} ") for name, title in titles.items() if name in EXPERIMENTS]
    assert rows == sorted(rows), "the rows stand in the order of the titles"
    assert (results / "figures" / "recalls.svg").read_text().lstrip().startswith("<?xml")

    assert "Nothing to be done" in project.snakemake("--cores", "8", "all")
