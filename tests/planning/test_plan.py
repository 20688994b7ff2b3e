"""Plans: which step a changed setting reaches, what experiments share, what each step's file holds, what a report compares."""

import json
import os

import pytest
import yaml
from settings_files import CONFIG, edit

from vldeformer.errors import InputError
from vldeformer.planning.config import Settings, load_settings
from vldeformer.planning.plan import load_plan
from vldeformer.planning.step_sections import STEP_INPUTS, STEP_SECTIONS, cumulative_sections, section_values, step_version
from vldeformer.report.settings import split_seed

STEPS = sorted(STEP_SECTIONS)


def run_of(name):
    return yaml.safe_load((CONFIG / f"{name}.yaml").read_text())


def plan_of(config, dataset, *names, ablations=(), **seeds):
    experiments = {"all": list(names), "ablations": list(ablations), "seeds": seeds}
    return load_plan(config, {"dataset": dataset, "experiments": experiments})


def step_files(config):
    plan = load_plan(config, run_of("default"))
    return {(name, step): section_values(plan.settings[name], STEP_SECTIONS[step]) for name in plan.settings for step in STEPS}


def test_the_temperature_reaches_the_training_of_decomposed_models_and_nothing_else(config):
    before = step_files(config)
    edit(config / "experiments" / "decomposed.yaml", "temperature: 0.07", "temperature: 0.04")
    changed = {key for key, values in step_files(config).items() if values != before[key]}
    plan = load_plan(config, run_of("default"))
    dual = {name for name, settings in plan.settings.items() if settings.train.kind == "dual"}
    assert dual >= {"decomposed", "no_negatives", "scratch", "untrained"}
    own = {name for name in dual if name.startswith(("temperature_", "loss_"))}
    assert changed == {(name, "train") for name in dual - own}


def test_experiments_share_what_they_have_in_common():
    plan = load_plan(CONFIG, run_of("default"))
    assert {plan.home(name, "pretrain") for name in plan.settings} == {"base"}
    homes = {name: plan.home(name, "train") for name in plan.settings}
    assert homes == {name: "base" if name == "decomposed" else name for name in plan.settings}
    assert all(plan.experiment(plan.home(name, "train")) == name for name in plan.settings)
    assert plan.home("scratch_250", "negatives") == plan.home("decomposed_250", "negatives") == "decomposed_250"


def test_equal_rows_share_one_artifact_whose_owner_is_the_first_of_the_plan(config):
    edit(config / "ablations" / "temperature.yaml", "{train.loss.temperature: 0.02}", "{train.loss.temperature: 0.07}")
    edit(config / "ablations" / "temperature.yaml", "{train.loss.temperature: 0.1}", "{train.loss.temperature: 0.2}")
    plan = plan_of(config, "scenes", "decomposed", ablations=["temperature"])
    homes = [plan.home(f"temperature_{place}", "train") for place in (0.02, 0.04, 0.1, 0.2)]
    assert homes == ["base", "temperature_0.04", "temperature_0.1", "temperature_0.1"]


def test_a_home_depends_on_all_that_came_before(config):
    with (config / "experiments" / "joint.yaml").open("a") as file:
        file.write("regions: {seed: 5}\n")
    plan = plan_of(config, "scenes", "joint")
    homes = {step: plan.home("joint", step) for step in ("prepare", "features", "negatives", "train", "evaluate")}
    own = dict.fromkeys(("features", "negatives", "train", "evaluate"), "joint")
    assert homes == {"prepare": "base"} | own


def test_word_pieces_lie_with_the_imported_model_that_brings_them(config):
    (config / "experiments" / "own.yaml").write_text("pretrain: {checkpoint: null}\n")
    plan = plan_of(config, "coco_vilt", "joint", "own", "no_negatives")
    homes = {name: (plan.home(name, "vocabulary"), plan.home(name, "pretrain")) for name in plan.settings}
    assert homes == {"decomposed": ("base",) * 2, "joint": ("joint",) * 2, "own": ("own",) * 2, "no_negatives": ("base",) * 2}


def test_sections_add_up_along_the_steps():
    assert cumulative_sections("prepare") == ("dataset",)
    assert cumulative_sections("pretrain") == ("dataset", "regions", "vocabulary", "backbone", "pretrain", "runtime")
    assert set(cumulative_sections("report")) == set(Settings.model_fields)
    assert STEP_INPUTS.keys() == STEP_SECTIONS.keys()


def test_settings_are_loaded_when_they_are_asked_for(config):
    edit(config / "ablations" / "temperature.yaml", "{train.loss.temperature: 0.02}", "{train.loss.temperature: -1}")
    plan = load_plan(config, run_of("default"))
    assert "temperature_0.02" in plan.settings and len(plan.settings) == 49
    assert plan.settings["joint"] is plan.settings["joint"]
    with pytest.raises(InputError, match=r"row temperature_0\.02: setting train\.loss\.temperature: expected greater than 0"):
        plan.settings["temperature_0.02"]


