import csv
import json

import pytest

from vldeformer.evaluation.result import RetrievalResult
from vldeformer.report.plots import write_plots
from vldeformer.report.results import ResultSet
from vldeformer.report.speed import Speed


def rows(path):
    with path.open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def test_curves_are_those_of_ranks_journals_and_times(result_paths, settings, speed_path, tmp_path):
    journal = tmp_path / "journal.jsonl"
    journal.write_text('{"step": 1, "loss": 3.5}\n{"step": 2, "loss": 2.5}\n{"step": 2, "val_mean_recall": 40.0}\n')
    speed = Speed.model_validate(json.loads(speed_path.read_text()))
    write_plots(tmp_path / "plots", ResultSet.load(result_paths), speed, {"joint": journal}, settings)
    assert rows(tmp_path / "plots/training/joint.csv") == [{"step": 1, "loss": 3.5}, {"step": 2, "loss": 2.5}]
    assert rows(tmp_path / "plots/validation/joint.csv") == [{"step": 2, "mean_recall": 40.0}]
    (path,) = [path for path in result_paths if RetrievalResult.load(path).experiment == "joint"]
    ranks = RetrievalResult.load(path).ranks
    curve = rows(tmp_path / "plots/recall/joint.csv")
    assert [row["k"] for row in curve] == list(range(1, 21))
    for row in curve:
        assert row["i2t"] == pytest.approx(100 * sum(rank <= row["k"] for rank in ranks.i2t) / len(ranks.i2t))
        assert row["t2i"] == pytest.approx(100 * sum(rank <= row["k"] for rank in ranks.t2i) / len(ranks.t2i))
    times = rows(tmp_path / "plots/gallery_time.csv")
    assert [row["joint_ms"] for row in times] == pytest.approx(
        [1000 * each.joint_seconds_per_query for each in speed.gallery_curve]
    )
