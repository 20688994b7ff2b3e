"""DVC's stages and Snakemake's graph are one pipeline: each accepts what the other made, and a setting reaches both."""

import shutil

import pytest

# The stand-in takes the place of the stages, so the default run, which dvc.yaml describes, ends in seconds.
RUN = {"config": "default"}


@pytest.fixture
def versioned(project):
    """A repository with DVC in which everything has run and is adopted."""
    for name in ("data", "inputs", "models", "objective", "training", "retrieval", "evaluation", "report"):
        code = project.folder / "src" / "vldeformer" / name / "code.py"
        code.parent.mkdir(parents=True)
        code.touch()
    project.run("git", "init", "-q")
    project.run("dvc", "init", "-q")
    project.run("dvc", "config", "core.analytics", "false")
    project.run("dvc", "config", "cache.type", "reflink,symlink,copy")
    project.run("dvc", "remote", "add", "-q", "-d", "store", "dvc-store")
    project.snakemake("--cores", "8", "all", **RUN)
    project.run("dvc", "add", "-q", "data")
    project.run("dvc", "commit", "-q", "-f")
    project.calls()
    return project


@pytest.mark.slow
def test_both_engines_agree(versioned):
    # What Snakemake has made, DVC adopts; then it is up to date for both.
    assert "up to date" in versioned.run("dvc", "status")
    assert "Data and pipelines are up to date" in versioned.run("dvc", "repro")
    assert "Nothing to be done" in versioned.snakemake("--cores", "1", "all", **RUN)

    # Neither a clone's arbitrary times nor a missing .snakemake mislead a stage: only what follows the setting runs again.
    shutil.rmtree(versioned.folder / ".snakemake")
    versioned.edit("config/experiments/decomposed.yaml", "  confidence: 0.95", "  confidence: 0.9")
    versioned.run("dvc", "repro")
    stages = {stage for stage, _ in versioned.calls()}
    judging = {"embed", "score", "score-oracle", "evaluate", "compositional-items", "compositional", "rerank"}
    assert stages == {*judging, "speed", "report"}
    assert "up to date" in versioned.run("dvc", "status")
    assert "Nothing to be done" in versioned.snakemake("--cores", "1", "all", **RUN)

    # Code counts for DVC: another loop trains again, another report does not.
    (versioned.folder / "src/vldeformer/report/code.py").write_text("# a comment\n")
    versioned.run("dvc", "repro")
    assert {stage for stage, _ in versioned.calls()} == {"speed", "report"}
