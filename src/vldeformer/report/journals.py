"""Reading the journal of a training: one JSON object a line, for a step or for a measurement on the validation split."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vldeformer.artifact import kind_of_file
from vldeformer.errors import InputError


def read_journal(path: Path) -> list[dict[str, Any]]:
    """The lines of a training journal. Raises InputError naming file and line if it is missing, or a line is not a JSON object
    with a whole number as ``step``.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: expected a training journal, found no file; train first") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected a training journal in UTF-8, got {kind_of_file(path)} ({error.reason})") from None
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict) or type(value.get("step")) is not int:
            expected = "expected a JSON object with a whole number as `step`"
            raise InputError(f"{path}, line {number}: {expected}, got {line[:60]!r}; it may be cut short")
        lines.append(value)
    return lines


def curve(lines: Sequence[Mapping[str, Any]], key: str) -> tuple[list[int], list[float]]:
    """Steps, and what was measured there under ``key``; lines without it are passed over."""
    found = [line for line in lines if key in line]
    return [line["step"] for line in found], [line[key] for line in found]
