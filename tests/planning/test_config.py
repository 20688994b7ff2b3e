"""Settings: what is merged, what is refused and how that is said."""

import subprocess
import sys

import pytest
import yaml
from settings_files import CONFIG, edit

from vldeformer.errors import InputError
from vldeformer.planning.config import Settings, load_settings
from vldeformer.planning.plan import load_plan
from vldeformer.section import union_members

RUNS = sorted(path.stem for path in CONFIG.glob("*.yaml") if path.stem != "report")
OSCAR = "kind: oscar, regions: 8, tag_tokens: 9, joint_tokens: null"
LINEAR = "backbone: {kind: linear, hidden: 32, regions: 4, caption_tokens: 9, dropout: 0.1}"
JOINT = "kind: joint, start: pretrained, joint_negatives: 3, joint_layers: null"


def refusal(config, dataset="scenes", experiment="joint"):
    with pytest.raises(InputError) as caught:
        load_settings(config, dataset, experiment)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("run", RUNS)
def test_every_run_of_the_project_is_valid(run):
    plan = load_plan(CONFIG, yaml.safe_load((CONFIG / f"{run}.yaml").read_text()))
    assert all(plan.settings[name] for name in plan.settings) and plan.report.titles and plan.ablations_report.titles
    assert plan.base.report.baseline in plan.run.experiments.all and plan.base.report.main in plan.run.experiments.all


