import json

import pytest

from vldeformer.errors import InputError
from vldeformer.evaluation.measures import Estimate
from vldeformer.report.metrics import verdict, write_metrics
from vldeformer.report.results import ResultSet


def test_what_is_in_the_file(result_paths, settings, tmp_path):
    write_metrics(tmp_path / "metrics.json", ResultSet.load(result_paths), settings)
    value = json.loads((tmp_path / "metrics.json").read_text())
    assert set(value["models"]) == {"joint", "decomposed"}
    joint, decomposed = value["models"]["joint"], value["models"]["decomposed"]
    assert "test" not in joint
    assert decomposed["test"]["n_images"] == 60
    for entry in (joint, decomposed, decomposed["test"]):
        six = [entry[direction][name] for direction in ("i2t", "t2i") for name in ("R@1", "R@5", "R@10")]
        assert entry["mean_recall"] == pytest.approx(sum(six) / 6)
    drop = value["recall_drop"]
    assert drop["value"] == pytest.approx(joint["mean_recall"] - decomposed["mean_recall"])
    assert drop["low"] <= drop["value"] <= drop["high"]
    assert (drop["claim"], drop["held"], drop["verdict"]) == (0.6, False, "not held")
    assert value["recall_drops"]["decomposed"]["value"] == drop["value"]


def test_same_bytes_and_no_path_whatever_the_order(result_paths, settings, tmp_path):
    write_metrics(tmp_path / "one.json", ResultSet.load(result_paths), settings)
    write_metrics(tmp_path / "two.json", ResultSet.load(result_paths[::-1]), settings)
    text = (tmp_path / "one.json").read_text()
    assert text == (tmp_path / "two.json").read_text()
    assert str(tmp_path) not in text


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        (Estimate(0.2, -0.1, 0.59), "held"),
        (Estimate(0.2, -0.1, 0.6), "unknown"),
        (Estimate(-0.5, -2, 0.9), "unknown"),
        (Estimate(2, 0.6, 3), "not held"),
        (Estimate(-0.5, -1, -0.1), "held"),
        (Estimate(-3, -4, -0.6), "held"),
        (Estimate(-3, -4, -0.7), "unknown"),  # a joint model so much worse did not learn
    ],
)
def test_a_claim_is_held_only_if_the_whole_interval_allows_it(estimate, expected):
    assert verdict(estimate, 0.6) == expected


def test_drop_needs_the_same_pairs(make):
    results = ResultSet([make("joint", "subset", 40, 10, 1), make("decomposed", "subset", 39, 10, 1)])
    with pytest.raises(InputError, match="different pairs"):
        results.drop("joint", "decomposed")


def test_missing_and_repeated_results(make, settings):
    with pytest.raises(InputError, match="no result of experiment 'joint' under protocol 'subset'"):
        ResultSet([make("decomposed", "subset", 4, 10, 1)]).drop("joint", "decomposed")
    with pytest.raises(InputError, match="two results"):
        ResultSet([make("joint", "subset", 4, 10, 1)] * 2)
    with pytest.raises(InputError, match="one dataset, got none"):
        ResultSet([])
    with pytest.raises(InputError, match="'scratch' has no title"):
        ResultSet([make("scratch", "subset", 4, 10, 1)]).ordered(settings.titles, "subset")
