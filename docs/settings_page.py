"""Writes config/keys.md, the meaning of every settings key, from the descriptions beside the code that reads them.

Run by `make settings-page`. A test calls `page` and fails when the file is not what the code says.
"""

from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from vldeformer.config import Settings
from vldeformer.plan import STAGE_SECTIONS, Run

ROOT = Path(__file__).resolve().parent.parent
HEAD = """# Settings keys

Made by `make settings-page` from the code; do not edit. *Default*: what `experiments/decomposed.yaml` and, of the data set,
`datasets/scenes.yaml` say; a key of another source of data may be left out where it shows a default. `…`: see the file.
"""
TABLE = "| key | allowed | default | meaning |\n| --- | --- | --- | --- |"
NUMBER = {
    annotated_types.Ge: ("ge", "≥"),
    annotated_types.Gt: ("gt", ">"),
    annotated_types.Le: ("le", "≤"),
    annotated_types.Lt: ("lt", "<"),
}


def page() -> str:
    """The whole page in Markdown."""
    stated = _file("experiments/decomposed.yaml") | {"dataset": _file("datasets/scenes.yaml")["dataset"]}
    head = "The configfile, e.g. `config/default.yaml`: which experiments on which data set."
    parts = [HEAD, f"## A run\n\n{head}\n\n{TABLE}", "\n".join(_rows(Run, "", {})) + "\n"]
    for section, field in Settings.model_fields.items():
        kinds = _models(field.annotation)
        for kind in kinds:
            source = get_args(kind.model_fields["source"].annotation)[0] if len(kinds) > 1 else None
            values = stated[section] if source in (None, "scenes") else {}
            readers = ", ".join(f"`{stage}`" for stage, sections in STAGE_SECTIONS.items() if section in sections)
            title = section if source is None else f"{section} (source: {source})"
            parts.append(f"## {title}\n\n{(kind.__doc__ or '').strip()}\n\nRead by the stages {readers}.\n\n{TABLE}")
            parts.append("\n".join(_rows(kind, "", values)) + "\n")
    return "\n".join(parts)


def _file(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def keys(kind: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key below a class of settings, with what is said of it."""
    for name, field in kind.model_fields.items():
        models = _models(field.annotation)
        if field.annotation not in models:
            yield prefix + name, field
        named = {dict: "NAME.", list: "N."}.get(get_origin(field.annotation), "")  # type: ignore[arg-type]
        for model in models:
            yield from keys(model, f"{prefix}{name}.{named}")


def _models(annotation: Any) -> list[type[BaseModel]]:
    found = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
    return [kind for kind in found if issubclass(kind, BaseModel)]


def _rows(kind: type[BaseModel], prefix: str, values: dict[str, Any]) -> list[str]:
    return [
        f"| `{name}` | {_allowed(field)} | {_default(name, field, values)} | {field.description or _fallback(name)} |"
        for name, field in keys(kind, prefix)
    ]


def _fallback(name: str) -> str:
    return "which reader; the keys below are this one's" if name == "source" else ""


def _default(name: str, field: FieldInfo, values: Any) -> str:
    for key in name.split("."):
        values = values.get(key, PydanticUndefined) if isinstance(values, dict) else PydanticUndefined
    value = field.default if values is PydanticUndefined else values
    if value is PydanticUndefined:
        return ""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    if len(inner) > 6 or any(isinstance(item, dict) for item in inner):
        return "…"
    shown = yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False)
    return f"`{shown.removesuffix(chr(10)).removesuffix('...').strip()}`"


def _allowed(field: FieldInfo) -> str:
    """Type and bounds, as people write them."""
    bounds = [
        f"{sign} {getattr(each, name):g}"
        for each in field.metadata
        for kind, (name, sign) in NUMBER.items()
        if isinstance(each, kind)
    ]
    lengths = [f"at least {each.min_length}" for each in field.metadata if isinstance(each, annotated_types.MinLen)]
    return ", ".join([_shown(field.annotation), *bounds, *lengths])


def _shown(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _shown(inner[0])
    if origin is Literal:
        return " or ".join(f"`{choice}`" for choice in inner)
    if origin is list:
        return f"list of {_shown(inner[0])}"
    if origin is dict:
        return f"{_shown(inner[0])} → {_shown(inner[1])}"
    if origin in (Union, UnionType):
        return " or ".join(map(_shown, inner))
    if _models(annotation):
        return "keys below"
    return {str: "text", int: "whole number", float: "number", bool: "`true` or `false`", type(None): "`null`"}[annotation]


if __name__ == "__main__":
    (ROOT / "config" / "keys.md").write_text(page(), encoding="utf-8")
