"""A finished run is found from anywhere in its project; what is missing says what to run."""

import pytest

from vldeformer.errors import InputError
from vldeformer.report.finished import find_run


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("notebooks", "artifacts/tiny/base/prepare", "results/tiny"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "Snakefile").touch()
    (tmp_path / "results/tiny/metrics.json").touch()
    monkeypatch.chdir(tmp_path / "notebooks")
    return tmp_path


def test_it_is_found_from_a_folder_of_the_project(project):
    run = find_run("tiny", needed=["base/prepare"])
    assert (run.root, run.artifacts, run.results) == (project, project / "artifacts/tiny", project / "results/tiny")


@pytest.mark.parametrize(
    ("dataset", "needed", "missing", "command"),
    [
        ("tiny", ["base/prepare", "base/negatives"], "artifacts/tiny/base/negatives", "all --configfile config/tiny.yaml`"),
        ("scenes", [], "results/scenes/metrics.json", "snakemake --cores 8 all`"),
    ],
)
def test_what_is_missing_and_what_to_run_is_one_line(project, dataset, needed, missing, command):
    with pytest.raises(InputError) as caught:
        find_run(dataset, needed)
    message = str(caught.value)
    assert missing in message and command in message and str(project) in message and "\n" not in message


def test_elsewhere_there_is_no_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no Snakefile here or above"):
        find_run("scenes")