def test_differences_are_merged_key_by_key_and_the_last_file_wins(config):
    edit(config / "datasets" / "scenes.yaml", "train: {", "train: {steps: 7, batch_images: 8, warmup_steps: 1, ")
    (config / "experiments" / "joint.yaml").write_text(f"train: {{{JOINT}, steps: 9}}\n")
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
        (
            "train: {loss: {temprature: 0.1}}",
            ["joint.yaml: setting train.loss.temprature is unknown", "mean train.loss.temperature?"],
        ),
        ("train: {temprature: 0.1}", ["joint.yaml: setting train.temprature is unknown for kind dual"]),
        ("trian: {steps: 1}", ["joint.yaml: setting trian is unknown", "did you mean train?"]),
        ("dataset: {world: {image_sise: 3}}", ["setting dataset.world.image_sise", "did you mean dataset.world.image_size?"]),
        ("train: {steps: many}", ["joint.yaml: setting train.steps: expected a valid integer", "got 'many'"]),
        ("train: {steps: -1}", ["joint.yaml: setting train.steps: expected greater than or equal to 0, got -1"]),
        (
            "train: {kind: triple}",
            ["setting train: expected a kind of 'joint', 'dual', 'oracle', 'lexical', got 'triple'"],
        ),
        ("speed: {gallery_sizes: [1, two]}", ["joint.yaml: setting speed.gallery_sizes.1: expected a valid integer", "'two'"]),
        ("train: 3", ["joint.yaml: setting train: expected", "got 3"]),
        ("train: {steps: 5, warmup_steps: 5}", ["joint.yaml", "train.warmup_steps must be fewer than train.steps, got 5 and 5"]),
        ("backbone: {heads: 3}", ["joint.yaml: setting backbone.heads: expected a divisor of hidden, 128, got 3"]),
        (
            "backbone: {kind: vilt, patch_size: 16, crop_size: 90, keep_aspect: false}",
            ["backbone.patch_size must divide backbone.crop_size, got 16 and 90"],
        ),
        (
            "backbone: {kind: vilt, patch_size: 16, crop_size: 112, keep_aspect: false}",
            ["backbone.crop_size must not exceed the dataset's image_size, got 112 and 96"],
        ),
        ("train: {steps: 1}\ntrain: {steps: 2}", ["joint.yaml line 2", "key 'train' is given twice"]),
        ("train: {steps: [1", ["joint.yaml line 2", "expected YAML"]),
        (
            "train: {loss: {kind: triplet, margin: 1.0, learn_temperature: true}}",
            ["joint.yaml: setting train.loss.learn_temperature is unknown for kind triplet"],
        ),
        (
            "train: {hard_negatives: {kind: mined, epochs: 1, depth: 1, limit: null, scope: batch}}",
            ["joint.yaml: setting train.hard_negatives.scope is unknown for kind mined"],
        ),
        ("train: {kind: dual, chunk_images: 0}", ["setting train.chunk_images: expected a number of images", "got 0"]),
        (
            "train: {hard_negatives: {kind: mined, epochs: 1, depth: 1, limit: .nan}}",
            ["joint.yaml: setting train.hard_negatives.limit: expected a finite number, got nan"],
        ),
        ("rerank: {dual_weight: .inf}", ["joint.yaml: setting rerank.dual_weight: expected a finite number, got inf"]),
        ("negatives: {text_kinds: {noun: .inf}}", ["setting negatives.text_kinds.noun: expected a finite number"]),
        ("train: {start: {share: 2}}", ["joint.yaml: setting train.start.share: expected less than 1, got 2"]),
        ("train: {start: scrach}", ["joint.yaml: setting train.start: expected 'pretrained' or 'scratch', got 'scrach'"]),
        ("train: {loss: infonce}", ["joint.yaml: setting train.loss: expected keys and their values, got 'infonce'"]),
        ("train: {loss: {kind: triplet}}", ["joint.yaml: setting train.loss.margin is missing"]),
        ("train: {distillation: {weight: 1, temperature: 1}}", ["joint.yaml: setting train.distillation.candidates is missing"]),
        ("train: {kind: joint, joint_negatives: 1}", ["joint.yaml: setting train.start is missing"]),
        (
            f"train: {{{JOINT}, loss: nosuchloss, temperature: banana, pooling: 7}}",
            ["joint.yaml: setting train.loss is unknown for kind joint"],
        ),
        (f"train: {{{JOINT}, pooling: mean}}", ["joint.yaml: setting train.pooling is unknown for kind joint"]),
        ("train: {joint_negatives: 3}", ["joint.yaml: setting train.joint_negatives is unknown for kind dual"]),
        ("train: {kind: oracle, steps: 3}", ["joint.yaml: setting train.steps is unknown for kind oracle"]),
        ("backbone: {patch_size: 16}", ["joint.yaml: setting backbone.patch_size is unknown for kind oscar"]),
        (
            "backbone: {kind: visualbert, tag_tokens: 9}",
            ["joint.yaml: setting backbone.tag_tokens is unknown for kind visualbert"],
        ),
        (
            f"{LINEAR}\ntrain: {{{JOINT}}}",
            ["joint.yaml: train.kind joint needs a transformer, got backbone.kind linear; use kind dual"],
        ),
        (
            f"{LINEAR}\ntrain: {{kind: dual, start: pretrained}}",
            ["joint.yaml: backbone.kind linear is not pre-trained; set train.start to scratch"],
        ),
        ("rerank: {depths: [2, 0]}", ["joint.yaml: setting rerank.depths.1: expected greater than or equal to 1, got 0"]),
        (
            f"train: {{{JOINT}}}".replace("null", "9"),
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
    edit(config / "experiments" / "decomposed.yaml", "    temperature: 0.07\n", "")
    (config / "experiments" / "joint.yaml").write_text("train: {}")
    assert "decomposed.yaml: setting train.loss.temperature is missing" in refusal(config)
    (config / "experiments" / "joint.yaml").write_text(f"train: {{{JOINT}}}")
    edit(config / "datasets" / "scenes.yaml", "    seed: 20211020\n", "")
    assert "scenes.yaml: setting dataset.world.seed is missing" in refusal(config)


def test_unknown_names_are_refused_with_the_nearest_one(config):
    assert "did you mean joint?" in refusal(config, experiment="jiont")
    assert "did you mean scenes?" in refusal(config, dataset="scene")
    with pytest.raises(InputError, match=r"experiments\.al is unknown; did you mean experiments\.all\?"):
        load_plan(config, {"dataset": "scenes", "experiments": {"all": ["joint"], "ablations": [], "al": []}})
    edit(config / "datasets" / "scenes.yaml", "dataset:\n", "experiments: {jiont: {}}\ndataset:\n")
    assert "experiment 'jiont' is unknown" in refusal(config)


def test_a_layer_that_states_another_kind_drops_the_keys_below_that_this_kind_does_not_have(config):
    base, joint, oracle = (load_settings(config, "scenes", name) for name in ("decomposed", "joint", "oracle"))
    assert base.train.loss.temperature == 0.07 and base.train.start.share == 0.5
    assert not {"loss", "pooling", "hard_negatives"} & set(type(joint.train).model_fields)
    assert joint.train.seed == base.train.seed and oracle.train.model_dump() == {"kind": "oracle"}
    (config / "experiments" / "mine.yaml").write_text("train: {loss: {kind: sigmoid}, hard_negatives: {kind: none}}")
    mine = load_settings(config, "coco_vinvl", "mine")
    assert mine.train.loss.model_dump() == {"kind": "sigmoid", "temperature": 0.005, "learn_temperature": False}
    assert mine.train.hard_negatives.model_dump() == {"kind": "none"} and mine.backbone.joint_tokens == 70
    photographs = load_settings(config, "coco_vilt", "decomposed").backbone
    assert photographs.kind == "vilt" and not hasattr(photographs, "tag_tokens") and photographs.text_model is None


def test_the_members_of_every_union_can_be_listed():
    members = dict.fromkeys(union_members(Settings))
    kinds = {key: {tag for name, tag in members if name == key} for key, _ in members}
    assert kinds == {
        "dataset.source": {"scenes", "karpathy", "joined", "folder", "vinvl"},
        "backbone.kind": {"oscar", "visualbert", "vilt", "linear"},
        "train.kind": {"joint", "dual", "oracle", "lexical"},
        "regions.kind": {"scenes", "efficientnet_lite0", "hub"},
        "train.loss.kind": {"infonce", "triplet", "triplet_hard", "multi_similarity", "sigmoid"},
        "train.hard_negatives.kind": {"none", "text", "image", "both", "mined"},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: T\nrows:\n  - {title: x}\n", "rows.0: expected either `set` (the row is an experiment) or `experiment`"),
        ("title: T\nrows:\n  - {set: {train.seed: 1}}\n", "rows.0: expected a title in a row with `set`"),
        ("title: T\nrows:\n  - {title: x, name: joint, set: {train.seed: 1}}\n", "a row is named joint, as "),
        ("title: T\nrows:\n  - {title: x, name: mined, set: {train.seed: 1}}\n", "two rows are named mined, the other is in "),
        ("title: T\nrows:\n  - {title: x, st: {train.seed: 1}}\n", "setting rows.0.st is unknown; did you mean rows.0.set?"),
        ("title: T\nrows: []\n", "setting rows: expected"),
        ("title: T\nrows:\n  - {title: x, at: all, experiment: joint}\n", "setting rows.0.at: expected"),
    ],
)
def test_a_wrong_ablation_is_one_line(config, text, said):
    (config / "ablations" / "own.yaml").write_text(text)
    message = refusal(config, experiment="mine")
    assert said in message and "own.yaml" in message


