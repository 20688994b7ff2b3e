"""Writes config/keys.md, the meaning of every settings key, from the descriptions beside the code that reads them.

Run by `make settings-page`. A test calls `page` and fails when the file is not what the code says.
"""

from pathlib import Path
from typing import get_args

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
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            rows += _rows(inner, f"{prefix}{name}.")
            continue
        shown = inner.__name__ if isinstance(inner, type) else str(inner).replace("typing.", "").replace("|", "or")
        rows.append(f"| `{prefix}{name}` | {shown} | {field.description or ''} |")
    return rows


if __name__ == "__main__":
    (ROOT / "config" / "keys.md").write_text(page(), encoding="utf-8")
