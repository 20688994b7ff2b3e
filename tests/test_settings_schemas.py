"""The committed JSON schemas: up to date, the project's own files pass, and what a run refuses an editor refuses too."""

import importlib.util
import json

import jsonschema
import pytest
import yaml
from settings_files import CONFIG

FILES = sorted(path.relative_to(CONFIG) for path in CONFIG.rglob("*.yaml"))


def schema_of(file):
    kinds = {"datasets": "dataset", "experiments": "experiment", "ablations": "ablation", "report.yaml": "report"}
    name = kinds.get(file.parts[0], "run")
    return json.loads((CONFIG / "schema" / f"{name}.json").read_text(encoding="utf-8"))


def problems(values, schema):
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(values)]


def script(name):
    path = CONFIG.parent / "docs" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_schemas_are_made_from_the_code():
    made = script("settings_schemas")
    files = {path.name: path.read_text(encoding="utf-8") for path in (CONFIG / "schema").glob("*")}
    assert {name: made.text(schema) for name, schema in made.schemas().items()} == files, "run `make settings-page`"


@pytest.mark.parametrize("file", FILES, ids=str)
def test_the_projects_files_follow_their_schema(file):
    schema = schema_of(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert problems(yaml.safe_load((CONFIG / file).read_text(encoding="utf-8")) or {}, schema) == []


@pytest.mark.parametrize(
    ("file", "place", "value"),
    [
        ("default.yaml", "datset", "scenes"),
        ("default.yaml", "experiments.all", []),
        ("tiny.yaml", "embed_shards", 0),
        ("experiments/decomposed.yaml", "train.loss.temprature", 0.1),
        ("experiments/decomposed.yaml", "train.loss.temperature", -1),
        ("experiments/decomposed.yaml", "train.loss.kind", "infonse"),
        ("experiments/decomposed.yaml", "train.joint_layers", 1),
        ("experiments/decomposed.yaml", "backbone.patch_size", 16),
        ("experiments/joint.yaml", "train.pooling", "mean"),
        ("experiments/oracle.yaml", "train.steps", 3),
        ("experiments/apart.yaml", "dataset.target_image", 3),
        ("experiments/apart.yaml", "dataset.target_images", 1),
        ("ablations/temperature.yaml", "rows", []),
        ("ablations/temperature.yaml", "rows", [{"title": "T", "set": {"train.loss.temprature": 1}}]),
        ("report.yaml", "report.titels", {}),
        ("datasets/scenes.yaml", "dataset.source", "scene"),
        ("datasets/scenes.yaml", "dataset.world.seed", 1.5),
        ("datasets/tiny.yaml", "experiments.joint.train.steps", "many"),
    ],
)
def test_a_wrong_value_is_refused(file, place, value):
    path = CONFIG / file
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    *above, key = place.split(".")
    inner = values
    for name in above:
        inner = inner[name]
    inner[key] = value
    assert problems(values, schema_of(path.relative_to(CONFIG)))


def test_every_key_of_the_settings_is_explained():
    page = script("settings_page")
    lines = page.page().splitlines()
    assert [line for line in lines if line.startswith("| `") and line.endswith("|  |")] == []
    assert "| `temperature` | number, > 0 | `0.07` | cosines are divided by it |" in lines
    assert "## backbone (kind: visualbert)" in lines and "### train.loss (kind: triplet or triplet_hard)" in lines
