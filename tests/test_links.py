"""Every link to a file of the project leads to one, and a link with the name of a module to this module."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md"), *ROOT.glob("config/*.md")])


def links(page):
    """(text, path) of every link that is no address."""
    found = re.findall(r"\[([^\]]*)\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    return [(text, target) for text, target in found if "://" not in target]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_of_a_page(page):
    for text, target in links(page):
        assert (page.parent / target).exists(), target
        if re.fullmatch(r"`[\w/]+\.py`", text):
            assert target.endswith(text.strip("`")), text


def test_the_index_has_every_page():
    linked = {target for _, target in links(ROOT / "docs" / "index.md")}
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"} <= linked
