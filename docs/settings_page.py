"""Writes config/keys.md, the meaning of every settings key, from the descriptions beside the code that reads them.

Run by `make settings-page`. A test calls `page` and fails when the file is not what the code says.
"""

from pathlib import Path
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel

from vldeformer.config import Settings

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# Settings keys\n\nMade by `make settings-page` from the code; do not edit.\n"


def page() -> str:
    """The whole page in Markdown."""
    parts = [HEAD]
    for section, field in Settings.model_fields.items():
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        for kind in kinds:
            if issubclass(kind, BaseModel):
                title = (
                    section if len(kinds) == 1 else f"{section} (source: {get_args(kind.model_fields['source'].annotation)[0]})"
                )
                parts.append(f"## {title}\n\n{(kind.__doc__ or '').strip()}\n\n| key | type | meaning |\n| --- | --- | --- |")
                parts.append("\n".join(_rows(kind, "")) + "\n")
    return "\n".join(parts)


def _rows(kind: type[BaseModel], prefix: str) -> list[str]:
    rows = []
    for name, field in kind.model_fields.items():
        inner = field.annotation
        models = [kind for kind in (inner, *get_args(inner)) if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if inner not in models:
            rows.append(f"| `{prefix}{name}` | {_shown(inner)} | {field.description or ''} |")
        for model in models:
            named = "NAME." if get_origin(inner) is dict else ""
            rows += _rows(model, f"{prefix}{name}.{named}")
    return rows


def _shown(annotation: object) -> str:
    """A type as people write it."""
    if get_origin(annotation) is Annotated:
        return _shown(get_args(annotation)[0])
    if get_origin(annotation) is list:
        return f"list of {_shown(get_args(annotation)[0])}"
    if get_origin(annotation) is dict:
        return f"mapping of {' to '.join(map(_shown, get_args(annotation)))}"
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(map(_shown, get_args(annotation)))
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return "keys below" if issubclass(annotation, BaseModel) else annotation.__name__.replace("NoneType", "null")
    return str(annotation).replace("typing.", "")


if __name__ == "__main__":
    (ROOT / "config" / "keys.md").write_text(page(), encoding="utf-8")
