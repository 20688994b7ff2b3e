"""The record of a run: what is stored is what is read, and a damaged file is one line."""

import json

import pytest
from made_reports import ablation, around, choice, drop, recall, report
from older_files import forget

from vldeformer.errors import InputError
from vldeformer.evaluation.run_report import RunReport


@pytest.fixture
def made():
    rows = ablation("start", choice("decomposed", around(1.0), "scratch", 250.0, {0: 0.5, 10: 1.5, 2: 1.0}, around(2.0)))
    return report(drops=[drop("decomposed"), drop("other")], recalls=[recall("joint"), recall("decomposed")], ablations=(rows,))


def test_a_report_is_read_as_it_was_written(made, tmp_path):
    made.save(tmp_path / "report.json")
    assert RunReport.load(tmp_path / "report.json") == made
    assert list(RunReport.load(tmp_path / "report.json").titles) == ["joint", "decomposed", "other"], "in the order of the tables"


def test_the_headline_is_joint_minus_decomposed(made):
    line = made.headline()
    assert [line[key] for key in ("model", "verdict", "drop_low", "drop_high")] == ["decomposed", "held", 0.0, 0.5]
    assert line["drop"] == pytest.approx(line["joint_mean_recall"] - line["mean_recall"])
    with pytest.raises(InputError, match=r"report\.main is 'decomposed', expected one of report\.decomposed \(other\)"):
        made.model_copy(update={"drops": (drop("other"),)}).headline()


def test_the_metrics_have_the_mean_recall_of_every_model(made):
    found = [recall("joint", "subset", 20), recall("decomposed", "subset", 30), recall("decomposed", "test", 10)]
    means = [one.mean_recall.value for one in found]
    models = made.model_copy(update={"recalls": tuple(found)}).headline()["models"]
    assert models == {
        "joint": {"mean_recall": means[0]},
        "decomposed": {"mean_recall": means[1], "test": {"mean_recall": means[2]}},
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda value: [], "key 'the file'"),
        (lambda value: value | {"more": 1}, "key 'more'"),
        (lambda value: value | {"drops": [{"experiment": "x"}]}, "key 'drops.0.drop': Field required"),
        (lambda value: value | {"speed": {}}, "key 'speed.pair_ms': Field required"),
    ],
)
def test_a_damaged_report_is_one_line_that_names_the_key(made, tmp_path, change, expected):
    path = tmp_path / "report.json"
    made.save(path)
    path.write_text(json.dumps(change(json.loads(forget(path).read_text()))))
    with pytest.raises(InputError) as caught:
        RunReport.load(path)
    assert str(path) in str(caught.value) and expected in str(caught.value) and "\n" not in str(caught.value)
