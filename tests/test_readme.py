"""Pages that are made from results or code are what those say."""

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_the_readme_are_those_of_the_results(committed):
    module = load("readme_results")
    readme = (committed / "README.md").read_text(encoding="utf-8")
    assert len(module.SECTION.findall(readme)) == 2
    assert module.filled(readme, committed) == readme, "run `make readme`"


def test_every_path_that_the_readme_links_to_exists():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", readme) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_page_of_settings_is_made_from_the_code():
    assert load("settings_page").page() == (ROOT / "config" / "keys.md").read_text(encoding="utf-8"), "run `make settings-page`"
