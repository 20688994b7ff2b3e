"""What is written of a report: the same bytes each time, and curves for `dvc plots` by model."""

import csv
import json

import pytest

from vldeformer.evaluation.run_report import RunReport
from vldeformer.report.views import headline_text, write_report

TABLES = {f"tables/{name}.{form}" for name in ("headline", "recall", "recall_drop", "speed") for form in ("md", "csv", "tex")}
TABLES |= {f"tables/{name}.sources.json" for name in ("headline", "recall", "recall_drop", "speed")}
FIGURES = {f"figures/{name}.{form}" for name in ("recalls", "gallery_time", "training") for form in ("svg", "png")}
PLOTS = {f"plots/{name}.csv" for name in ("recall", "training", "validation", "gallery_time")}


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_all_views_are_written_with_the_same_bytes_each_time_and_without_a_date(report, tmp_path):
    for name in ("one", "two"):
        assert write_report(report, tmp_path / name) == ["metrics.json", "report.json", "tables", "figures", "plots"]
    files = {path.relative_to(tmp_path / "one").as_posix() for path in (tmp_path / "one").rglob("*") if path.is_file()}
    assert files == TABLES | FIGURES | PLOTS | {"metrics.json", "report.json"}
    for file in files:
        content = (tmp_path / "one" / file).read_bytes()
        assert content == (tmp_path / "two" / file).read_bytes() and b"dc:date" not in content


def test_metrics_json_is_the_headline_without_times_and_paths(report, tmp_path):
    write_report(report, tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics == report.headline() and len(metrics) == 8
    assert str(tmp_path) not in (tmp_path / "metrics.json").read_text()
    assert RunReport.load(tmp_path / "report.json") == report


def test_the_headline_has_a_line_for_each_of_the_two_models(report):
    *_, header, _, joint, main = headline_text(report).strip().splitlines()
    drop = report.main_drop()
    assert [cell.strip() for cell in header.strip("|").split("|")] == [
        "Model",
        "Mean recall",
        "Drop (points)",
        "Drop below 0.6",
        "Speed-up",
    ]
    cells = [cell.strip() for cell in main.strip("|").split("|")]
    interval = f"{drop.drop.value:.2f} [{drop.drop.low:.2f}, {drop.drop.high:.2f}]"
    assert cells == ["Decomposed & more", f"{drop.mean_recall:.1f}", interval, "unknown", "2,046 [1,990, 2,101] times"]
    assert [cell.strip() for cell in joint.strip("|").split("|")] == [
        "Joint (early interaction)",
        f"{drop.joint_mean_recall:.1f}",
        "",
        "",
        "1",
    ]


def test_curves_are_those_of_the_report(report, tmp_path):
    write_report(report, tmp_path)
    recall = rows(tmp_path / "plots/recall.csv")
    assert {row["model"] for row in recall} == {"Joint (early interaction)", "Decomposed & more"} and len(recall) == 40
    for one in report.under("subset"):
        own = [row for row in recall if row["model"] == report.titles[one.experiment]]
        assert [int(row["k"]) for row in own] == list(range(1, 21))
        assert [float(row["i2t"]) for row in own] == list(one.i2t_at) and [float(row["t2i"]) for row in own] == list(one.t2i_at)
    losses = [row for row in rows(tmp_path / "plots/training.csv") if row["model"] == "Joint (early interaction)"]
    assert [float(row["loss"]) for row in losses] == pytest.approx([5 / (1 + step) for step in range(1, 40)])
    assert [float(row["mean_recall"]) for row in rows(tmp_path / "plots/validation.csv")] == [20, 40, 20, 40]
    times = rows(tmp_path / "plots/gallery_time.csv")
    joint = [float(row["ms"]) for row in times if row["model"] == "Joint (early interaction)"]
    assert joint == pytest.approx([1000 * point.joint_seconds_per_query for point in report.speed.gallery_curve])
