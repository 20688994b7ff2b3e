"""Every import of `src` is a declared dependency: an installation without extras must run."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "vldeformer"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DISTRIBUTIONS = packages_distributions()
# extra → files that may import its packages. Without the extra, the command that reaches them ends with one plain line.
EXTRAS = {
    "eccv": ["evaluation/judgements.py"],
    "heic": ["data/pictures.py"],
    "lance": ["search/export.py"],
    "serve": ["serve/*.py"],
}
NEVER_IMPORTED = {"tabulate"}  # pandas imports it for Markdown tables


def canonical(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def declared(requirements):
    return {canonical(requirement) for requirement in requirements}


BASE = declared(PROJECT["dependencies"])


def nodes_that_run(tree):
    """All nodes of a tree but those below `if TYPE_CHECKING:`, which only mypy reads."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from nodes_that_run(node)


def imported(path):
    """Top-level names of all imports of a file that run, also of those inside functions."""
    for node in nodes_that_run(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


def third_party(path):
    """Distributions that a file imports; a name that no installed distribution has counts as its own."""
    names = set(imported(path)) - set(sys.stdlib_module_names) - {"vldeformer"}
    return {canonical(DISTRIBUTIONS.get(name, [name])[0]) for name in names}


def allowed(path):
    own = [extra for extra, patterns in EXTRAS.items() if any(path.relative_to(SOURCE).match(pattern) for pattern in patterns)]
    return BASE | declared(package for extra in own for package in PROJECT["optional-dependencies"][extra])


def test_every_import_is_a_base_dependency_or_one_of_the_extra_of_its_file():
    undeclared = {path.relative_to(ROOT): third_party(path) - allowed(path) for path in SOURCE.rglob("*.py")}
    assert {str(path): names for path, names in undeclared.items() if names} == {}


def test_every_base_dependency_is_imported():
    used = set().union(*(third_party(path) for path in SOURCE.rglob("*.py")))
    assert BASE - used - NEVER_IMPORTED == set()


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_exception_of_the_table_is_needed(extra):
    for pattern in EXTRAS[extra]:
        used = set().union(*(third_party(path) for path in SOURCE.glob(pattern)))
        assert used & declared(PROJECT["optional-dependencies"][extra]), pattern


def test_an_import_inside_a_function_is_found_and_one_for_types_is_not(tmp_path):
    (tmp_path / "module.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import onlytypes\n"
        "def run():\n    import os.path, nosuch.inner\n    from yaml import safe_load\n",
        encoding="utf-8",
    )
    assert third_party(tmp_path / "module.py") == {"nosuch", "pyyaml"}
