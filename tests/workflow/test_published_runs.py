"""The runs of COCO and Flickr30k: each can be planned, and each kind of them runs to its tables on tiny downloads."""

import json
import re

import pytest
import yaml
from published_runs import VINVL_SPLITS, shrink, write_sources
from workflow_projects import copy_of_workflow

VINVL, JOINED = ["coco_vinvl", "flickr30k_vinvl"], "coco_flickr30k_vinvl"
VILT, JOINED_VILT = ["coco_vilt", "flickr30k_vilt", "coco_flickr30k_vilt"], "coco_flickr30k_vilt"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The workflow with every source in place."""
    folder = tmp_path_factory.mktemp("published") / "project"
    made = copy_of_workflow(folder)
    write_sources(folder)
    return made


def jobs(printed):
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", printed.split("Job stats:")[-1], re.M)}


@pytest.mark.parametrize("run", [*VINVL, JOINED, *VILT])
def test_a_run_is_planned_from_its_files(project, run):
    planned = jobs(project.snakemake("-n", "all", config=run))
    assert planned["train"] == 3 and planned["embed"] == 2 and planned["score"] == 1 and planned["report"] == 1
    assert "pretrain" not in planned and planned["import_weights"] == 2
    assert planned.get("import_features", 0) == {JOINED: 2}.get(run, 0 if run in VILT else 1)
    assert ("features" in planned) == (run == JOINED)


@pytest.mark.parametrize("run", ["coco_lite", "flickr30k_lite"])
def test_a_run_on_regions_of_a_network_is_planned_from_its_files(project, run):
    planned = jobs(project.snakemake("-n", "all", config=run))
    assert planned["photograph_features"] == planned["pretrain"] == planned["negatives"] == planned["score"] == 1
    assert planned["train"] == 4 and planned["embed"] == 3 and "import_weights" not in planned


def test_published_protocols_are_judged_on_their_own_part(project):
    printed = " ".join(project.snakemake("-n", "-p", "all", config=JOINED).split())
    assert "--part coco --protocol coco-5k" in printed and "--part flickr30k --protocol flickr30k-1k" in printed
    assert "--part coco --keys raw/coco/coco_ir/test_img_keys_1k.tsv --protocol coco-1k-fixed" in printed
    assert "--part" not in project.snakemake("-n", "-p", "all", config="coco_vinvl")


def test_an_experiment_may_pre_train_where_the_others_start_from_a_published_model(tmp_path):
    made = copy_of_workflow(tmp_path / "project")
    write_sources(made.folder)
    settings = made.folder / "config" / "datasets" / "coco_vinvl.yaml"
    values = yaml.safe_load(settings.read_text())
    values["experiments"]["joint"]["pretrain"] = {"checkpoint": None}
    settings.write_text(yaml.safe_dump(values))
    planned = jobs(made.snakemake("-n", "all", config="coco_vinvl"))
    assert planned["vocabulary"] == planned["imported_vocabulary"] == planned["pretrain"] == planned["import_weights"] == 1


def test_a_model_is_trained_with_the_word_pieces_of_the_model_that_it_starts_from(project):
    printed = project.snakemake("-n", "-p", "all", config="coco_vilt")
    trained = re.findall(r"--tokenizer (\S+)/vocabulary/tokenizer.json --start (\S+)/pretrain/model", printed)
    assert sorted(trained) == [(f"artifacts/coco_vilt/{home}",) * 2 for home in ("base", "base", "joint")]


@pytest.mark.pipeline
@pytest.mark.parametrize("run", [JOINED, JOINED_VILT])
def test_a_run_goes_through_to_its_tables(project, run):
    shrink(project.folder / "config" / "datasets" / f"{run}.yaml")
    project.snakemake("--cores", "2", "all", config=run)
    results = project.folder / "results" / run
    recalls = json.loads((results / "report.json").read_text())["recalls"]
    assert {one["experiment"] for one in recalls} == {
        "joint",
        "decomposed",
        "reranked",
        "released" if run == JOINED else "no_negatives",
    }
    tested = json.loads((results / "decomposed" / "test.json").read_text())
    assert tested["n_images"] == 2 * (VINVL_SPLITS["test"] if run == JOINED else 6)
    assert "Nothing to be done" in project.snakemake("--cores", "2", "all", config=run)
