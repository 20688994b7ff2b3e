"""Fixtures of the workflow's tests; what they are made of is in `workflow_projects`."""

import pytest
from versioned_projects import adopt, versioned
from workflow_projects import copy_of_workflow, with_stand_in


@pytest.fixture
def project(tmp_path):
    """A fresh copy in which the stand-in is the command line."""
    return with_stand_in(tmp_path)


@pytest.fixture
def real_project(tmp_path):
    """A fresh copy with the real command line."""
    return copy_of_workflow(tmp_path / "project")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A copy in which all has run by the stand-in, what was printed, and the calls; tests take a copy of it."""
    project = with_stand_in(tmp_path_factory.mktemp("finished"))
    printed = project.snakemake("--cores", "3", "all")
    return project, printed, project.calls()


@pytest.fixture(scope="session")
def adopted(tmp_path_factory):
    """A repository in which all has run by the stand-in and DVC has adopted it; tests take a copy or a clone."""
    return adopt(versioned(with_stand_in(tmp_path_factory.mktemp("adopted"))))


@pytest.fixture
def adopted_copy(adopted, tmp_path):
    """A copy of it to be changed; no call has been made in it."""
    made = adopted.copy(tmp_path / "work")
    made.calls()
    return made


@pytest.fixture(scope="session")
def really_adopted(tmp_path_factory):
    """The same with the real command line."""
    return adopt(versioned(copy_of_workflow(tmp_path_factory.mktemp("real") / "project")))
