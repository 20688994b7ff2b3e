"""Reading the journal of a training: one JSON object a line, for a step or for a measurement on the validation split."""

import json
from pathlib import Path
from typing import Any

from vldeformer.errors import InputError


def read_journal(path: Path) -> list[dict[str, Any]]:
    """The lines of a training journal. Raises InputError naming file and line if it is missing or a line is not a JSON object."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: expected a training journal, found no file; train first") from None
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            value = json.loads(line)
        except json.JSONDecodeError:
            value = None
        if not isinstance(value, dict) or "step" not in value:
            raise InputError(f"{path}, line {number}: expected a JSON object with `step`, got {line[:60]!r}; it may be cut short")
        lines.append(value)
    return lines
