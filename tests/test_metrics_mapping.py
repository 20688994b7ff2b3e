"""The script that compares report.json with a metrics.json of the old shape."""

import json

import pytest
from made_reports import ablation, around, choice, drop, recall, report
from metrics_mapping import compare, differences, old_ablations, old_metrics


@pytest.fixture
def plain():
    """A report as JSON."""
    rows = ablation("start", choice("decomposed", around(1.0), "scratch", 250.0, {0: 0.5, 1: 1.5}, around(2.0)))
    recalls = [recall("joint"), recall("decomposed", start=40.0), recall("decomposed", "test", 30.0)]
    return json.loads(report(drops=[drop("decomposed")], recalls=recalls, ablations=(rows,)).model_dump_json())


def test_the_main_run_has_the_old_shape(plain):
    old = old_metrics(plain)
    assert old.keys() == {"dataset", "models", "recall_drop", "recall_drops"}
    entry = old["models"]["decomposed"]
    assert (entry["mean_recall"], entry["intervals"]) == (40.0, {"mean_recall": [39.5, 40.5]})
    assert entry["test"]["t2i"]["R@5"] == 55.0 and entry["test"]["t2i"]["intervals"]["R@5"] == [54.5, 55.5]
    expected = {"value": 0.2, "low": 0.0, "high": 0.5, "claim": 0.6, "seeds": 5, "claimed": True}
    assert old["recall_drops"] == {"decomposed": expected}
    assert old["recall_drop"] == expected | {"baseline": "joint", "model": "decomposed", "protocol": "subset"}


def test_the_ablations_have_the_old_shape(plain):
    row = old_ablations(plain)["ablations"]["start"]["decomposed"]
    assert row["gain"] == {"value": 1.0, "low": 0.5, "high": 1.5, "each_seed": {"0": 0.5, "1": 1.5}}
    assert row["compositional_gain"] == {"value": 2.0, "low": 1.5, "high": 2.5, "seeds": 5}
    assert (row["at"], row["reference"], row["line"]) == (250.0, "scratch", None)


def test_a_value_that_differs_is_named(plain, tmp_path):
    judged = old_metrics(plain)
    judged["recall_drops"]["decomposed"] |= {"verdict": "held", "held": True}
    for name, value in (("old", judged), ("new", plain)):
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    found, values = compare(tmp_path / "old.json", tmp_path / "new.json")
    assert found == [] and values > 60
    old = old_metrics(plain)
    old["models"]["joint"]["i2t"]["R@1"] += 1e-12
    del old["recall_drop"]["seeds"]
    assert len(list(differences(old, old_metrics(plain)))) == 2