def test_a_step_file_has_the_version_and_is_rewritten_only_if_it_changes(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = plan_of(config, "tiny", "joint").settings_file("base", "train")
    assert path == "artifacts/tiny/base/settings/train.json" and list(tmp_path.glob("artifacts/tiny/*/settings/*")) == [
        tmp_path / path
    ]
    values = json.loads((tmp_path / path).read_text())
    assert list(values) == ["version", "backbone", "train", "runtime"] and values["version"] == step_version("train")
    os.utime(path, (1, 1))
    plan_of(config, "tiny", "joint").settings_file("base", "train")
    assert (tmp_path / path).stat().st_mtime == 1
    edit(config / "experiments" / "decomposed.yaml", "temperature: 0.07", "temperature: 0.5")
    plan_of(config, "tiny", "joint").settings_file("base", "train")
    assert (tmp_path / path).stat().st_mtime > 1 and json.loads((tmp_path / path).read_text())["train"]["loss"][
        "temperature"
    ] == 0.5


@pytest.mark.parametrize("step", STEPS)
def test_every_step_has_a_version_and_a_file(step, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = load_plan(CONFIG, run_of("tiny"))
    values = json.loads((tmp_path / plan.settings_file("base", step)).read_text())
    made = {"record": {"record"}, "ablations": {"records"}}.get(step, set())
    assert values.keys() == {"version", *STEP_SECTIONS[step], *made} and values["version"] >= 1


def test_the_files_of_the_report_are_about_the_experiments_of_their_target(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = plan_of(CONFIG, "scenes", "joint", "decomposed", ablations=["pooling"])
    titles = {}
    for step in ("report", "page", "ablations"):
        titles[step] = json.loads((tmp_path / plan.settings_file("base", step)).read_text())["report"]["titles"]
    assert list(titles["report"]) == list(titles["page"]) == ["joint", "reranked", "decomposed"]
    assert list(titles["ablations"])[3:] == ["pooling_mean_all", "pooling_mean_max", "pooling_cls", "pooling_sep"]


def test_a_report_is_about_the_experiments_of_the_run(config):
    report = plan_of(CONFIG, "scenes", "decomposed", "joint").report
    assert list(report.titles) == ["joint", "reranked", "decomposed"] and report.decomposed == ["decomposed", "reranked"]
    assert list(report.ablations) == ["depth"]
    (config / "experiments" / "mine.yaml").write_text("train: {steps: 1, warmup_steps: 0}")
    with pytest.raises(InputError, match=r"experiment 'mine' has no title; add `title: …` to .*config/experiments/mine\.yaml"):
        plan_of(config, "scenes", "mine").report  # noqa: B018


def test_an_ablation_brings_its_rows_and_what_their_gains_are_counted_from():
    assert plan_of(CONFIG, "scenes", "joint", ablations=["weights"]).ablated == ["joint", "decomposed", "separate_weights"]
    assert plan_of(CONFIG, "scenes", "joint", ablations=["share", "untrained"]).ablated == [
        "joint", "whole_start", "decomposed", "untrained"
    ]  # fmt: skip
    assert plan_of(CONFIG, "scenes", "joint", joint=2).ablated == ["joint", "joint_seed1", "joint_seed2"]
    with pytest.raises(InputError, match="experiment 'weight' is unknown"):
        plan_of(CONFIG, "scenes", "joint", ablations=["weight"])


def test_a_row_is_added_by_one_edit(config):
    before = plan_of(config, "tiny", "decomposed", ablations=["temperature"])
    with (config / "ablations" / "temperature.yaml").open("a") as file:
        file.write("  - {title: Temperature 0.5, at: 0.5, set: {train.loss.temperature: 0.5}}\n")
    after = plan_of(config, "tiny", "decomposed", ablations=["temperature"])
    assert set(after.ablated) - set(before.ablated) == {"temperature_0.5"}
    assert after.settings["temperature_0.5"].train.loss.temperature == 0.5
    row = after.ablations_report.ablations["temperature"].rows[-1]
    assert (row.experiment, row.at) == ("temperature_0.5", 0.5)
    assert after.ablations_report.titles["temperature_0.5"] == "Temperature 0.5"


def test_a_run_with_another_seed_is_the_experiment_with_that_seed():
    plain, seeded = (load_settings(CONFIG, "tiny", name) for name in ("joint", "joint_seed2"))
    assert seeded.train.seed == 2 != plain.train.seed
    assert seeded.train.model_copy(update={"seed": plain.train.seed}) == plain.train
    assert load_settings(CONFIG, "tiny", "decomposed_seed1").train.seed == 1
    with pytest.raises(InputError, match="experiment 'jiont_seed1' is unknown"):
        load_settings(CONFIG, "tiny", "jiont_seed1")
    titles = plan_of(CONFIG, "tiny", "decomposed_seed1", "joint", "decomposed").report.titles
    reranked = {"reranked": "Decomposed, re-ranked by the joint model"}
    decomposed = {"decomposed": "Decomposed", "decomposed_seed1": "Decomposed, seed 1"}
    assert list(titles.items()) == list(({"joint": "Joint (early interaction)"} | reranked | decomposed).items())


def test_an_ablation_keeps_the_rows_that_are_run_with_their_reference():
    ablations = plan_of(CONFIG, "scenes", "decomposed", "decomposed_250", "scratch", "pooling_cls").report.ablations
    assert {name: [row.experiment for row in ablation.rows] for name, ablation in ablations.items()} == {
        "start": ["decomposed", "scratch"],
        "pooling": ["decomposed", "pooling_cls"],
    }
    assert ablations["start"].axis is None, "two points are no curve"


@pytest.mark.parametrize("dataset", sorted(path.stem for path in (CONFIG / "datasets").iterdir()))
def test_places_on_an_axis_are_those_of_the_data_set(dataset):
    controls = ["linear", "linear_scratch_text"] if dataset == "flickr8k" or dataset.endswith("lite") else []
    plan = plan_of(CONFIG, dataset, *controls, "joint", "decomposed", "scratch")
    ablations, train = plan.report.ablations, {"scenes": 2000, "flickr8k": 6000}.get(dataset)
    whole = {row.at for row in ablations["start"].rows if row.experiment in ("decomposed", "scratch")}
    layers = {row.at for row in ablations["depth"].rows if row.experiment == "joint"}
    assert whole == {train} and layers in ({plan.base.backbone.layers}, {None})


def test_the_claims_are_of_trained_models_that_embed_each_item_alone():
    report = load_settings(CONFIG, "scenes", "decomposed").report
    trained = [load_settings(CONFIG, "scenes", name).train for name in report.claimed]
    assert all(train.kind == "dual" and train.steps > 0 for train in trained)
    assert set(report.decomposed) - set(report.claimed) == {"reranked", "untrained"}
    assert plan_of(CONFIG, "scenes", "joint", "decomposed").report.claimed == ["decomposed"]


def test_batches_of_another_size_are_measured_as_often():
    trains = [
        load_settings(CONFIG, "scenes", name).train for name in ("decomposed", "batch_32", "batch_64", "batch_256", "batch_512")
    ]
    assert {-(-train.steps // train.validate_steps) for train in trains} == {6}
    assert {train.steps * train.batch_images for train in trains} == {300 * 128}


def test_every_row_of_an_ablation_is_an_experiment_of_the_default_run_and_no_two_are_equal():
    plan = load_plan(CONFIG, run_of("default"))
    report = plan.ablations_report
    order = plan.base.report.ablations
    assert sorted(order) == sorted(plan.files.ablations)
    assert list(report.ablations) == [name for name in order if name in plan.run.experiments.ablations]
    rows = {row.experiment for ablation in report.ablations.values() for row in ablation.rows}
    assert rows <= set(plan.settings) and rows <= set(report.titles)
    assert len({str((settings.train, settings.negatives)) for settings in plan.settings.values()}) == len(plan.settings)


def test_a_comparison_is_an_ablation_or_the_runs_with_other_seeds():
    plan = plan_of(CONFIG, "scenes", "joint", "decomposed", ablations=["pooling", "untrained"], joint=2, decomposed=1)
    assert plan.run.experiments.comparisons(plan.files) == {
        "pooling": list(dict.fromkeys(plan.files.ablations["pooling"].experiments("pooling"))),
        "seeds": ["joint", "joint_seed1", "joint_seed2", "decomposed", "decomposed_seed1"],
    }
    assert plan_of(CONFIG, "scenes", "joint").run.experiments.comparisons(plan.files) == {}


def test_titles_of_models_that_read_other_texts_are_marked():
    run = run_of("flickr8k")
    titles = load_plan(CONFIG, run).ablations_report.titles
    clean = {"linear_scratch_text", "clean", "apart_random_250", "apart_random_500", "apart_random_1000"}
    marked = {name for name, title in titles.items() if title.endswith(" †")}
    assert {split_seed(name)[0] for name in titles if name not in marked} == clean
    assert {"linear", "joint", "decomposed", "reranked", "scratch", "decomposed_seed1"} <= marked
    rows = load_plan(CONFIG, run).ablations_report.ablations["clean"].rows
    assert [row.title.endswith(" †") for row in rows] == [True, True, False, False]
    assert not any("†" in title for title in plan_of(CONFIG, "scenes", "joint", "decomposed").report.titles.values())
