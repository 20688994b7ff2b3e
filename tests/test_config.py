"""Settings: what is merged, what is refused and how that is said."""

import subprocess
import sys

import pytest
import yaml
from settings_files import CONFIG, edit

from vldeformer.config import load_settings
from vldeformer.errors import InputError
from vldeformer.plan import load_plan, report_settings

RUNS = sorted(path.stem for path in CONFIG.glob("*.yaml"))


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
    edit(config / "datasets" / "scenes.yaml", "train: {", "train: {steps: 7, batch_images: 8, warmup_steps: 1, ")
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
        ("backbone: {heads: 3}", ["joint.yaml: setting backbone.heads: expected a divisor of hidden, 128, got 3"]),
        ("backbone: {kind: vilt, crop_size: 90}", ["backbone.patch_size must divide backbone.crop_size, got 16 and 90"]),
        (
            "backbone: {kind: vilt, crop_size: 112}",
            ["backbone.crop_size must not exceed the dataset's image_size, got 112 and 96"],
        ),
        ("train: {steps: 1}\ntrain: {steps: 2}", ["joint.yaml line 2", "key 'train' is given twice"]),
        ("train: {steps: [1", ["joint.yaml line 1", "expected YAML"]),
        (
            "train: {kind: dual, loss: triplet, learn_temperature: true}",
            ["joint.yaml: setting train: expected learn_temperature false where neither loss (infonce or sigmoid) nor dist"],
        ),
        (
            "train: {kind: dual, hard_negatives: mined, negatives_scope: batch}",
            ["joint.yaml: setting train: expected negatives_scope anchor where hard_negatives is mined, got batch"],
        ),
        ("train: {kind: dual, chunk_images: 0}", ["setting train.chunk_images: expected a number of images", "got 0"]),
        ("train: {mine_limit: .nan, kind: dual}", ["joint.yaml: setting train.mine_limit: expected a finite number, got nan"]),
        ("rerank: {dual_weight: .inf}", ["joint.yaml: setting rerank.dual_weight: expected a finite number, got inf"]),
        ("negatives: {text_kinds: {noun: .inf}}", ["setting negatives.text_kinds.noun: expected a finite number"]),
        ("negatives: {word_ratio: null}", ["joint.yaml: setting negatives: expected either word_ratio or word_number, and null"]),
        ("rerank: {depths: [2, 0]}", ["joint.yaml: setting rerank.depths.1: expected greater than or equal to 1, got 0"]),
        (
            "train: {kind: joint, joint_layers: 9}",
            ["joint.yaml: train.joint_layers must not exceed backbone.layers, got 9 and 3"],
        ),
        (
            "train: {kind: dual, images: 250}",
            ["joint.yaml: negatives.images must be train.images where composed negatives are read, got None and 250"],
        ),
        ("train: {kind: dual}\nnegatives: {images: 20}", ["negatives.images must be train.images", "got 20 and None"]),
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
    edit(config / "experiments" / "decomposed.yaml", "  temperature: 0.07\n", "")
    (config / "experiments" / "joint.yaml").write_text("train: {kind: joint}")
    assert "decomposed.yaml: setting train.temperature is missing" in refusal(config)
    edit(config / "datasets" / "scenes.yaml", "    seed: 20211020\n", "")
    assert "scenes.yaml: setting dataset.world.seed is missing" in refusal(config)


def test_unknown_names_are_refused_with_the_nearest_one(config):
    assert "did you mean joint?" in refusal(config, experiment="jiont")
    assert "did you mean scenes?" in refusal(config, dataset="scene")
    with pytest.raises(InputError, match=r"experiments\.al is unknown; did you mean experiments\.all\?"):
        load_plan(config, {"dataset": "scenes", "experiments": {"all": ["joint"], "ablations": [], "al": []}})
    edit(config / "datasets" / "scenes.yaml", "dataset:\n", "experiments: {jiont: {}}\ndataset:\n")
    assert "experiment 'jiont' is unknown" in refusal(config)


def test_regions_of_photographs_are_refused(config):
    (config / "experiments" / "joint.yaml").write_text("backbone: {kind: oscar}")
    assert "backbone.kind oscar needs the regions of dataset.source scenes" in refusal(config, dataset="flickr8k")


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ("negatives: {image_partner: near}", "negatives.image_partner near needs regions, backbone.kind vilt has none"),
        ("negatives: {replacements: tags}", "negatives.replacements tags needs a detector, backbone.kind vilt has none"),
    ],
)
def test_negatives_that_need_a_detector_are_refused_before_anything_runs(config, differences, expected):
    (config / "experiments" / "distilled.yaml").write_text(differences)
    assert expected in refusal(config, dataset="flickr8k", experiment="distilled")
    (config / "experiments" / "distilled.yaml").write_text(differences + "\ntrain: {hard_negatives: none}")
    load_settings(config, "flickr8k", "distilled")


def test_a_small_target_set_has_negatives_of_its_own(config):
    plan = load_plan(config, {"dataset": "scenes", "experiments": {"all": ["decomposed_250", "scratch_250"], "ablations": []}})
    for name in ("decomposed_250", "scratch_250"):
        assert plan.settings[name].negatives.images == plan.settings[name].train.images == 250
        assert plan.home(name, "negatives") == name


@pytest.mark.parametrize(
    ("dataset", "differences", "expected"),
    [
        ("coco_vilt", "train: {pooling: mean_all}", "train.pooling mean_all needs inputs of one length"),
        (
            "coco_vilt",
            "backbone: {kind: visualbert}",
            "backbone.kind visualbert needs the regions of dataset.source scenes or vinvl",
        ),
        ("coco_vinvl", "backbone: {kind: vilt}", "backbone.kind vilt needs photographs, dataset.source vinvl has regions only"),
        ("coco_vinvl", "dataset: {parts: {coco: {keys: {train: x}}}}", None),
        ("coco_vinvl", "dataset: {parts: {coco: {keys: {dev: x}}}}", "parts.coco.keys: expected the splits of captions"),
    ],
)
def test_what_does_not_go_together_in_a_published_run(config, dataset, differences, expected):
    (config / "experiments" / "no_negatives.yaml").write_text(differences)
    if expected is None:
        assert load_settings(config, dataset, "no_negatives").dataset.parts["coco"].keys["train"] == "x"
    else:
        assert expected in refusal(config, dataset=dataset, experiment="no_negatives")


def test_reading_settings_imports_nothing_heavy():
    heavy = "torch", "transformers", "matplotlib", "sklearn", "pandas"
    code = f"import sys, vldeformer.plan; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
