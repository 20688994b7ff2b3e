"""Plans: which stage a changed setting reaches, what experiments share, and what each stage's file holds."""

import json
import os

import pytest
import yaml
from settings_files import CONFIG, edit

from vldeformer.config import Settings, load_settings
from vldeformer.errors import InputError
from vldeformer.plan import (
    STAGE_INPUTS,
    STAGE_SECTIONS,
    cumulative_sections,
    load_plan,
    report_settings,
    stage_values,
    write_stage_settings,
)

STAGES = sorted(STAGE_SECTIONS)


def stage_files(config):
    plan = load_plan(config, yaml.safe_load((config / "default.yaml").read_text()))
    return {(name, stage): stage_values(plan.settings[name], STAGE_SECTIONS[stage]) for name in plan.settings for stage in STAGES}


def test_the_temperature_reaches_the_training_of_decomposed_models_and_nothing_else(config):
    before = stage_files(config)
    edit(config / "experiments" / "decomposed.yaml", "temperature: 0.07", "temperature: 0.04")
    changed = {key for key, values in stage_files(config).items() if values != before[key]}
    plan = load_plan(config, yaml.safe_load((config / "default.yaml").read_text()))
    dual = {name for name, settings in plan.settings.items() if settings.train.kind == "dual"}
    assert dual >= {"decomposed", "no_negatives", "scratch", "untrained"}
    own = {name for name in dual if name.startswith("temperature_")} | {"loss_sigmoid"}
    assert changed - {("oracle", "train")} == {(name, "train") for name in dual - own}


def test_experiments_share_what_they_have_in_common():
    plan = load_plan(CONFIG, yaml.safe_load((CONFIG / "default.yaml").read_text()))
    assert {plan.home(name, "pretrain") for name in plan.settings} == {"base"}
    homes = {name: plan.home(name, "train") for name in plan.settings}
    assert homes == {name: "base" if name == "decomposed" else name for name in plan.settings}
    assert all(plan.experiment(plan.home(name, "train")) == name for name in plan.settings)


def test_a_home_depends_on_all_that_came_before(config):
    (config / "experiments" / "joint.yaml").write_text("regions: {seed: 5}\n")
    plan = load_plan(config, {"dataset": "scenes", "experiments": {"all": ["joint"], "ablations": []}})
    homes = {stage: plan.home("joint", stage) for stage in ("prepare", "features", "negatives", "train", "evaluate")}
    own = dict.fromkeys(("features", "negatives", "train", "evaluate"), "joint")
    assert homes == {"prepare": "base"} | own


def test_word_pieces_lie_with_the_imported_model_that_brings_them(config):
    (config / "experiments" / "own.yaml").write_text("pretrain: {checkpoint: null}\n")
    plan = load_plan(config, {"dataset": "coco_vilt", "experiments": {"all": ["joint", "own", "no_negatives"], "ablations": []}})
    homes = {name: (plan.home(name, "vocabulary"), plan.home(name, "pretrain")) for name in plan.settings}
    assert homes == {"decomposed": ("base",) * 2, "joint": ("joint",) * 2, "own": ("own",) * 2, "no_negatives": ("base",) * 2}


def test_sections_add_up_along_the_stages():
    assert cumulative_sections("prepare") == ("dataset",)
    assert cumulative_sections("pretrain") == ("dataset", "regions", "vocabulary", "backbone", "pretrain", "runtime")
    assert set(cumulative_sections("report")) == set(Settings.model_fields)
    assert STAGE_INPUTS.keys() == STAGE_SECTIONS.keys()


def test_a_stage_file_is_rewritten_only_if_it_changes(tmp_path):
    settings, path = load_settings(CONFIG, "tiny", "decomposed"), tmp_path / "settings" / "train.json"
    write_stage_settings(path, settings, "train")
    assert list(json.loads(path.read_text())) == ["backbone", "train", "runtime"]
    os.utime(path, (1, 1))
    write_stage_settings(path, settings, "train")
    assert path.stat().st_mtime == 1
    train = settings.train.model_copy(update={"temperature": 0.5})
    write_stage_settings(path, settings.model_copy(update={"train": train}), "train")
    assert path.stat().st_mtime > 1 and json.loads(path.read_text())["train"]["temperature"] == 0.5


