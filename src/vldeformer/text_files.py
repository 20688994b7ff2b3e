r"""Text of users: with or without a byte-order mark, and a line ends at \n, \r\n or \r alone, as in editors."""

import re
from pathlib import Path

LINE_ENDS = re.compile(r"\r\n|\n|\r")


def read_text(path: Path) -> str:
    """The text of a UTF-8 file without its byte-order mark. Raises OSError or UnicodeDecodeError as the system does."""
    return path.read_bytes().decode("utf-8-sig")


def lines_of(text: str) -> list[str]:
    """Lines without their ends; empty ones behind the last that is not empty are left out.

    ``str.splitlines`` would cut a text at a form feed, at U+0085 and at U+2028 as well.
    """
    lines = LINE_ENDS.split(text)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines
