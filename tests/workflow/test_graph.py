"""What runs and what does not: second run, a changed setting, a fresh clone, two trainings at once, a stage that fails."""

import json
import os
import re
import shutil

import pytest
import yaml

from vldeformer.planning.plan import load_plan

JUDGED = {"evaluate": 14, "score": 2, "compositional": 6, "rerank": 2, "reranked": 2, "reranked_depths": 1}
JUDGED |= {"report": 1, "page": 1}
DUAL = {"base": "decomposed", "no_negatives": "no_negatives", "scratch": "scratch", "untrained": "untrained"}
TRAINING = {"negatives", "pretrain", "train"}


@pytest.fixture
def copied(finished, tmp_path):
    """A finished project to be changed; times of files are kept."""
    done = finished[0]
    shutil.copytree(done.folder.parent / "bin", tmp_path / "bin")
    shutil.copytree(done.folder, tmp_path / "project", ignore=shutil.ignore_patterns("locks", "incomplete"))
    return type(done)(tmp_path / "project")


def planned(printed):
    """Rule → number of jobs of a dry run."""
    table = printed.split("Job stats:")[-1] if "Job stats:" in printed else ""
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.M) if name not in ("all", "total")}


def test_all_stages_run_once_and_trainings_side_by_side_share_the_cores(finished):
    project, printed, calls = finished
    stages = [stage for stage, _ in calls]
    assert len(calls) == len(set(calls)) == 46
    assert stages.count("pretrain") == 1 and stages.count("train") == 6 and stages.count("embed") == 4
    assert stages.count("rerank") == 2 and stages.count("compositional") == 6 and "ablations" not in stages
    side_by_side = (project.folder / "side-by-side").read_text().split()
    assert len(side_by_side) == 7 and max(map(int, side_by_side)) <= 3, "3 cores, a thread each"
    log = project.folder / "logs" / "tiny" / "base" / "train.log"
    assert log.read_text() == "train is done, BLAS threads: 1, processes: 1\n", "--cores does not set its threads"
    assert str(log.relative_to(project.folder)) in printed, "where to look at it"
    for stage in ("features", "negatives"):
        log = project.folder / "logs" / "tiny" / "base" / f"{stage}.log"
        assert log.read_text() == f"{stage} is done, BLAS threads: 1, processes: 3\n", "as --cores says"


def test_what_the_longest_chain_waits_for_runs_first(copied):
    copied.snakemake("--cores", "1", "--forcerun", "negatives", "pretrain", "--", "all")
    order = [out.split("/")[2] if stage == "train" else stage for stage, out in copied.ran() if stage in TRAINING]
    assert order[:3] == ["negatives", "pretrain", "joint"], "all cores are free now; the others are waited for longest"
    assert set(order[3:]) == set(DUAL), "scratch, which waits for negatives only, could have gone before"


@pytest.mark.parametrize("cores", ["1", "8"])
def test_a_second_run_has_nothing_to_do_whatever_the_cores(copied, cores):
    assert "Nothing to be done" in copied.snakemake("--cores", cores, "all")
    assert copied.calls() == []


def test_the_temperature_trains_the_decomposed_models_again_and_nothing_before(copied):
    copied.edit("config/experiments/decomposed.yaml", "temperature: 0.07", "temperature: 0.04")
    copied.snakemake("--cores", "2", "all")
    train = {("train", f"artifacts/tiny/{home}/train") for home in DUAL}
    embed = {("embed", f"artifacts/tiny/{home}/embed") for home in DUAL}
    protocols = ("subset", "test")
    evaluate = {("evaluate", f"results/tiny/{name}/{protocol}.json") for name in DUAL.values() for protocol in protocols}
    tested = {("compositional", f"results/tiny/{name}/compositional.json") for name in DUAL.values()}
    reranked = {("rerank", f"artifacts/tiny/base/rerank/{protocol}") for protocol in protocols}
    last = {("speed", "results/tiny/speed.json"), ("report", "results/tiny")}
    last.add(("page", "results/tiny/report/index.html"))
    assert set(copied.calls()) == train | embed | evaluate | tested | reranked | last
    assert "Nothing to be done" in copied.snakemake("--cores", "2", "all")