def test_a_stage_file_keeps_the_order_of_the_titles(tmp_path):
    settings = load_settings(CONFIG, "scenes", "decomposed")
    write_stage_settings(tmp_path / "report.json", settings, "report")
    titles = json.loads((tmp_path / "report.json").read_text())["report"]["titles"]
    assert list(titles) == list(settings.report.titles) != sorted(titles)


def test_a_report_is_about_the_experiments_of_the_run():
    settings = load_settings(CONFIG, "scenes", "decomposed")
    report = report_settings(settings, ["decomposed", "joint"]).report
    assert list(report.titles) == ["joint", "decomposed"] and report.decomposed == ["decomposed"]
    assert list(report.ablations) == ["depth"]
    with pytest.raises(InputError, match=r"experiment 'mine' has no title; add it to the setting report\.titles"):
        report_settings(settings, ["mine"])


def test_a_run_with_another_seed_is_the_experiment_with_that_seed():
    plain, seeded = (load_settings(CONFIG, "tiny", name) for name in ("joint", "joint_seed2"))
    assert seeded.train.seed == 2 != plain.train.seed
    assert seeded.train.model_copy(update={"seed": plain.train.seed}) == plain.train
    assert load_settings(CONFIG, "tiny", "decomposed_seed1").train.seed == 1
    with pytest.raises(InputError, match="experiment 'jiont_seed1' is unknown"):
        load_settings(CONFIG, "tiny", "jiont_seed1")
    titles = report_settings(plain, ["decomposed_seed1", "joint", "decomposed"]).report.titles
    assert titles == {"joint": "Joint (early interaction)", "decomposed": "Decomposed", "decomposed_seed1": "Decomposed, seed 1"}


def test_an_ablation_keeps_the_rows_that_are_run_with_their_reference():
    settings = load_settings(CONFIG, "scenes", "decomposed")
    ablations = report_settings(settings, ["decomposed", "decomposed_250", "scratch", "pooling_cls"]).report.ablations
    assert {name: [row.experiment for row in ablation.rows] for name, ablation in ablations.items()} == {
        "start": ["decomposed", "scratch"],
        "pooling": ["decomposed", "pooling_cls"],
    }
    assert ablations["start"].axis is None, "two points are no curve"


@pytest.mark.parametrize("dataset", sorted(path.stem for path in (CONFIG / "datasets").iterdir()))
def test_places_on_an_axis_are_those_of_the_data_set(dataset):
    settings = load_settings(CONFIG, dataset, "decomposed")
    train = {"scenes": 2000, "flickr8k": 6000}.get(dataset)
    whole = {row.at for row in settings.report.ablations["start"].rows if row.experiment in ("decomposed", "scratch")}
    layers = {row.at for row in settings.report.ablations["depth"].rows if row.experiment == "joint"}
    assert whole == {train} and layers in ({settings.backbone.layers}, {None})


def test_the_claims_are_of_trained_models_that_embed_each_item_alone():
    report = load_settings(CONFIG, "scenes", "decomposed").report
    trained = [load_settings(CONFIG, "scenes", name).train for name in report.claimed]
    assert all(train.kind == "dual" and train.steps > 0 for train in trained)
    assert set(report.decomposed) - set(report.claimed) == {"reranked", "untrained"}
    assert report_settings(load_settings(CONFIG, "scenes", "decomposed"), ["joint", "decomposed"]).report.claimed == [
        "decomposed"
    ]


def test_batches_of_another_size_are_measured_as_often():
    trains = [
        load_settings(CONFIG, "scenes", name).train for name in ("decomposed", "batch_32", "batch_64", "batch_256", "batch_512")
    ]
    assert {-(-train.steps // train.validate_steps) for train in trains} == {6}
    assert {train.steps * train.batch_images for train in trains} == {300 * 128}


def test_every_row_of_an_ablation_is_an_experiment_of_the_default_run_and_has_a_title():
    plan = load_plan(CONFIG, yaml.safe_load((CONFIG / "default.yaml").read_text()))
    report = plan.base.report
    rows = {row.experiment for ablation in report.ablations.values() for row in ablation.rows}
    assert rows <= set(plan.settings) and rows <= set(report.titles)
    assert len({str((settings.train, settings.negatives)) for settings in plan.settings.values()}) == len(plan.settings)
