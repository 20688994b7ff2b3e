"""From `git clone` on, with the real stages on the tiny world: both engines make the same, and a run comes back from a remote."""

import hashlib
import json

import pytest
import yaml

pytestmark = pytest.mark.pipeline

METRICS = "results/tiny/metrics.json"


def digest(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_the_whole_pipeline_ends_in_metrics_tables_and_figures(really_adopted):
    results = really_adopted.folder / "results" / "tiny"
    metrics, report = (json.loads((results / name).read_text()) for name in ("metrics.json", "report.json"))
    assert {one["experiment"] for one in report["recalls"]} == {"joint", "decomposed", "reranked"}
    assert metrics["drop"] == pytest.approx(metrics["joint_mean_recall"] - metrics["mean_recall"])
    assert report["speed"]["speedup"] > 0
    table = (results / "tables" / "recall.md").read_text()
    assert table.index("| Joint (early interaction) ") < table.index("| Decomposed "), "in the order of the titles"
    assert (results / "figures" / "recalls.svg").read_text().lstrip().startswith("<?xml")
    assert "<html" in (results / "report" / "index.html").read_text()


def test_dvc_and_snakemake_make_identical_metrics_from_a_clone(really_adopted, tmp_path):
    clone = really_adopted.clone(tmp_path / "fresh")
    made = clone.folder / METRICS
    expected = made.read_bytes()
    clone.run("dvc", "pull", "-q", "data.dvc")
    clone.run("dvc", "repro", "-q")
    assert made.read_bytes() == expected == (really_adopted.folder / METRICS).read_bytes()
    for ranks in ("decomposed/test.ranks.parquet", "joint/subset.ranks.parquet"):
        assert digest(clone.folder / "results/tiny" / ranks) == digest(really_adopted.folder / "results/tiny" / ranks)
    old, new = (yaml.safe_load((each.folder / "dvc.lock").read_text())["stages"] for each in (really_adopted, clone))
    for stage in ("prepare", "pretrain", "train@decomposed", "train@joint", "evaluate@joint-subset", "evaluate@decomposed-test"):
        models = [{out["path"]: out["md5"] for out in each[stage]["outs"]} for each in (old, new)]
        assert models[0].keys() == models[1].keys()
    clone.commit("the same again")
    # speed.json came with git and DVC skips it, as what it was made from has the recorded contents; to Snakemake that is newer.
    assert "snakemake --cores 1 --touch all" in clone.verify(fails=True)
    clone.snakemake("--cores", "1", "--touch", "all")
    assert "agree" in clone.verify(), "after `dvc repro` only times are left for Snakemake"


def test_a_run_comes_back_from_a_second_remote_as_it_was(really_adopted, tmp_path):
    bucket = str(tmp_path / "bucket")
    really_adopted.run("dvc", "remote", "add", "-q", "-f", "--local", "bucket", bucket)
    really_adopted.run("dvc", "push", "-q", "-r", "bucket")
    clone = really_adopted.clone(tmp_path / "fresh")
    clone.run("dvc", "remote", "add", "-q", "--local", "bucket", bucket)
    clone.run("dvc", "pull", "-q", "-r", "bucket")
    assert "up to date" in clone.run("dvc", "status")
    locked = yaml.safe_load((clone.folder / "dvc.lock").read_text())["stages"]["report"]["outs"]
    assert digest(clone.folder / METRICS) == next(out["md5"] for out in locked if out["path"] == METRICS)
    ranks = "results/tiny/decomposed/test.ranks.parquet"
    assert digest(clone.folder / ranks) == digest(really_adopted.folder / ranks)
    clone.snakemake("--cores", "1", "--touch", "all")
    assert "agree" in clone.verify()


def test_metrics_parameters_and_curves_are_shown(really_adopted, tmp_path):
    project = really_adopted.copy(tmp_path / "work")
    shown = json.loads(project.run("dvc", "metrics", "show", "--json"))[""]["data"][METRICS]["data"]
    drop = {"drop", "drop_low", "drop_high", "verdict"}
    assert shown.keys() == {"model", "mean_recall", "joint_mean_recall", "models"} | drop
    metrics = json.loads((project.folder / METRICS).read_text())
    metrics["mean_recall"] += 1
    (project.folder / METRICS).write_text(json.dumps(metrics))
    assert "mean_recall" in project.run("dvc", "metrics", "diff")
    project.set("  temperature: 0.07", "  temperature: 0.02")
    assert "train.loss.temperature" in project.run("dvc", "params", "diff")
    project.run("dvc", "plots", "show", "-o", "shown")
    page = (project.folder / "shown" / "index.html").read_text()
    for title in ("Recall at k of the image of a caption", "Loss of training", "Recall on val", "Time of a query"):
        assert title in page
    tracked = project.git("ls-files", "results").split()
    assert {METRICS, "results/tiny/plots/training.csv", "results/tiny/plots/gallery_time.csv"} <= set(tracked)
    templates = [
        plot.get("template")
        for each in yaml.safe_load((project.folder / "dvc.yaml").read_text())["plots"]
        for plot in each.values()
    ]
    assert templates == ["models"] * 4 + ["models_log"], "a colour for each model; the time of a query on logarithmic axes"
    assert not [path for path in tracked if path.endswith(".parquet")], "ranks are DVC's"