def test_a_dry_run_writes_the_settings_of_what_is_asked_alone(project):
    project.snakemake("-n", "artifacts/tiny/joint/train/model")
    written = [path.relative_to(project.folder / "artifacts" / "tiny") for path in project.folder.glob("artifacts/**/*.json")]
    steps = {(path.parts[0], path.stem) for path in written}
    assert ("joint", "train") in steps and ("base", "pretrain") in steps
    assert {home for home, _ in steps} == {"base", "joint"} and not {"report", "evaluate", "negatives"} & {
        step for _, step in steps
    }


@pytest.mark.parametrize(
    ("experiment", "old", "new", "rules"),
    [
        ("untrained_joint", "Joint, untrained", "Joint, random", {"report": 1, "page": 1}),
        ("decomposed", "  repeats: 3", "  repeats: 4", {}),  # tiny has its own
        ("decomposed", "  bootstrap_samples: 2000\n  seed: 0", "  bootstrap_samples: 2000\n  seed: 1", JUDGED),
        ("decomposed", "  word_ratio: 0.3", "  word_ratio: 0.5", None),
    ],
)
def test_a_setting_reaches_the_stages_that_read_it(copied, experiment, old, new, rules):
    copied.edit(f"config/experiments/{experiment}.yaml", old, new)
    jobs = planned(copied.snakemake("-n", "all"))
    if rules is None:  # decomposed and scratch train with hard negatives, the others do not
        trained = {"negatives": 1, "train": 2, "embed": 2, "evaluate": 4, "compositional": 2, "speed": 1, "report": 1, "page": 1}
        assert jobs == trained | {"rerank": 2, "reranked": 2, "reranked_depths": 1}
    else:
        assert jobs == rules


def test_raw_data_of_a_fresh_clone_is_not_made_again(copied):
    for name in ("artifacts", "results", ".snakemake"):
        shutil.rmtree(copied.folder / name)
    for file in (copied.folder / "raw" / "tiny").iterdir():
        os.utime(file, (1, 1))
    jobs = planned(copied.snakemake("-n", "all"))
    assert "fetch" not in jobs and jobs["prepare"] == 1


def test_raw_data_is_made_again_if_the_world_has_changed(copied):
    for name in ("artifacts", "results", ".snakemake"):
        shutil.rmtree(copied.folder / name)
    copied.edit("config/datasets/tiny.yaml", "test_images: 30", "test_images: 31")
    assert planned(copied.snakemake("-n", "all"))["fetch"] == 1


def test_after_pulling_results_one_touch_says_that_they_are_up_to_date(copied):
    shutil.rmtree(copied.folder / ".snakemake")
    for number, path in enumerate(sorted((copied.folder / "artifacts").rglob("*"), reverse=True)):
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
    copied.snakemake("--cores", "1", "--touch", "all")
    assert "Nothing to be done" in copied.snakemake("--cores", "1", "all")


def test_a_stage_that_fails_stops_the_run_although_its_log_is_kept(project):
    (project.folder / "fail-features").touch()
    printed = project.snakemake("--cores", "2", "all", fails=True)
    assert "stand-in for features fails" in printed and "exited with non-zero" in printed
    assert "stand-in for features fails" in (project.folder / "logs" / "tiny" / "base" / "features.log").read_text()
    assert "train" not in [stage for stage, _ in project.calls()]


def test_all_of_photographs_is_four_models_and_the_ablations_a_target_of_their_own(project):
    raw = project.folder / "../shared/data/flickr8k/dataset_flickr8k.json"
    raw.parent.mkdir(parents=True)
    raw.touch()
    jobs = planned(project.snakemake("-n", "all", config="flickr8k"))
    assert jobs["train"] == 4 and jobs["photograph_features"] == 1 and "fetch" not in jobs and "report_ablations" not in jobs
    jobs = planned(project.snakemake("-n", "ablations", config="flickr8k"))
    assert jobs["train"] == 36 and jobs["report_ablations"] == 1
    raw.unlink()
    assert "dataset_flickr8k.json" in project.snakemake("-n", "all", config="flickr8k", fails=True)


