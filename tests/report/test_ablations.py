import csv
import json

import pytest

from vldeformer.errors import InputError
from vldeformer.evaluation.measures import Estimate
from vldeformer.report.ablations import Beside, Quantity, ablation_table, ablation_values, judge
from vldeformer.report.curves import save_ablation_curve, save_cost
from vldeformer.report.results import ResultSet
from vldeformer.report.settings import Ablation, AblationRow, split_seed
from vldeformer.report.sources import find_cell, value_in

ROWS = [AblationRow(experiment="with", at=1, line="one"), AblationRow(experiment="without", title="None", at=2, line="two")]
ABLATION = Ablation(title="A choice", reference="without", axis="Size", logarithmic=True, rows=ROWS)
TITLES = {"with": "With it", "without": "Without it"}
SEEDS = {"with": 10, "with_seed1": 12, "with_seed2": 11, "without": 20, "without_seed1": 25}


@pytest.fixture
def results(make, tmp_path):
    paths = []
    for seed, (name, worst) in enumerate(SEEDS.items()):
        paths.append(tmp_path / name / "test.json")
        make(name, "test", 40, worst, seed).save(paths[-1])
    return ResultSet.load(paths)


@pytest.fixture
def judged(results):
    return judge(ABLATION, results, TITLES)


def test_seeds_are_told_by_names():
    assert [split_seed(name) for name in ("a_seed12", "a", "a_seed0", "_seed1")] == [
        ("a", 12),
        ("a", 0),
        ("a_seed0", 0),
        ("_seed1", 0),
    ]


def test_a_gain_is_the_mean_of_the_seeds_that_both_were_run_with(results, judged):
    means = {name: results.need(name, "test").mean_recall.value for name in SEEDS}
    first, second = judged
    assert first.mean.value == pytest.approx((means["with"] + means["with_seed1"] + means["with_seed2"]) / 3)
    each = [means[f"with{seed}"] - means[f"without{seed}"] for seed in ("", "_seed1")]
    assert list(first.each) == [0, 1] and list(first.each.values()) == pytest.approx(each)
    assert first.gain.value == pytest.approx(sum(each) / 2)
    assert first.gain.low <= first.gain.value <= first.gain.high
    assert second.gain is None and second.title == "None"
    values = ablation_values(judged, [])
    assert values["with"]["gain"]["value"] == first.gain.value and values["without"]["gain"] is None


def test_one_run_has_the_interval_of_its_result(make):
    results = ResultSet([make("with", "test", 40, 10, 1), make("without", "test", 40, 20, 2)])
    (first, _), own = judge(ABLATION, results, TITLES), results.need("with", "test").mean_recall
    assert (first.mean.low, first.mean.high) == pytest.approx((own.low, own.high))


def test_different_images_and_missing_results_are_refused(make):
    with pytest.raises(InputError, match="different pairs"):
        judge(ABLATION, ResultSet([make("with", "test", 40, 10, 1), make("without", "test", 30, 20, 2)]), TITLES)
    with pytest.raises(InputError, match="no result of experiment 'without'"):
        judge(ABLATION, ResultSet([make("with", "test", 40, 10, 1)]), TITLES)


def test_a_cell_leads_back_to_its_file(judged, tmp_path):
    beside = [Quantity("cost", "Cost (s)", 1, {"without": Beside(3.25, ("cost.json",), "seconds")}, timed=True)]
    beside.append(Quantity("accuracy", "Accuracy", 1, {"with": Beside(Estimate(60.0, 55.0, 65.0), ("a.json", "b.json"))}))
    table = ablation_table("choice", ABLATION, judged, TITLES, beside, "tiny")
    table.save(tmp_path)
    assert table.shown["Cost (s)"].tolist() == ["", "3.2"] and table.shown["Accuracy"].tolist() == ["60.0 [55.0, 65.0]", ""]
    assert "\\toprule" in (tmp_path / "choice.tex").read_text()
    path = tmp_path / "choice.csv"
    gain = find_cell(path, ["with"], "gain")
    files, key = gain.source.of("gain")
    assert key is None and [file.split("/")[-2] for file in files] == [*SEEDS] and float(gain.value) == judged[0].gain.value
    assert find_cell(path, ["without"], "cost").source.of("cost") == (("cost.json",), "seconds")
    assert find_cell(path, ["with"], "accuracy").source.of("accuracy") == (("a.json", "b.json"), None)
    assert "cost" not in ablation_values(judged, beside)["without"], "times do not belong into metrics.json"
    with pytest.raises(InputError, match=r"choice\.csv: no column 'gian'; there are choice, experiment"):
        find_cell(path, ["with"], "gian")
    with pytest.raises(InputError, match="no row holds 'other'"):
        find_cell(path, ["other"], "gain")
    with pytest.raises(InputError, match="expected a table"):
        find_cell(tmp_path / "none.csv", ["with"], "gain")


