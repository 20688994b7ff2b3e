"""What a record must have to stand for an experiment: the steps that made it, each with its VERSION, and their sections."""

import json

import pytest
import yaml
from settings_files import CONFIG, edit

from vldeformer.errors import InputError
from vldeformer.evaluation.record_settings import difference
from vldeformer.planning.plan import RERANKED, load_plan

DATA = ["fetch", "prepare", "features", "vocabulary", "pretrain"]
TESTED = ["evaluate", "compositional-items", "compositional"]
WIDE = ["negatives", "loss", "depth", "temperature"]


def plan_of(config=CONFIG, dataset="scenes", ablations=WIDE, **run):
    return load_plan(config, {"dataset": dataset, "experiments": {"all": ["joint", "decomposed"], "ablations": ablations}, **run})


@pytest.mark.parametrize(
    ("experiment", "steps"),
    [
        ("decomposed", [*DATA, "negatives", "train", "embed", *TESTED]),
        ("no_negatives", [*DATA, "train", "embed", *TESTED]),
        ("joint", [*DATA, "train", "score", *TESTED, "pair-time"]),
        ("mined", [*DATA, "train", "embed", *TESTED]),
        (RERANKED, ["rerank"]),
    ],
)
def test_a_record_has_the_steps_that_made_its_results(experiment, steps):
    assert list(plan_of().recorded(experiment)["versions"]) == steps


def test_other_data_sets_have_other_steps():
    run = plan_of(dataset="coco_vinvl", ablations=[])
    imported = ["prepare", "import-features", "import-weights", "import-vocabulary"]
    assert list(run.recorded("decomposed")["versions"]) == [*imported, "negatives", "train", "embed", "evaluate"]
    run = plan_of(dataset="coco_flickr30k_vilt", ablations=[])
    assert list(run.recorded("joint")["versions"]) == ["prepare", *imported[2:], "train", "score", "evaluate", "pair-time"]
    scratch = load_plan(CONFIG, {"dataset": "scenes", "experiments": {"all": ["scratch", "oracle"], "ablations": []}})
    assert "pretrain" not in scratch.recorded("scratch")["versions"] and "pretrain" not in scratch.recorded("scratch")
    assert list(scratch.recorded("oracle")) == ["versions", "dataset", "evaluate"]


def test_the_joint_model_decides_where_it_teaches_or_orders(config):
    before = plan_of(config)
    old = {name: before.recorded(name) for name in ("mined", "distilled", "decomposed", "joint", RERANKED)}
    with (config / "experiments" / "joint.yaml").open("a") as file:
        file.write("regions: {seed: 5}\n")
    after = plan_of(config)
    found = {name: difference(after.recorded(name), settings) for name, settings in old.items()}
    seeds = "regions.seed is 0, expected 5"
    assert found == {
        "mined": f"teacher.{seeds}",
        "distilled": f"teacher.{seeds}",
        "decomposed": None,
        "joint": seeds,
        RERANKED: f"joint.{seeds}",
    }


def test_settings_are_the_same_after_they_were_stored():
    plan = plan_of()
    for name in [*plan.ablated, RERANKED]:
        stored = json.loads(json.dumps(plan.recorded(name)))
        assert difference(plan.recorded(name), stored) is None


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A clone with the record of every experiment."""
    monkeypatch.chdir(tmp_path)
    records = tmp_path / "results" / "scenes" / "records"
    records.mkdir(parents=True)
    plan = plan_of()
    for name in plan.ablated:
        (records / f"{name}.json").write_text(json.dumps({"settings": plan.recorded(name)}))
    return tmp_path


def test_records_stand_for_all_experiments_that_the_page_does_not_show(folder):
    plan = plan_of()
    assert plan.standing == [name for name in plan.ablated if name not in ("joint", "decomposed")]
    assert plan_of(fresh=True).standing == []
    (folder / "results" / "scenes" / "records" / "mined.json").unlink()
    assert set(plan.standing) - set(plan_of().standing) == {"mined"}


def test_a_model_that_is_here_takes_the_place_of_its_record(folder):
    (folder / "artifacts" / "scenes" / "mined" / "train").mkdir(parents=True)
    assert "mined" in plan_of().standing  # a training that was stopped
    (folder / "artifacts" / "scenes" / "mined" / "train" / "model").mkdir()
    assert "mined" not in plan_of().standing and "distilled" in plan_of().standing


def test_experiments_that_share_a_model_stand_together(folder, config):
    edit(config / "ablations" / "temperature.yaml", "{train.loss.temperature: 0.02}", "{train.loss.temperature: 0.1}")
    edit(config / "ablations" / "temperature.yaml", "{train.loss.temperature: 0.04}", "{train.loss.temperature: 0.07}")
    plan = plan_of(config)
    assert plan.home("temperature_0.1", "train") == "temperature_0.02" and plan.home("temperature_0.04", "train") == "base"
    # The record of one of the two has other settings, so both are trained; the main model's twin has a model in any case.
    assert not {"temperature_0.02", "temperature_0.1", "temperature_0.04"} & set(plan.standing)
    values = yaml.safe_load((config / "experiments" / "decomposed.yaml").read_text())
    values["train"]["seed"] += 1
    (config / "experiments" / "decomposed.yaml").write_text(yaml.safe_dump(values))
    assert "mined" not in plan_of(config).standing


def test_a_control_decides_about_the_joint_model_and_all_that_read_it(config):
    names = ["linear_scratch_text", "linear", "joint", "decomposed"]
    experiments = {"all": names, "ablations": ["negatives"]}
    before = load_plan(config, {"dataset": "flickr8k", "experiments": experiments})
    old = {name: before.recorded(name) for name in ("joint", "mined", "decomposed", RERANKED)}
    edit(config / "experiments" / "linear_scratch_text.yaml", "start: scratch", "start: scratch\n  seed: 5")
    other = load_plan(config, {"dataset": "flickr8k", "experiments": experiments})
    assert {name: difference(other.recorded(name), settings) for name, settings in old.items()} == dict.fromkeys(old)
    edit(config / "experiments" / "linear.yaml", "start: scratch", "start: scratch\n  seed: 5")
    after = load_plan(config, {"dataset": "flickr8k", "experiments": experiments})
    found = {name: difference(after.recorded(name), settings) for name, settings in old.items()}
    seed = "train.seed is 0, expected 5"
    assert found == {
        "joint": f"control.{seed}",
        "mined": f"control.{seed}",
        "decomposed": f"control.{seed}",
        RERANKED: f"dual.control.{seed}",
    }


def test_a_control_must_be_in_the_run(config):
    plan = load_plan(config, {"dataset": "flickr8k", "experiments": {"all": ["joint", "decomposed"], "ablations": []}})
    with pytest.raises(InputError, match="experiment joint: its control is 'linear', which is not in this run"):
        plan.control_of("joint")
    assert plan_of().control_of("joint") is plan_of().control_of("decomposed") is None


def test_a_control_has_none_itself(config):
    experiments = {"all": ["linear_scratch_text", "linear", "joint", "decomposed"], "ablations": ["control"]}
    plan = load_plan(config, {"dataset": "flickr8k", "experiments": experiments})
    assert plan.control_of("linear") is None and plan.control_of("decomposed") == plan.control_of("linear_taught") == "linear"
    edit(
        config / "datasets" / "flickr8k.yaml",
        "\n  control_distillation: {control: linear,",
        "\n  control_distillation: {control: joint,",
    )
    plan = load_plan(config, {"dataset": "flickr8k", "experiments": experiments})
    with pytest.raises(InputError, match="its control 'joint' must be a decomposed model without a control"):
        plan.control_of("decomposed")
