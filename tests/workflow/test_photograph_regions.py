"""A data set of photographs for a backbone that reads regions: its step, and that of the built-in world as before."""

import re

import pytest
from workflow_projects import copy_of_workflow


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The workflow with the raw file of Flickr8k in place; a dry run does not read it."""
    made = copy_of_workflow(tmp_path_factory.mktemp("photographs") / "project")
    raw = made.folder.parent / "shared" / "data" / "flickr8k" / "dataset_flickr8k.json"
    raw.parent.mkdir(parents=True)
    raw.write_text("{}")
    return made


def jobs(printed):
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", printed.split("Job stats:")[-1], re.M)}


def test_photographs_get_regions_by_a_network_and_everything_follows(project):
    printed = project.snakemake("-n", "-p", "all", config="flickr8k")
    planned = jobs(printed)
    assert planned["photograph_features"] == planned["negatives"] == planned["pretrain"] == 1
    assert planned["vocabulary"] == 3, "another kind of backbone or text model could have brought other words"
    assert planned["train"] == 4 and "features" not in planned and "compositional" not in planned
    command = next(line for line in printed.splitlines() if "vldeformer features" in line)
    assert "--raw-dir" not in command and "--prepared artifacts/flickr8k/base/prepare" in command
    vocabulary = next(line for line in printed.splitlines() if "vocabulary --settings artifacts/flickr8k/base/" in line)
    assert "--features artifacts/flickr8k/base/features/store" in vocabulary, "tags are words too"


def test_the_built_in_world_keeps_its_detector(project):
    planned = jobs(project.snakemake("-n", "all"))
    assert planned["features"] == 1 and "photograph_features" not in planned


def test_an_experiment_may_read_the_drawn_pictures_by_a_network(project):
    network = "regions: {kind: efficientnet_lite0, image_size: 96}\ntitle: By a network\n"
    (project.folder / "config" / "experiments" / "network.yaml").write_text(network)
    run = "dataset: tiny\nexperiments: {all: [joint, decomposed, network], ablations: []}\n"
    (project.folder / "config" / "both.yaml").write_text(run)
    planned = jobs(project.snakemake("-n", "all", config="both"))
    assert planned["features"] == planned["photograph_features"] == 1 and planned["pretrain"] == 2