def test_a_single_run_is_found_at_its_key(make, tmp_path):
    paths = [tmp_path / name / "test.json" for name in ("with", "without")]
    for seed, path in enumerate(paths):
        make(path.parent.name, "test", 40, 10 + seed, seed).save(path)
    ablation_table("choice", ABLATION, judge(ABLATION, ResultSet.load(paths), TITLES), TITLES, [], "tiny").save(tmp_path)
    cell = find_cell(tmp_path / "choice.csv", ["without"], "mean_recall_low")
    (file,), key = cell.source.of("mean_recall_low")
    assert file == str(paths[1]) and value_in(paths[1], key) == float(cell.value)
    with pytest.raises(InputError, match="no value at 'mean_recall/x'"):
        value_in(paths[1], "mean_recall/x")


def test_curves_are_drawn_and_have_the_same_bytes_twice(judged, tmp_path):
    cost = Quantity("seconds", "s", 1, {"with": Beside(1.0, ()), "without": Beside(100.0, ())})
    for name in ("one", "two"):
        save_ablation_curve(tmp_path / name, ABLATION, judged)
        save_cost(tmp_path / f"{name}_cost", ABLATION, judged, cost)
    for suffix in (".svg", ".png", "_cost.svg", "_cost.png"):
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()
    drawn = (tmp_path / "one.svg").read_text()
    assert all(f"<!-- {text} -->" in drawn for text in ("one", "two", "Size"))


def test_the_table_is_the_same_in_csv_and_json(judged, tmp_path):
    table = ablation_table("choice", ABLATION, judged, TITLES, [], "tiny")
    table.save(tmp_path)
    (first, _) = csv.DictReader((tmp_path / "choice.csv").read_text().splitlines())
    assert float(first["gain_seed_1"]) == judged[0].each[1] and first["reference"] == "without"
    assert len(json.loads((tmp_path / "choice.sources.json").read_text())["rows"]) == 2


def test_runs_and_the_pairs_of_a_gain_are_told_apart(make, judged):
    shown = ablation_table("choice", ABLATION, judged, TITLES, [], "tiny").shown
    assert shown["Seeds"].tolist() == ["3; gain of 2", "2"]
    alone = [make("with", "test", 40, 10, 1), make("with_seed2", "test", 40, 12, 2)]
    others = [make("without", "test", 40, 20, 3), make("without_seed2", "test", 40, 25, 4)]
    first, _ = paired = judge(ABLATION, ResultSet([*alone, *others]), TITLES)
    table = ablation_table("choice", ABLATION, paired, TITLES, [], "tiny")
    assert table.shown["Seeds"].tolist() == ["2", "2"], "as many pairs as runs"
    assert "gain_seed_1" not in table.numbers and table.numbers["gain_seed_2"][0] == first.each[2]
    assert ablation_values(paired, [])["with"]["gain"]["each_seed"] == {"0": first.each[0], "2": first.each[2]}


def test_a_number_beside_recall_says_its_own_seeds(judged):
    gain = Beside(Estimate(1.0, 0.5, 1.5), ("a.json", "b.json"), seeds=2)
    values = ablation_values(judged, [Quantity("compositional_gain", "Gain", 1, {"with": gain})])
    assert values["with"]["compositional_gain"] == {"value": 1.0, "low": 0.5, "high": 1.5, "seeds": 2}
