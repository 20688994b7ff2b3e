"""The version is the same everywhere, `make release` keeps it so, and the files for a public forge name what is there."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
RELEASED = ("pyproject.toml", "CITATION.cff", "CHANGELOG.md")


def read(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def versions(root):
    """Of pyproject.toml, CITATION.cff and the newest section of CHANGELOG.md, and the two dates."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    cited = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    newest, date = re.findall(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", changes, re.M)[0]
    return [project, cited["version"], newest], [str(cited["date-released"]), date]


@pytest.fixture
def release(tmp_path):
    """Runs `.ci/release` on copies of the files."""
    (tmp_path / ".ci").mkdir()
    for name in (*RELEASED, ".ci/release"):
        shutil.copy(ROOT / name, tmp_path / name)

    def run(version):
        return subprocess.run([tmp_path / ".ci" / "release", version], capture_output=True, text=True, check=False)

    return run


def test_the_version_is_the_same_everywhere():
    numbers, dates = versions(ROOT)
    assert len(set(numbers)) == 1 and len(set(dates)) == 1


def test_a_release_writes_its_version_everywhere(release, tmp_path):
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("## Unreleased\n", "## Unreleased\n\n- Something new.\n", 1))
    done = release("98.7.6")
    assert done.returncode == 0 and "git tag -a v98.7.6" in done.stdout, done.stderr
    numbers, dates = versions(tmp_path)
    assert set(numbers) == {"98.7.6"} and len(set(dates)) == 1
    assert re.search(r"## Unreleased\n\n## 98\.7\.6 - .*\n\n- Something new\.", changelog.read_text())
    again = release("98.7.7")
    assert again.returncode == 2 and "nothing under" in again.stderr


@pytest.mark.parametrize(("version", "problem"), [("", "expected a version"), ("v1.2", "got 'v1.2'"), ("0.1.0", "already has")])
def test_a_wrong_version_is_refused_and_changes_nothing(release, tmp_path, version, problem):
    before = [(tmp_path / name).read_bytes() for name in RELEASED]
    done = release(version)
    assert done.returncode == 2 and problem in done.stderr and len(done.stderr.splitlines()) == 1
    assert [(tmp_path / name).read_bytes() for name in RELEASED] == before


def test_hooks_check_what_make_lint_checks():
    recipe = re.search(r"^lint: setup\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)[1]
    checked = {line.strip() for line in recipe.splitlines()} - {"snakemake --lint"}
    (local,) = read(".pre-commit-config.yaml")["repos"]
    assert {hook["entry"].removeprefix(".venv/bin/") for hook in local["hooks"]} == checked


def test_the_forge_runs_ci():
    (job,) = read(".github/workflows/ci.yml")["jobs"].values()
    (step,) = [one for one in job["steps"] if "run" in one]
    assert (ROOT / step["run"]).stat().st_mode & 0o111


@pytest.mark.parametrize("name", ["problem", "result"])
def test_an_issue_asks_for_the_doctors_output(name):
    fields = {field["id"]: field for field in read(f".github/ISSUE_TEMPLATE/{name}.yml")["body"]}
    assert "vldeformer doctor" in fields["doctor"]["attributes"]["label"] and fields["doctor"]["validations"]["required"]


def test_the_catalogue_says_how_the_workflow_is_deployed():
    usage = read(".snakemake-workflow-catalog.yml")["usage"]
    rules = [path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk")]
    assert usage["software-stack-deployment"] == {"conda": any("conda:" in rule for rule in rules)}
    assert (ROOT / "config" / "README.md").is_file() and "snakemake" in (ROOT / "README.md").read_text(encoding="utf-8").lower()
