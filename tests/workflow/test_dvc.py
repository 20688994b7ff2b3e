"""DVC's stages and Snakemake's graph are one pipeline: each accepts what the other made, and a setting reaches both.

The traps are those that are known of the two engines together: ways to a stale result that the stages are made to avoid.
"""

import os
import re
import shutil
import subprocess

import pytest
import yaml
from versioned_projects import renew
from workflow_projects import ROOT, with_stand_in

pytestmark = pytest.mark.slow

TEMPERATURE = ("  temperature: 0.07", "  temperature: 0.02")
MODEL, JOINT = "artifacts/tiny/base/train/model/weights", "artifacts/tiny/joint/train/model/weights"
FOLLOWS = {"train", "embed", "evaluate", "compositional", "rerank", "speed", "report", "page"}


def stages(project):
    return {stage for stage, _ in project.calls()}


def temperature(project):
    return re.search(r'"temperature": ([0-9.]+)', (project.folder / MODEL).read_text()).group(1)


@pytest.fixture
def pulled(adopted, tmp_path):
    """A fresh clone with all outputs, from a folder in place of a bucket; no metadata of Snakemake, times of no meaning."""
    adopted.run("dvc", "remote", "add", "-q", "-f", "--local", "bucket", str(tmp_path / "bucket"))
    adopted.run("dvc", "push", "-q", "-r", "bucket")
    made = adopted.clone(tmp_path / "fresh")
    made.run("dvc", "remote", "add", "-q", "--local", "bucket", str(tmp_path / "bucket"))
    made.run("dvc", "pull", "-q", "-r", "bucket")
    assert not (made.folder / ".snakemake").exists()
    return made


def test_what_snakemake_made_dvc_adopts_and_both_agree(adopted_copy):
    # Trap 5: without `dvc commit`, `dvc repro` would make all again.
    assert "up to date" in adopted_copy.run("dvc", "repro")
    assert adopted_copy.calls() == []
    assert adopted_copy.verify() == "DVC and Snakemake agree: nothing is to be done\n"


def test_each_engine_that_disagrees_says_so_in_one_line(adopted_copy):
    adopted_copy.set(*TEMPERATURE)
    printed = adopted_copy.verify(fails=True).splitlines()
    assert [line.split(":")[0] for line in printed] == ["Snakemake", "DVC"]
    assert adopted_copy.calls() == []


def test_a_changed_setting_makes_just_what_follows_and_its_result_is_new(adopted_copy):
    # Trap 3: the old model must not be kept under the new value.
    joint = adopted_copy.folder / JOINT
    before = joint.read_text()
    adopted_copy.set(*TEMPERATURE)
    adopted_copy.run("dvc", "repro")
    calls = adopted_copy.calls()
    assert {stage for stage, _ in calls} == FOLLOWS
    assert [out for stage, out in calls if stage == "train"] == ["artifacts/tiny/base/train"], (
        "the joint model has no temperature"
    )
    assert temperature(adopted_copy) == "0.02" and joint.read_text() == before
    adopted_copy.commit("another temperature")
    assert "agree" in adopted_copy.verify()


def test_experiments_of_dvc_touch_only_what_follows(adopted_copy):
    adopted_copy.run("dvc", "exp", "run", "-q", "-S", "config/experiments/decomposed.yaml:train.loss.temperature=0.02")
    assert stages(adopted_copy) == FOLLOWS
    assert temperature(adopted_copy) == "0.02"
    assert re.search(r"train.loss.temperature +0.07 +0.02", adopted_copy.run("dvc", "params", "diff"))


def test_a_setting_edited_in_a_fresh_clone_is_seen_by_snakemake(pulled):
    # Trap 2: a clone has no metadata; the settings are files, and their bytes and times are.
    pulled.snakemake("--cores", "1", "--touch", "all")
    assert "agree" in pulled.verify()
    pulled.set(*TEMPERATURE)
    pulled.snakemake("--cores", "2", "all")
    assert stages(pulled) == FOLLOWS
    assert temperature(pulled) == "0.02"


