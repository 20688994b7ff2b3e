"""Settings: what is merged, what is refused and how that is said, and which stage a changed setting reaches."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from vldeformer.config import (
    STAGE_INPUTS,
    STAGE_SECTIONS,
    Settings,
    cumulative_sections,
    load_plan,
    load_settings,
    report_settings,
    stage_values,
    write_stage_settings,
)
from vldeformer.errors import InputError

CONFIG = Path(__file__).parents[1] / "config"
RUNS = sorted(path.stem for path in CONFIG.glob("*.yaml"))
STAGES = sorted(STAGE_SECTIONS)


@pytest.fixture
def config(tmp_path):
    return shutil.copytree(CONFIG, tmp_path / "config")


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} must be there once"
    path.write_text(text.replace(old, new))


def refusal(config, dataset="scenes", experiment="joint"):
    with pytest.raises(InputError) as caught:
        load_settings(config, dataset, experiment)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("run", RUNS)
def test_every_run_of_the_project_is_valid(run):
    plan = load_plan(CONFIG, yaml.safe_load((CONFIG / f"{run}.yaml").read_text()))
    report_settings(plan.base, plan.run.experiments.all)
    assert plan.base.report.baseline in plan.run.experiments.all and plan.base.report.main in plan.run.experiments.all


def test_differences_are_merged_key_by_key_and_the_last_file_wins(config):
    edit(config / "datasets" / "scenes.yaml", "dataset:\n", "train: {steps: 7, batch_images: 8, warmup_steps: 1}\ndataset:\n")
    (config / "experiments" / "joint.yaml").write_text("train: {kind: joint, steps: 9}\n")
    with (config / "datasets" / "scenes.yaml").open("a") as file:
        file.write("experiments:\n  joint: {train: {validate_images: 11}}\n")
    base, joint = load_settings(config, "scenes", "decomposed"), load_settings(config, "scenes", "joint")
    assert (base.train.steps, base.train.batch_images, base.train.validate_images) == (7, 8, 500)
    assert (joint.train.steps, joint.train.batch_images, joint.train.validate_images) == (9, 8, 11)
    assert joint.train.kind == "joint" and joint.backbone == base.backbone


def test_a_number_that_yaml_reads_as_text_is_a_number(config):
    (config / "experiments" / "joint.yaml").write_text("train: {learning_rate: 1e-4}\n")
    assert load_settings(config, "scenes", "joint").train.learning_rate == 1e-4


@pytest.mark.parametrize(
    ("differences", "parts"),
    [
        ("train: {temprature: 0.1}", ["joint.yaml: setting train.temprature is unknown", "did you mean train.temperature?"]),
        ("trian: {steps: 1}", ["joint.yaml: setting trian is unknown", "did you mean train?"]),
        ("dataset: {world: {image_sise: 3}}", ["setting dataset.world.image_sise", "did you mean dataset.world.image_size?"]),
        ("train: {steps: many}", ["joint.yaml: setting train.steps: expected a valid integer", "got 'many'"]),
        ("train: {steps: -1}", ["joint.yaml: setting train.steps: expected greater than or equal to 0, got -1"]),
        ("train: {kind: triple}", ["setting train.kind: expected 'joint', 'dual' or 'oracle', got 'triple'"]),
        ("speed: {gallery_sizes: [1, two]}", ["joint.yaml: setting speed.gallery_sizes.1: expected a valid integer", "'two'"]),
        ("train: 3", ["joint.yaml: setting train: expected", "got 3"]),
        ("train: {steps: 5, warmup_steps: 5}", ["joint.yaml", "train.warmup_steps must be fewer than train.steps, got 5 and 5"]),
        ("backbone: {heads: 3}", ["backbone.heads must divide backbone.hidden, got 3 and 128"]),
        ("backbone: {kind: vilt, crop_size: 90}", ["backbone.patch_size must divide backbone.crop_size, got 16 and 90"]),
        (
            "backbone: {kind: vilt, crop_size: 112}",
            ["backbone.crop_size must not exceed the dataset's image_size, got 112 and 96"],
        ),
        ("train: {steps: 1}\ntrain: {steps: 2}", ["joint.yaml line 2", "key 'train' is given twice"]),
        ("train: {steps: [1", ["joint.yaml line 1", "expected YAML"]),
        ("- train", ["joint.yaml: expected sections of settings, got list"]),
        ("3: {}", ["joint.yaml line 1", "key 3 is not a name"]),
    ],
)
def test_a_wrong_setting_is_one_line_with_file_and_name(config, differences, parts):
    (config / "experiments" / "joint.yaml").write_text(differences)
    message = refusal(config)
    for part in parts:
        assert part in message


def test_a_missing_key_names_the_complete_file(config):
    edit(config / "experiments" / "decomposed.yaml", "  temperature: 0.05\n", "")
    (config / "experiments" / "joint.yaml").write_text("train: {kind: joint}")
    assert "decomposed.yaml: setting train.temperature is missing" in refusal(config)
    edit(config / "datasets" / "scenes.yaml", "    seed: 20211020\n", "")
    assert "scenes.yaml: setting dataset.world.seed is missing" in refusal(config)


def test_unknown_names_are_refused_with_the_nearest_one(config):
    assert "did you mean joint?" in refusal(config, experiment="jiont")
    assert "did you mean scenes?" in refusal(config, dataset="scene")
    with pytest.raises(InputError, match=r"experiments\.al is unknown; did you mean experiments\.all\?"):
        load_plan(config, {"dataset": "scenes", "experiments": {"all": ["joint"], "comparisons": [], "al": []}})
    edit(config / "datasets" / "scenes.yaml", "dataset:\n", "experiments: {jiont: {}}\ndataset:\n")
    assert "experiment 'jiont' is unknown" in refusal(config)


def test_regions_of_photographs_are_refused(config):
    (config / "experiments" / "joint.yaml").write_text("backbone: {kind: oscar}")
    assert "backbone.kind oscar needs the regions of dataset.source scenes" in refusal(config, dataset="flickr8k")


def stage_files(config):
    plan = load_plan(config, yaml.safe_load((config / "default.yaml").read_text()))
    return {(name, stage): stage_values(plan.settings[name], STAGE_SECTIONS[stage]) for name in plan.settings for stage in STAGES}


def test_the_temperature_reaches_the_training_of_decomposed_models_and_nothing_else(config):
    before = stage_files(config)
    edit(config / "experiments" / "decomposed.yaml", "temperature: 0.05", "temperature: 0.04")
    changed = {key for key, values in stage_files(config).items() if values != before[key]}
    plan = load_plan(config, yaml.safe_load((config / "default.yaml").read_text()))
    dual = {name for name, settings in plan.settings.items() if settings.train.kind == "dual"}
    assert dual >= {"decomposed", "no_negatives", "scratch", "untrained"}
    assert changed - {("oracle", "train")} == {(name, "train") for name in dual}


def test_experiments_share_what_they_have_in_common():
    plan = load_plan(CONFIG, yaml.safe_load((CONFIG / "default.yaml").read_text()))
    assert {plan.home(name, "pretrain") for name in plan.settings} == {"base"}
    homes = {name: plan.home(name, "train") for name in plan.settings}
    assert homes == {name: "base" if name == "decomposed" else name for name in plan.settings}
    assert all(plan.experiment(plan.home(name, "train")) == name for name in plan.settings)


def test_a_home_depends_on_all_that_came_before(config):
    (config / "experiments" / "joint.yaml").write_text("regions: {seed: 5}\n")
    plan = load_plan(config, {"dataset": "scenes", "experiments": {"all": ["joint"], "comparisons": []}})
    homes = {stage: plan.home("joint", stage) for stage in ("prepare", "features", "negatives", "train", "evaluate")}
    own = dict.fromkeys(("features", "negatives", "train", "evaluate"), "joint")
    assert homes == {"prepare": "base"} | own


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
    with pytest.raises(InputError, match=r"experiment 'mine' has no title; add it to the setting report\.titles"):
        report_settings(settings, ["mine"])


def test_reading_settings_imports_nothing_heavy():
    heavy = "torch", "transformers", "matplotlib", "sklearn", "pandas"
    code = f"import sys, vldeformer.config; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
