"""Writes config/keys.md, the meaning of every settings key, from the descriptions in the code that reads them.

Run by `make settings-page`. A test calls `page` and fails when the file is not what the code says.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from vldeformer.planning.ablation_files import AblationFile
from vldeformer.planning.config import Settings
from vldeformer.planning.layers import existing
from vldeformer.planning.run import Run
from vldeformer.planning.step_sections import STEP_SECTIONS
from vldeformer.section import sections_of, tags_of

ROOT = Path(__file__).resolve().parent.parent
HEAD = """# Settings keys

Made by `make settings-page` from the code; do not edit. *Default*: what `experiments/decomposed.yaml`, `report.yaml` and, of the
data set, `datasets/scenes.yaml` say; a key that shows a default and is in none of these may be left out. `…`: see the file.

A section with a heading for each `kind` (or `source`) has the keys below that heading: each kind refuses the keys of the others.
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
    stated = _file("experiments/decomposed.yaml") | _file("report.yaml") | {"dataset": _file("datasets/scenes.yaml")["dataset"]}
    head = "The configfile, e.g. `config/default.yaml`: which experiments on which data set."
    parts = [HEAD, f"## A run\n\n{head}\n\n{TABLE}", "\n".join(_rows(Run, "", {})) + "\n"]
    head = "A file of `config/ablations`: a table about one choice of the method. Its name is that of the table."
    parts += [f"## An ablation\n\n{head}\n\n{TABLE}", "\n".join(_rows(AblationFile, "", {})) + "\n"]
    for section, field in Settings.model_fields.items():
        readers = ", ".join(f"`{step}`" for step, sections in STEP_SECTIONS.items() if section in sections)
        for title, kind, values in _kinds(section, field, stated[section]):
            parts.append(f"## {title}\n\n{inspect.cleandoc(kind.__doc__ or '')}\n\nRead by the steps {readers}.\n\n{TABLE}")
            parts.append("\n".join(_rows(kind, "", values)) + "\n")
            for name, inner in kind.model_fields.items():
                for below, own, stated_below in _kinds(f"{section}.{name}", inner, values.get(name), only_unions=True):
                    parts.append(f"### {below}\n\n{inspect.cleandoc(own.__doc__ or '')}\n\n{TABLE}")
                    parts.append("\n".join(_rows(own, "", stated_below)) + "\n")
    return "\n".join(parts)


def _kinds(
    place: str, field: FieldInfo, stated: Any, only_unions: bool = False
) -> Iterator[tuple[str, type[BaseModel], dict[str, Any]]]:
    """Heading, class and stated values of each class that a section may be."""
    tags = tags_of(field)
    for kind in sections_of(field.annotation):
        own = [tag for tag, of in tags.items() if of is kind]
        chosen = isinstance(stated, dict) and (not own or stated.get(str(field.discriminator)) in own)
        if own or not only_unions:
            title = f"{place} ({field.discriminator}: {' or '.join(own)})" if own else place
            yield title, kind, stated if chosen else {}


def _file(name: str) -> dict[str, Any]:
    path = existing(ROOT / "config" / name, "file")
    return yaml.safe_load(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def keys(kind: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key below a class of settings, with its field; the keys of a union's kinds are under their own headings."""
    for name, field in kind.model_fields.items():
        models = _models(field.annotation)
        if field.annotation not in models:
            yield prefix + name, field
        named = {dict: "NAME.", list: "N."}.get(get_origin(field.annotation), "")  # type: ignore[arg-type]
        for model in [] if tags_of(field) else models:
            yield from keys(model, f"{prefix}{name}.{named}")


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Settings classes of a field, also of the items of a list or mapping."""
    return sections_of(annotation) or [found for inner in get_args(annotation) for found in sections_of(inner)]


def _rows(kind: type[BaseModel], prefix: str, values: dict[str, Any]) -> list[str]:
    return [
        f"| `{name}` | {_allowed(field)} | {_default(name, field, values)} | {field.description or _fallback(name)} |"
        for name, field in keys(kind, prefix)
    ]


def _fallback(name: str) -> str:
    return "which one; the keys below are those of this one" if name in ("source", "kind") else ""


def _default(name: str, field: FieldInfo, values: Any) -> str:
    for key in name.split("."):
        values = values.get(key, PydanticUndefined) if isinstance(values, dict) else PydanticUndefined
    value = field.default if values is PydanticUndefined else values
    if value is PydanticUndefined:
        return ""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    if len(inner) > 10 or any(isinstance(item, dict) for item in inner):
        return "…"
    shown = yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False)
    return f"`{shown.removesuffix(chr(10)).removesuffix('...').strip()}`"


def _allowed(field: FieldInfo) -> str:
    """Type and bounds, as people write them."""
    tags = tags_of(field)
    if tags:
        return f"keys with a `{field.discriminator}`: " + ", ".join(f"`{tag}`" for tag in tags)
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
    if annotation is Any:
        return "anything"
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