def test_a_setting_edited_in_a_fresh_clone_is_seen_by_dvc_whatever_the_times(pulled):
    # Trap 4: raw files newer than what was made of them must not rebuild the outputs of other stages.
    os.utime(pulled.folder / MODEL, (1, 1))
    renew(pulled.folder / "data/tiny/scenes.jsonl")
    pulled.set(*TEMPERATURE)
    pulled.run("dvc", "repro")
    calls = pulled.calls()
    assert {stage for stage, _ in calls} == FOLLOWS
    assert [out for stage, out in calls if stage == "train"] == ["artifacts/tiny/base/train"]
    assert temperature(pulled) == "0.02"
    assert "up to date" in pulled.run("dvc", "status")


def test_an_older_run_comes_back_and_the_newer_one_is_right_again(adopted_copy):
    # Trap 6: Snakemake's own records are of the run that it made last, not of what DVC has brought back.
    tables = adopted_copy.folder / "results/tiny/tables/recall.md"
    adopted_copy.edit("config/experiments/joint.yaml", "Joint (early interaction)", "The teacher")
    adopted_copy.set(*TEMPERATURE)
    adopted_copy.run("dvc", "repro")
    adopted_copy.commit("second run")
    adopted_copy.calls()
    assert "The teacher" in tables.read_text() and temperature(adopted_copy) == "0.02"
    adopted_copy.git("checkout", "-q", "HEAD~1")
    adopted_copy.run("dvc", "checkout", "-q")
    assert "The teacher" not in tables.read_text() and temperature(adopted_copy) == "0.07"
    assert "up to date" in adopted_copy.run("dvc", "status")
    adopted_copy.set(*TEMPERATURE)
    adopted_copy.run("dvc", "repro")
    assert temperature(adopted_copy) == "0.02"
    assert "up to date" in adopted_copy.run("dvc", "status")


def test_raw_data_made_again_is_the_same_to_dvc_and_other_data_are_seen(adopted, tmp_path):
    # Trap 12
    clone = adopted.clone(tmp_path / "fresh")
    (clone.folder / "data/tiny").mkdir(parents=True)
    for name in ("scenes.jsonl", "settings.json"):
        shutil.copy(adopted.folder / "data/tiny" / name, clone.folder / "data/tiny" / name)
    assert "not in cache" in clone.run("dvc", "status", "data.dvc")
    clone.run("dvc", "fetch", "-q", "data.dvc")
    assert "up to date" in clone.run("dvc", "status", "data.dvc")
    (clone.folder / "data/tiny/scenes.jsonl").write_text("other bytes")
    assert "modified" in clone.run("dvc", "status", "data.dvc")
    clone.run("dvc", "commit", "-q", "-f", "data.dvc")
    assert clone.verify(fails=True).startswith("git: data.dvc or dvc.lock is not as committed")


def test_pulled_raw_data_of_the_default_run_are_not_made_again_and_would_be_the_same(tmp_path):
    made = with_stand_in(tmp_path)
    made.run("dvc", "init", "-q", "--no-scm")
    made.run("dvc", "remote", "add", "-q", "-d", "store", str(ROOT / "dvc-store"))
    shutil.copy(ROOT / "data.dvc", made.folder)
    made.run("dvc", "pull", "-q", "data.dvc")
    assert not re.search(r"^fetch +1$", made.snakemake("-n", "all", config="default"), re.M)
    settings = made.folder / "data" / "scenes" / "settings.json"
    pulled = settings.read_bytes()
    made.snakemake("--cores", "1", "--forcerun", "fetch", "--", str(settings.relative_to(made.folder)), config="default")
    assert made.calls() == [("fetch", "data/scenes/scenes.jsonl")] and settings.read_bytes() == pulled


def test_without_the_raw_data_dvc_says_what_to_pull(adopted, tmp_path):
    # Trap 11
    clone = adopted.clone(tmp_path / "fresh")
    assert "missing data 'source'" in clone.run("dvc", "repro", fails=True)


def test_a_clone_of_this_repository_brings_its_raw_data_and_no_more():
    asked = subprocess.run(["git", "-C", ROOT, "ls-files", "dvc-store"], capture_output=True, text=True)
    listed = asked.stdout.split()
    if not listed:
        pytest.skip("this is no git repository")
    folder = yaml.safe_load((ROOT / "data.dvc").read_text())["outs"][0]["md5"]
    assert f"dvc-store/files/md5/{folder[:2]}/{folder[2:]}" in listed
    assert len(listed) == 3 and sum((ROOT / path).stat().st_size for path in listed) < 10 * 2**20
