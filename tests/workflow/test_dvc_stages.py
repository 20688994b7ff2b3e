"""dvc.yaml is what the rules say, and a run of the paper gets its stages in the same way."""

import re
import shutil
import sys

import pytest
import yaml
from published_runs import write_sources
from workflow_projects import ROOT, copy_of_workflow

PAPER = ["coco_vinvl", "flickr30k_vinvl", "coco_flickr30k_vinvl", "coco_vilt", "flickr30k_vilt", "coco_flickr30k_vilt"]


def written(project, *runs):
    project.run(sys.executable, "workflow/dvc_stages.py", *runs)
    return (project.folder / "dvc.yaml").read_text(encoding="utf-8")


def test_the_committed_stages_are_those_of_the_rules(real_project):
    committed = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    (runs,) = re.findall(r"Runs: (.*)", committed)
    again = f'make dvc-stages RUNS="{runs}"' if runs != "default" else "make dvc-stages"
    assert written(real_project, *runs.split()) == committed, f"dvc.yaml is not what the rules say: run `{again}`"


def test_no_stage_depends_on_a_source_file():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    items = [item for stage in stages.values() for item in stage.get("foreach", {"": stage}).values()]
    deps = {path for item in items for path in item.get("deps", [])}
    assert len(deps) > 50 and {path.split("/")[0] for path in deps} == {"artifacts", "data", "results"}


def test_results_are_never_kept_under_new_settings():
    # Trap 3: DVC would certify the old model.
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert "persist" not in str({name: stage for name, stage in stages.items() if name != "settings"})


@pytest.mark.slow
def test_the_runs_of_the_paper_get_stages_of_their_own(tmp_path):
    project = copy_of_workflow(tmp_path / "project")
    write_sources(project.folder)
    stages = yaml.safe_load(written(project, *PAPER))["stages"]
    shutil.copytree(ROOT / "src", project.folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    project.run("dvc", "init", "-q", "--no-scm")
    listed = project.run("dvc", "stage", "list", "--fail", "--name-only").split()
    assert {"train@released", "report", *(f"{run}-train@joint" for run in PAPER[1:])} <= set(listed)
    for run in PAPER:
        settings = yaml.safe_load((project.folder / "config" / "datasets" / f"{run}.yaml").read_text())
        deps = stages["pretrain" if run == PAPER[0] else f"{run}-pretrain"]["deps"]
        assert (settings["pretrain"]["checkpoint"] in deps) == run.endswith("vinvl"), "the hub's are no files"
    shutil.rmtree(project.folder / "raw" / "vinvl-base")
    said = project.run("dvc", "repro", "--dry", "--single-item", "pretrain", fails=True)
    assert f"{project.folder}/raw/vinvl-base" in said, "the other raw files are there, this one is not"
