"""Writes config/schema/*.json, the JSON schemas of the five kinds of settings files, from the settings classes.

Editors complete and check YAML by them (config/README.md says how). The run itself is checked by the classes, which also check
what goes together. Run by `make settings-page`; a test fails when a file is not what the code says.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, create_model

from vldeformer.datasets.sources import DatasetSettings
from vldeformer.planning.ablation_files import AblationFile
from vldeformer.planning.config import Settings
from vldeformer.planning.run import Run
from vldeformer.section import Section, sections_of

FOLDER = Path(__file__).resolve().parent.parent / "config" / "schema"


def schemas() -> dict[str, dict[str, Any]]:
    """File name → schema: of a configfile, report.yaml, files of config/experiments, config/ablations and config/datasets."""
    run = Run.model_json_schema()
    sections = {name: (field.annotation, field) for name, field in Settings.model_fields.items()}
    differences = _partial(create_model("Differences", __base__=Section, **sections).model_json_schema())
    definitions = differences.pop("$defs")
    source = TypeAdapter(DatasetSettings).json_schema()
    properties = differences["properties"]
    special = {"type": "object", "additionalProperties": {"$ref": "#/$defs/Differences"}}
    title = {"type": "string", "description": "what tables call the experiment"}
    named = differences | {"properties": {"title": title} | properties}
    return {
        "run.json": run | {"title": "A run: config/NAME.yaml"},
        "experiment.json": {"$defs": definitions} | named | {"title": "An experiment: config/experiments/NAME.yaml"},
        "ablation.json": _ablation(),
        "report.json": {
            "$defs": {"ReportChoices": definitions["ReportChoices"]},
            "title": "What tables compare: config/report.yaml",
            "type": "object",
            "additionalProperties": False,
            "properties": {"report": properties["report"]},
            "required": ["report"],
        },
        "dataset.json": {
            "$defs": definitions | source.pop("$defs") | {"Differences": differences},
            "title": "A data set: config/datasets/NAME.yaml",
            "type": "object",
            "additionalProperties": False,
            "properties": properties | {"dataset": source, "experiments": special},
            "required": ["dataset"],
        },
    }


def _ablation() -> dict[str, Any]:
    """The keys of `set` are those of the sections, dotted."""
    schema = AblationFile.model_json_schema() | {"title": "An ablation: config/ablations/NAME.yaml"}
    names = sorted({name for section in Settings.model_fields if section != "report" for name in _dotted(Settings, section)})
    for option in schema["$defs"]["Row"]["properties"]["set"]["anyOf"]:
        if option["type"] == "object":
            option["propertyNames"] = {"enum": names}
    return schema


def _dotted(model: type[BaseModel], name: str, prefix: str = "") -> Iterator[str]:
    yield prefix + name
    for inner in sections_of(model.model_fields[name].annotation):
        for below in inner.model_fields:
            yield from _dotted(inner, below, f"{prefix}{name}.")


def _partial(schema: dict[str, Any]) -> dict[str, Any]:
    """Files state differences: no key must be there, and of a tagged union several kinds may fit what a file states."""
    whole = _opened(schema)
    assert isinstance(whole, dict)
    return whole | {"description": "What differs from config/experiments/decomposed.yaml."}


def _opened(value: Any) -> Any:
    if isinstance(value, list):
        return [_opened(each) for each in value]
    if not isinstance(value, dict):
        return value
    names = {"oneOf": "anyOf"} if "discriminator" in value else {}
    dropped = {"discriminator"} | ({"required"} if isinstance(value.get("required"), list) else set())
    return {names.get(key, key): _opened(inner) for key, inner in value.items() if key not in dropped}


def text(schema: dict[str, Any]) -> str:
    """The bytes of a file, as text."""
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        (FOLDER / name).write_text(text(schema), encoding="utf-8")
