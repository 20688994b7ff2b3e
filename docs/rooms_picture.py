"""Draw docs/rooms.svg: the rooms of the package in the order of the import contract in pyproject.toml. Run by `make rooms`.

The words in the boxes are those of the table in docs/architecture.md.
"""

import re
import textwrap
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT, GAP, MARGIN, LETTERS = 840, 42, 10, 16, 6.4
WAY_AT = WIDTH + 10
WAY = {
    "data": "record",
    "inputs": "tokens → batch",
    "models": "backbone → pool → vector",
    "retrieval": "ranking",
    "evaluation": "result",
    "report": "report",
}
"""Room → what becomes of a caption or an image there, shown at the right from the bottom to the top."""
STYLE = (
    "text{font:12px sans-serif;fill:#1b1f24}.room{font-weight:bold}rect{fill:#eef3fa;stroke:#5b7ba8}"
    "path{fill:none;stroke:#b3561d}circle{fill:#b3561d}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}rect{fill:#1d2a3a;stroke:#6f93c4}}"
)


def layers(project: str) -> list[list[str]]:
    """Rows of rooms from the text of pyproject.toml, the highest first."""
    contract, *_ = tomllib.loads(project)["tool"]["importlinter"]["contracts"]
    return [re.split(r"\s*[|:]\s*", layer) for layer in contract["layers"]]


def contents(page: str) -> dict[str, str]:
    """Room → what it holds, from the table of the page; a row of several rooms names them in the order of their words."""
    held: dict[str, str] = {}
    for names, words in re.findall(r"^\| (`.+`) \| (.+) \|$", page, re.MULTILINE):
        rooms = re.findall(r"`([\w/]+)`", names)
        parts = words.split("; ") if len(rooms) > 1 else [words]
        held |= {room.strip("/"): part for room, part in zip(rooms, parts, strict=True)}
    return held


def drawing(rows: list[list[str]], held: dict[str, str]) -> str:
    """The picture as SVG text: a line per row with its rooms from left to right, the way of an item at the right."""
    width, height = WIDTH + 190, MARGIN + len(rows) * (HEIGHT + GAP)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>Rooms of the package; imports go downwards</title><style>{STYLE}</style>",
    ]
    stops = []
    for number, row in enumerate(rows):
        top, size = MARGIN + number * (HEIGHT + GAP), (WIDTH - 2 * MARGIN - (len(row) - 1) * GAP) / len(row)
        for place, room in enumerate(row):
            lines += _box(room, held.get(room, ""), MARGIN + place * (size + GAP), top, size)
            if room in WAY:
                stops.append(top + HEIGHT // 2)
                lines.append(f'<circle cx="{WAY_AT}" cy="{stops[-1]}" r="4"/>')
                lines.append(f'<text x="{WAY_AT + 12}" y="{stops[-1] + 4}">{WAY[room]}</text>')
    first, last = min(stops), max(stops)
    lines.append(f'<path d="M{WAY_AT} {last}V{first - 16}m-5 7l5 -7l5 7"/>')
    lines.append(f'<text x="{WAY_AT + 12}" y="{last + 24}">caption, image</text>')
    return "\n".join([*lines, "</svg>", ""])


def _box(room: str, words: str, left: float, top: int, width: float) -> list[str]:
    shown = textwrap.shorten(words.replace("`", ""), int((width - 20) / LETTERS), placeholder=" …")
    return [
        f'<rect x="{left:.0f}" y="{top}" width="{width:.0f}" height="{HEIGHT}" rx="4"/>',
        f'<text class="room" x="{left + 10:.0f}" y="{top + 17}">{escape(room)}</text>',
        f'<text x="{left + 10:.0f}" y="{top + 34}">{escape(shown)}</text>',
    ]


def picture(root: Path) -> str:
    """The picture of the project in a folder."""
    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    return drawing(layers((root / "pyproject.toml").read_text(encoding="utf-8")), contents(page))


if __name__ == "__main__":
    (ROOT / "docs" / "rooms.svg").write_text(picture(ROOT), encoding="utf-8")
    print("docs/rooms.svg: written")
