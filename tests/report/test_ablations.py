"""Ablations: means over seeds and gains by plain loops, and the table with its sources."""

import csv

import pytest

from vldeformer.errors import InputError
from vldeformer.evaluation.over_seeds import SeedEstimate
from vldeformer.evaluation.run_facts import Number
from vldeformer.report.ablation_table import ablation_table
from vldeformer.report.collect import ablation_result, ablations_report
from vldeformer.report.compositional import CompositionalSet
from vldeformer.report.measured import Measured, from_results
from vldeformer.report.results import ResultSet
from vldeformer.report.settings import Ablation, AblationRow, split_seed
from vldeformer.report.sources import find_cell, value_in

ROWS = [AblationRow(experiment="with", at=1, line="one"), AblationRow(experiment="without", title="None", at=2, line="two")]
ABLATION = Ablation(title="A choice", reference="without", axis="Size", logarithmic=True, rows=ROWS)
TITLES = {"with": "With it", "without": "Without it"}
SEEDS = {"with": 10, "with_seed1": 12, "with_seed2": 11, "without": 20, "without_seed1": 25}


@pytest.fixture
def paths(make, tmp_path):
    made = []
    for seed, (name, worst) in enumerate(SEEDS.items()):
        made.append(tmp_path / name / "test.json")
        make(name, "test", 40, worst, seed).save(made[-1])
    return made


@pytest.fixture
def results(paths):
    return ResultSet.load(paths)


@pytest.fixture
def judge(report):
    """A function: results → the ablation and a report that holds it."""

    def judged(results, seconds=()):
        found = ablation_result("choice", ABLATION, TITLES, Measured(results, CompositionalSet([]), dict(seconds)))
        models = [{"experiment": name, "title": title} for name, title in TITLES.items()]
        return found, report.model_validate(report.model_dump() | {"models": models, "ablations": [found.model_dump()]})

    return judged


def table_of(ablation, report):
    return ablation_table(report, ablation)


def test_seeds_are_read_from_names():
    assert [split_seed(name) for name in ("a_seed12", "a", "a_seed0", "_seed1")] == [
        ("a", 12),
        ("a", 0),
        ("a_seed0", 0),
        ("_seed1", 0),
    ]


def test_a_gain_is_the_mean_of_the_seeds_that_both_were_run_with(results, judge):
    means = {name: results.need(name, "test").mean_recall.value for name in SEEDS}
    first, second = judge(results)[0].choices
    assert first.mean_recall.value == pytest.approx((means["with"] + means["with_seed1"] + means["with_seed2"]) / 3)
    each = [means[f"with{seed}"] - means[f"without{seed}"] for seed in ("", "_seed1")]
    assert list(first.gain_by_seed) == [0, 1] and list(first.gain_by_seed.values()) == pytest.approx(each)
    assert first.gain.value == pytest.approx(sum(each) / 2)
    assert first.gain.low <= first.gain.value <= first.gain.high
    assert second.gain is None and second.title == "None" and second.seeds == 2


def test_one_run_has_the_interval_of_its_result(make, judge):
    results = ResultSet([make("with", "test", 40, 10, 1), make("without", "test", 40, 20, 2)])
    first, own = judge(results)[0].choices[0], results.need("with", "test").mean_recall
    assert (first.mean_recall.low, first.mean_recall.high) == pytest.approx((own.low, own.high))


def test_different_images_and_missing_results_are_refused(make, judge):
    with pytest.raises(InputError, match="different pairs"):
        judge(ResultSet([make("with", "test", 40, 10, 1), make("without", "test", 30, 20, 2)]))
    with pytest.raises(InputError, match="no result of experiment 'without'"):
        judge(ResultSet([make("with", "test", 40, 10, 1)]))


def test_a_cell_leads_back_to_its_files(results, judge, tmp_path):
    found, report = judge(results, {"without": Number(value=3.25, files=("cost.json",), key="seconds")})
    accuracy = Number(value=SeedEstimate(60.0, 55.0, 65.0), files=("a.json", "b.json"))
    tested = found.choices[0].model_copy(update={"compositional": accuracy})
    table = table_of(found.model_copy(update={"choices": (tested, found.choices[1])}), report)
    table.save(tmp_path)
    shown = table.shown()
    assert shown["Whole test set"].tolist() == ["", "3.25 s"] and shown["Compositional (%)"].tolist() == ["60.0 [55.0, 65.0]", ""]
    assert "\\toprule" in (tmp_path / "choice.tex").read_text()
    path = tmp_path / "choice.csv"
    gain = find_cell(path, ["with"], "gain")
    files, key = gain.source.of("gain")
    assert key is None and [file.split("/")[-2] for file in files] == [*SEEDS] and float(gain.value) == tested.gain.value
    assert find_cell(path, ["without"], "seconds").source.of("seconds") == (("cost.json",), "seconds")
    assert find_cell(path, ["with"], "compositional").source.of("compositional") == (("a.json", "b.json"), None)
    with pytest.raises(InputError, match=r"choice\.csv: no column 'gian'; there are choice, experiment"):
        find_cell(path, ["with"], "gian")
    with pytest.raises(InputError, match="no row holds 'other'"):
        find_cell(path, ["other"], "gain")
    with pytest.raises(InputError, match="expected a table"):
        find_cell(tmp_path / "none.csv", ["with"], "gain")


def test_a_single_run_is_found_at_its_key(make, judge, tmp_path):
    paths = [tmp_path / name / "test.json" for name in ("with", "without")]
    for seed, path in enumerate(paths):
        make(path.parent.name, "test", 40, 10 + seed, seed).save(path)
    table_of(*judge(ResultSet.load(paths))).save(tmp_path)
    cell = find_cell(tmp_path / "choice.csv", ["without"], "mean_recall_low")
    (file,), key = cell.source.of("mean_recall_low")
    assert file == str(paths[1]) and value_in(paths[1], key) == float(cell.value)
    with pytest.raises(InputError, match="no value at 'mean_recall/x'"):
        value_in(paths[1], "mean_recall/x")


def test_the_table_in_csv_has_every_seed(results, judge, tmp_path):
    found, report = judge(results)
    table_of(found, report).save(tmp_path)
    (first, _) = csv.DictReader((tmp_path / "choice.csv").read_text().splitlines())
    assert float(first["gain_seed_1"]) == found.choices[0].gain_by_seed[1] and first["reference"] == "without"
    assert float(first["gain"]) == found.choices[0].gain.value and first["at"] == "1.0"


def test_runs_and_the_pairs_of_a_gain_are_counted_apart(make, results, judge):
    shown = table_of(*judge(results)).shown()
    assert shown["Seeds"].tolist() == ["3; gain of 2", "2"] and shown["Against"].tolist() == ["Without it", ""]
    alone = [make("with", "test", 40, 10, 1), make("with_seed2", "test", 40, 12, 2)]
    others = [make("without", "test", 40, 20, 3), make("without_seed2", "test", 40, 25, 4)]
    found, report = judge(ResultSet([*alone, *others]))
    table = table_of(found, report)
    assert table.shown()["Seeds"].tolist() == ["2", "2"], "as many pairs as runs"
    assert "gain_seed_1" not in table.numbers() and table.numbers()["gain_seed_2"][0] == found.choices[0].gain_by_seed[2]


def test_the_report_of_the_ablations_has_drops_over_seeds_and_the_cost_of_joint_models(make, settings, speed_path, tmp_path):
    paths = []
    for seed, (name, worst) in enumerate({"joint": 10, "joint_seed1": 12, "decomposed": 20, "decomposed_seed1": 25}.items()):
        paths.append(tmp_path / name / "subset.json")
        make(name, "subset", 40, worst, seed).save(paths[-1])
    cost = tmp_path / "pair_time.json"
    cost.write_text('{"joint_layers": 2, "seconds": 9.5}')
    rows = [AblationRow(experiment="decomposed"), AblationRow(experiment="joint")]
    depth = Ablation(title="Depth", protocol="subset", reference="joint", rows=rows)
    titles = settings.titles | {"joint_seed1": "Joint, seed 1", "decomposed_seed1": "Decomposed, seed 1"}
    section = settings.model_copy(update={"ablations": {"depth": depth}, "titles": titles})
    made = ablations_report(section, from_results(paths, [], {"joint": cost}), speed_path)
    first, second = made.ablation("depth").choices
    assert (first.seconds.value, first.seconds.key) == (1.002, "dual_seconds") and second.seconds.value == 9.5
    assert made.main_drop().seeds == 2 and made.main_drop().drop.value == pytest.approx(-first.gain.value)
    assert made.speed is None and made.headline()["model"] == "decomposed"
