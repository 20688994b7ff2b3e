"""The page of benchmarks is made from the committed results, and each goal is judged by its own number."""

import copy
import sys
from pathlib import Path

import jinja2.meta
import pytest

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture
def results(load):
    return load("page").read_results(BENCHMARKS)


def test_the_page_is_made_from_the_results(load, results):
    assert load("page").page(results) == (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8"), (
        "python benchmarks/page.py"
    )


def test_every_result_is_on_the_page(results):
    template = jinja2.Environment().parse((BENCHMARKS / "page.md.j2").read_text(encoding="utf-8"))
    assert set(results) - jinja2.meta.find_undeclared_variables(template) == set()


def test_a_result_that_is_not_there_is_refused(load, results):
    with pytest.raises(jinja2.UndefinedError, match="grad_cache"):
        load("page").page({name: value for name, value in results.items() if name != "grad_cache"})


def test_a_goal_is_judged_by_its_number(load):
    goal = load("page").goal
    assert goal("work", "peer", 3560.9, 3000, unit="×") == "| work | peer | ≥ 3,000× | 3,561× | met |"
    assert goal("work", "peer", 92.14, 100, unit="×", more=" warm") == "| work | peer | ≥ 100× | 92.1× warm | **not met** |"
    assert goal("work", "peer", 0.07, most=0.1).endswith("| ≤ 0.1 | 0.07 | met |")
    assert goal("work", "peer", 0.2, most=0.1).endswith("**not met** |")
    assert goal("work", "peer", 5, 1, met=False).endswith("**not met** |")


CHANGES = {
    "embed 1,000 images and 5,000 captions, float32": lambda found: found["embed"]["float32"].update(
        largest_difference_from_released=2e-4
    ),
    "change of the mean recall": lambda found: found["embed"]["scenes_recalls"].update(largest_difference=0.2),
    "rank 1,000": lambda found: found["joint_against_decomposed"].update(speedup=2999),
    "bytes of these": lambda found: found["random_features"]["bytes_of_tsv"].update(float16=0.41),
    "the same at VinVL's width": lambda found: found["training_step"]["vinvl"].update(ratio=1.9),
    "wait for data": lambda found: found["training_step"]["scenes"]["ours"].update(wait_share=0.02),
    "exact ranks": lambda found: found["exact_ranks"]["vectors"]["random"]["ours"].update(peak_mib=1025),
}


@pytest.mark.parametrize("work", CHANGES)
def test_a_result_below_its_goal_is_not_met(load, results, work):
    def row(found):
        (line,) = [line for line in load("page").page(found).splitlines() if line.startswith(f"| {work}")]
        return line

    changed = copy.deepcopy(results)
    CHANGES[work](changed)
    assert row(results).endswith("| met |") and row(changed).endswith("| **not met** |")


def test_a_gpu_is_judged_by_both_shares_and_a_processor_by_none(load, results):
    made = load("page")
    own = {"gpu": "Some GPU", "machine": results["ceilings"]["machine"]}
    own |= {"embedding": {"utilisation": 0.45, "peak_mib": 900.0}, "training": {"utilisation": 0.34, "peak_mib": 20480.0}}
    text = made.page(results | {"vilt_throughput": own})
    assert "| ≥ 40% | 45%, Some GPU, 0.9 GiB | met |" in text and "| ≥ 35% | 34%, Some GPU, 20.0 GiB | **not met** |" in text
    assert "not measured" in made.page(results | {"vilt_throughput": own | {"gpu": None}})


def test_another_machine_and_a_busy_one_are_named(load, results):
    made = load("page")
    quiet = {name: value | {"machine": results["ceilings"]["machine"] | {"load_average": 0.5}} for name, value in results.items()}
    assert "Measured on another" not in made.page(quiet) and "Other programs" not in made.page(quiet)
    quiet["embed"]["machine"] |= {"cpu": "Some CPU"}
    quiet["stages"]["machine"] |= {"load_average": 7.0}
    text = made.page(quiet)
    assert "another machine or system: embed (Some CPU)." in text and "during: stages (load 7)." in text


def test_every_script_that_is_run_is_there_and_in_the_table(load):
    order, table = list(load("run").ORDER), (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    assert order[0] == "ceilings" and order[-1] == "page"
    for name in order[:-1]:
        assert f"| `{name}.py` |" in table
    for path in BENCHMARKS.glob("*.py"):
        assert f"`{path.name}`" in table or path.name == "run.py", path.name


def test_a_failing_benchmark_loses_no_other(load, monkeypatch, tmp_path, capfd):
    module = load("run")
    for name in ("ceilings", "embed", "stages"):
        (tmp_path / f"{name}.py").write_text(
            f"import sys; print({name!r}, sys.argv[1:]); sys.exit({int(name == 'embed')})", encoding="utf-8"
        )
    monkeypatch.setattr(module, "HERE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["run.py", "ceilings", "embed", "stages"])
    assert module.main() == 1
    out, err = capfd.readouterr()
    assert [line.split()[0] for line in out.splitlines() if "--out" in line] == ["ceilings", "embed", "stages"]
    assert err.strip().endswith("embed")
    monkeypatch.setattr(sys, "argv", ["run.py", "stages"])
    assert module.main() == 0


def write_costs(folder, **jobs):
    for job, (seconds, cpu, mib) in jobs.items():
        path = folder / "logs" / "scenes" / f"{job.replace('__', '/')}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\tcpu_time\n{seconds}\t0:00:01\t{mib}\t{cpu}\n", encoding="utf-8")
    return folder


def test_costs_of_steps_are_sums_over_jobs_and_compared_job_by_job(load, tmp_path):
    stages = load("stages")
    costs = {
        "base__train": (20, 30, 500),
        "joint__train": (40, 50, 900),
        "base__embed": (5, "NA", "NA"),
        "base__score": (9, 20, 10),
    }
    now = stages.read_costs(write_costs(tmp_path / "now", **costs) / "logs" / "scenes")
    alone = stages.summary(now, None)
    assert alone["total"] == {"jobs": 4, "seconds": 74, "cpu_seconds": 100, "peak_mib": 900}
    assert [(row["step"], row["jobs"], row["share"]) for row in alone["steps"]] == [
        ("train", 2, 0.8),
        ("score", 1, 0.2),
        ("embed", 1, 0.0),
    ]
    assert [row["job"] for row in alone["jobs"]] == ["joint/train", "base/train", "base/score", "base/embed"]
    earlier = write_costs(
        tmp_path / "before", base__train=(60, 70, 100), joint__train=(60, 80, 100), other__train=(1000, 1000, 1)
    )
    both = stages.summary(now, stages.read_before(earlier, "scenes"))
    assert both["total"]["cpu_seconds"] == 80 and both["total_before"]["cpu_seconds"] == 150
    assert both["steps"][0]["cpu_seconds_saved"] == 70 and both["only_here"] == ["base/embed", "base/score"]


def test_a_folder_without_a_run_is_refused_with_what_to_do(load, tmp_path):
    with pytest.raises(SystemExit, match=r"expected benchmark files of a run .*, found none; run `make reproduce`"):
        load("stages").read_costs(tmp_path)
