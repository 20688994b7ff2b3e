"""README.md shows what the runs in results/ say, and nothing else."""

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_tables_of_the_readme_are_those_of_the_results():
    spec = importlib.util.spec_from_file_location("readme_results", ROOT / "docs" / "readme_results.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(module.SECTION.findall(readme)) == 2
    assert module.filled(readme, ROOT) == readme, "run `make readme`"


def test_every_path_that_the_readme_links_to_exists():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", readme) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
