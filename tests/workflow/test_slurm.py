"""SLURM for real: the steps from a trained model to its recalls as jobs of a cluster, two shards of them side by side."""

import importlib.util
import shutil
import subprocess
import sys

import pytest
import slurm_cluster

from vldeformer.cli import main
from vldeformer.evaluation.result import RetrievalResult

PARTITIONS = """\
partitions:
  cpu: {max_runtime: 2880, max_mem_mb: 64000}
  gpu: {max_runtime: 2880, max_mem_mb: 64000, max_gpu: 2}
"""


def lacking():
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        return "needs the package snakemake-executor-plugin-slurm"
    return slurm_cluster.missing()


def given_model(project, tiny, model):
    """What the steps before would have made, in its place; the function of a test's own world and weights that were drawn."""
    artifacts = project.folder / "artifacts" / "tiny"
    shutil.copytree(model, artifacts / "untrained" / "train" / "model")
    shutil.copytree(tiny.regions, artifacts / "base" / "features" / "store")
    (artifacts / "base" / "prepare").mkdir()
    shutil.copy(tiny.manifest, artifacts / "base" / "prepare")
    return artifacts


@pytest.mark.pipeline
@pytest.mark.skipif(bool(lacking()), reason=str(lacking()))
def test_a_cluster_embeds_in_shards_side_by_side_and_the_vectors_are_those_of_one_job(real_project, tiny, model_folder, tmp_path):
    artifacts = given_model(real_project, tiny, model_folder("oscar"))
    (real_project.folder / "partitions.yaml").write_text(PARTITIONS)
    result = "results/tiny/untrained/test.json"
    run = ["snakemake", "--profile", "profiles/slurm", "--configfile", "config/tiny.yaml", "--config", "embed_shards=2"]
    run += ["--slurm-partition-config", "partitions.yaml", "--set-resources", "embed_shard:gpu=1"]
    run += ["--slurm-init-seconds-before-status-checks", "3", "--seconds-between-status-checks", "2"]
    run += ["--allowed-rules", "embed_shard", "gather", "evaluate", "--", result]
    with slurm_cluster.cluster(tmp_path / "slurm") as cluster:
        where = {"cwd": real_project.folder, "env": cluster.environment}
        done = subprocess.run([sys.executable, "-m", *run], **where, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        jobs = {job["Comment"]: job for job in cluster.jobs()}

    shards = [jobs.pop(f"rule_embed_shard_wildcards_untrained_{number}-of-2") for number in (1, 2)]
    assert jobs.keys() == {"rule_gather_wildcards_untrained", "rule_evaluate_wildcards_untrained_test"}
    assert {job["JobState"] for job in [*shards, *jobs.values()]} == {"COMPLETED"}
    assert {job["Partition"] for job in shards} == {"gpu"}, "what asks for a GPU goes where there are some"
    assert {job["Partition"] for job in jobs.values()} == {"cpu"}
    for shard in shards:
        assert (shard["NumCPUs"], shard["MinMemoryNode"], shard["TimeLimit"]) == ("1", "2000M", "01:00:00")
    assert max(job["StartTime"] for job in shards) < min(job["EndTime"] for job in shards), "side by side"

    settings = artifacts / "untrained" / "settings" / "embed.json"
    given = ["--settings", settings, "--model", model_folder("oscar"), "--manifest", tiny.manifest, "--features", tiny.regions]
    assert main(["embed", *map(str, given), "--out", str(tmp_path / "whole")]) == 0
    for name in ("images.npy", "captions.npy", "caption_image_index.npy", "image_ids.json", "caption_ids.json"):
        assert (artifacts / "untrained" / "embed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert len(RetrievalResult.load(real_project.folder / result).ranks.i2t) == 10
