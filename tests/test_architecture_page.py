"""docs/architecture.md describes every room, its picture is that of the import contract, and every path that it names exists."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRACT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

spec = importlib.util.spec_from_file_location("rooms_picture", ROOT / "docs" / "rooms_picture.py")
rooms_picture = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rooms_picture)


def named_paths(page):
    """Paths of the project in backticks: those that begin with a folder of the root."""
    folders = "benchmarks|config|docs|notebooks|profiles|published|src|tests|workflow"
    return sorted(set(re.findall(rf"`((?:{folders})/[\w./-]*)`", page)))


def test_the_table_has_every_room_of_the_contract():
    rooms = {room for row in rooms_picture.layers(CONTRACT) for room in row}
    assert set(rooms_picture.contents(PAGE)) == rooms


def test_the_picture_is_that_of_the_contract_and_the_table():
    assert rooms_picture.picture(ROOT) == (ROOT / "docs" / "rooms.svg").read_text(encoding="utf-8"), "run `make rooms`"


def test_the_picture_shows_each_row_of_rooms():
    drawn = rooms_picture.drawing([["report", "evaluation"], ["data"]], {"report": "tables & figures", "data": "records"})
    tops = {room: re.search(rf'y="(\d+)">{room}<', drawn)[1] for room in ("report", "evaluation", "data")}
    assert tops["report"] == tops["evaluation"] != tops["data"] and "tables &amp; figures" in drawn


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_path_that_is_named_exists(page):
    named = named_paths((ROOT / page).read_text(encoding="utf-8"))
    assert named and [path for path in named if not (ROOT / path).exists()] == []