def test_a_wrong_setting_of_a_row_names_file_and_row(config):
    edit(config / "ablations" / "temperature.yaml", "{train.loss.temperature: 0.02}", "{train.loss.temprature: 0.02}")
    said = refusal(config, experiment="temperature_0.02")
    assert "temperature.yaml row temperature_0.02: setting train.loss.temprature is unknown" in said
    assert "did you mean train.loss.temperature?" in said
    assert "did you mean temperature_0.04?" in refusal(config, experiment="temperature_0.05")


def test_a_row_starts_from_its_base_with_what_the_data_set_says_of_it():
    joint, depth = (load_settings(CONFIG, "flickr8k", name).train for name in ("joint", "depth_2"))
    assert depth.model_dump() == joint.model_dump() | {"joint_layers": 2}


def test_regions_of_photographs_are_refused(config):
    (config / "experiments" / "mine.yaml").write_text(f"backbone: {{{OSCAR}}}")
    assert "backbone.kind oscar needs the regions of dataset.source scenes" in refusal(config, "flickr30k_vilt", "mine")


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ("negatives: {image_partner: near}", "negatives.image_partner near needs regions, backbone.kind vilt has none"),
        ("negatives: {replacements: tags}", "negatives.replacements tags needs a detector, backbone.kind vilt has none"),
    ],
)
def test_negatives_that_need_a_detector_are_refused_before_anything_runs(config, differences, expected):
    (config / "experiments" / "mine.yaml").write_text(differences)
    assert expected in refusal(config, dataset="flickr30k_vilt", experiment="mine")
    (config / "experiments" / "mine.yaml").write_text(differences + "\ntrain: {hard_negatives: {kind: none}}")
    load_settings(config, "flickr30k_vilt", "mine")


def test_a_small_target_set_has_negatives_of_its_own(config):
    plan = load_plan(config, {"dataset": "scenes", "experiments": {"all": ["decomposed_250", "scratch_250"], "ablations": []}})
    for name in ("decomposed_250", "scratch_250"):
        assert plan.settings[name].negatives.images == plan.settings[name].train.images == 250
        assert plan.home(name, "negatives") == "decomposed_250", "equal settings, so one artifact: the first one's"


@pytest.mark.parametrize(
    ("dataset", "differences", "expected"),
    [
        ("coco_vilt", "train: {pooling: mean_all}", "train.pooling mean_all needs inputs of one length"),
        (
            "coco_vilt",
            "backbone: {kind: visualbert, regions: 9}",
            "backbone.kind visualbert needs the regions of dataset.source scenes or vinvl",
        ),
        (
            "coco_vinvl",
            "backbone: {kind: vilt, patch_size: 32, crop_size: 64, keep_aspect: false}",
            "backbone.kind vilt needs photographs, dataset.source vinvl has regions only",
        ),
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
    code = f"import sys, vldeformer.planning.plan; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
