"""Writes config/schema/*.json, the JSON schemas of the three kinds of settings files, from the settings classes.

Editors complete and check YAML by them (config/README.md says how). The run itself is checked by the classes, which know more:
what goes together. Run by `make settings-page`; a test fails when a file is not what the code says.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, create_model

from vldeformer.config import Settings
from vldeformer.datasets.sources import DatasetSettings
from vldeformer.plan import Run
from vldeformer.section import Section

FOLDER = Path(__file__).resolve().parent.parent / "config" / "schema"


def schemas() -> dict[str, dict[str, Any]]:
    """File name → schema: of a configfile, of a file of config/experiments, of a file of config/datasets."""
    run = Run.model_json_schema()
    sections = {name: (field.annotation, field) for name, field in Settings.model_fields.items() if name != "dataset"}
    differences = _without_required(create_model("Differences", __base__=Section, **sections).model_json_schema())
    definitions = differences.pop("$defs")
    source = TypeAdapter(DatasetSettings).json_schema()
    properties = differences["properties"]
    special = {"type": "object", "additionalProperties": {"$ref": "#/$defs/Differences"}}
    return {
        "run.json": run | {"title": "A run: config/NAME.yaml"},
        "experiment.json": {"$defs": definitions} | differences | {"title": "An experiment: config/experiments/NAME.yaml"},
        "dataset.json": {
            "$defs": definitions | source.pop("$defs") | {"Differences": differences},
            "title": "A data set: config/datasets/NAME.yaml",
            "type": "object",
            "additionalProperties": False,
            "properties": {"dataset": source, **properties, "experiments": special},
            "required": ["dataset"],
        },
    }


def _without_required(schema: dict[str, Any]) -> dict[str, Any]:
    """Files state differences, so no key must be there; but an item of a list replaces what is below it and is whole."""
    whole = {value["items"]["$ref"].rsplit("/", 1)[-1] for value in _objects(schema) if "$ref" in value.get("items", {})}
    partial = {name: value if name in whole else _open(value) for name, value in schema["$defs"].items()}
    return _open(schema) | {"$defs": partial, "description": "What differs from config/experiments/decomposed.yaml."}


def _open(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "required"}


def _objects(value: Any) -> list[dict[str, Any]]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return ([value] if isinstance(value, dict) else []) + [found for each in inner for found in _objects(each)]


def text(schema: dict[str, Any]) -> str:
    """The bytes of a file, as text."""
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        (FOLDER / name).write_text(text(schema), encoding="utf-8")