def test_a_raw_file_that_the_settings_misspell_is_said_after_a_run_as_well(project):
    raw = project.folder / "../shared/data/flickr8k/dataset_flickr8k.json"
    raw.parent.mkdir(parents=True)
    raw.touch()
    base, made = project.folder / "artifacts/flickr8k/base", "artifacts/flickr8k/base/vocabulary/tokenizer.json"
    project.snakemake("--cores", "1", made, config="flickr8k")
    settings = json.loads((base / "settings" / "prepare.json").read_text())
    (base / "prepare" / "provenance.json").write_text(json.dumps({"settings": settings}))
    raw.unlink()
    assert "Nothing to be done" in project.snakemake("--cores", "1", made, config="flickr8k"), "what is there may be used"
    project.edit("config/datasets/flickr8k.yaml", "annotations: dataset_flickr8k.json", "annotations: dataset_flickr.json")
    (line,) = [line for line in project.snakemake("-n", made, config="flickr8k", fails=True).splitlines() if "raw" in line]
    first = "vldeformer: 1 raw files of data set flickr8k are not here, first ../shared/data/flickr8k/dataset_flickr.json: "
    assert line == f"{first}config/datasets/flickr8k.yaml says where they come from (raw_dir)"


def test_everything_of_scenes_trains_each_experiment_once_and_ends_in_the_claims(project):
    printed = project.snakemake("-n", "-p", "everything", config="default")
    jobs = planned(printed)
    run = yaml.safe_load((project.folder / "config" / "default.yaml").read_text())
    names = {*load_plan(project.folder / "config", run).ablated} - {"oracle", "lexical"}
    assert jobs["train"] == len(names) and jobs["report"] == jobs["report_ablations"] == jobs["claims"] == 1
    taught = re.findall(r"--teacher artifacts/scenes/joint/train/model .*--out artifacts/scenes/(\w+)/train", printed)
    assert sorted(taught) == ["distilled", "mined"]
    assert "claims --results results/scenes --out docs/claims.md" in printed


def test_ablations_of_the_tiny_world_make_their_tables_and_leave_the_claims_alone(copied):
    copied.snakemake("--cores", "2", "everything")
    stages = [stage for stage, _ in copied.calls()]
    assert sorted({*stages}) == ["ablations", "page", "pair-time", "record"] and not (copied.folder / "docs").exists()
    assert "Nothing to be done" in copied.snakemake("--cores", "2", "everything")


def test_an_experiment_runs_alone(project):
    jobs = planned(project.snakemake("-n", "results/scenes/loss_sigmoid/test.json", config="default"))
    assert jobs["train"] == 1 and jobs["evaluate"] == 1 and "report" not in jobs
    written = {path.parts[-3] + "/" + path.stem for path in (project.folder / "artifacts").rglob("settings/*.json")}
    shared = {f"base/{step}" for step in ("fetch", "prepare", "features", "vocabulary", "negatives", "pretrain")}
    assert written == shared | {f"loss_sigmoid/{step}" for step in ("train", "embed", "evaluate")}, "no other experiment's"


def test_the_joint_model_scores_every_pair_of_test_when_asked(project):
    jobs = planned(project.snakemake("-n", "score_all"))
    assert jobs["score_every_pair"] == 1 and jobs["evaluate"] == 1 and "score" not in jobs


def test_training_on_gpus_goes_through_the_same_rule(project):
    project.edit("config/experiments/decomposed.yaml", "device: cpu", "device: cuda")
    project.edit("config/experiments/decomposed.yaml", "processes: 1", "processes: 2")
    printed = project.snakemake("-n", "-p", "all")
    assert re.search(r"accelerate launch --num_processes 2 .* -m vldeformer.cli train --settings", printed)
    assert "gpu=2" in printed


def test_a_wrong_setting_stops_before_anything_runs(project):
    project.edit("config/experiments/joint.yaml", "  joint_negatives: 3", "  joint_negative: 3")
    printed = project.snakemake("--cores", "2", "all", fails=True)
    assert "joint.yaml: setting train.joint_negative is unknown for kind joint; did you mean train.joint_negatives?" in printed
    assert project.calls() == []


def test_the_claims_are_made_again_when_another_data_set_has_other_results(copied):
    other = copied.folder / "results" / "other"
    (other / "ablations").mkdir(parents=True)
    for name in ("report.json", "ablations/report.json"):
        (other / name).write_text("{}")
    copied.snakemake("--cores", "2", "docs/claims.md")
    copied.calls()
    assert "Nothing to be done" in copied.snakemake("-n", "docs/claims.md")
    for name in ("report.json", "ablations/report.json"):
        (other / name).write_text('{"new": 1}')
        assert planned(copied.snakemake("--cores", "2", "docs/claims.md")) == {"claims": 1}
        assert [stage for stage, _ in copied.calls()] == ["claims"]
