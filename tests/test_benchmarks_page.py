"""The page of benchmarks is what its script makes of the committed results; what was not measured is said and nothing hidden."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "benchmarks"


def test_the_page_is_made_from_the_results(load):
    made = load("page")
    results = made.read_results(BENCHMARKS)
    assert made.page(results) == (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8"), "python benchmarks/page.py"


def test_its_figures_are_drawn_from_the_results(load, tmp_path):
    made = load("page")
    results = made.read_results(BENCHMARKS)
    assert made.drawn(results)
    for name in made.drawn(results):
        made.FIGURES[name].draw(tmp_path / f"{name}.svg", results)
        committed = (ROOT / made.PICTURES / f"{name}.svg").read_bytes()
        assert (tmp_path / f"{name}.svg").read_bytes() == committed, "python benchmarks/page.py"


def test_without_any_result_every_row_is_not_measured(load):
    made = load("page")
    rows = load("page_rows").table_rows({})
    assert rows and all(row.measured == "not measured" and row.met is None for row in rows)
    text = made.page({})
    assert text.count("not measured") == len(rows) + 1 and "| met |" not in text
    assert made.drawn({}) == []


def test_what_ran_on_another_machine_is_named_with_it(load):
    made = load("page")
    found = made.read_results(BENCHMARKS)
    results = {name: dict(value) | {"machine": found["ceilings"]["machine"]} for name, value in found.items()}
    assert "another machine" not in made.machine(results)
    results["embed"]["machine"] = results["embed"]["machine"] | {"cpu": "Some CPU"}
    results["nearest"]["machine"] = results["nearest"]["machine"] | {"system": "another"}
    said = made.machine(results).split("Measured on another machine")[1]
    assert "embed (Some CPU)" in said and "exact_ranks" not in said
    assert f"nearest ({results['ceilings']['machine']['cpu']})" in said, "the same processor, started anew"


def precision(ratio, share, apart):
    own = {"seconds": 100.0, "items_per_second": {"images": 12.0, "captions": 250.0}, "gflop_per_second": 160.0}
    own |= {"share_of_ceiling": share, "share_of_ceiling_of": {"images": share, "captions": share}}
    own |= {"released_seconds_extrapolated": 480.0, "times_faster_than_released_float32": ratio}
    return own | {"times_faster_than_released": 4.0, "largest_difference_from_released": apart}


EMBED = {
    "images": 1000, "captions": 5000, "mean_regions": 50.1, "released_sampled": 192,
    "ceiling_gflop_per_second": {"float32": 180.0, "bfloat16": 500.0}, "float32": precision(4.8, 0.88, 3e-6),
    "bfloat16": precision(8.9, 0.76, 5e-3), "scenes_recalls": {"models": {"decomposed": {}}, "largest_difference": 0.05},
}  # fmt: skip
POINT = {"structure_mib": 100.0, "vectors_mib": 3000.0, "built": None, "by": "ours", "p95_ms": 9.0, "recall_at_10": 0.99}
POINT |= {"mean_cpu_ms": 12.0}


def test_each_target_is_judged_by_its_own_number(load):
    made, rows = load("page"), load("page_rows")
    points = [{**POINT, "rows": n, "kind": "pq4", "p50_ms": n / 1e5, "own_settings": True} for n in (10_000, 1_000_000)]
    points.append({**POINT, "rows": 10_000, "kind": "pq4", "p50_ms": 77.0, "setting": "LEAST 7"})
    nearest = {"width": 768, "k": 10, "queries": 200, "memory_GB_per_second": 20.0, "threads_of_ours": 16, "points": points}
    found = {row.work: row for row in rows.table_rows({"embed": EMBED, "nearest": nearest})}
    verdicts = {work: row.met for work, row in found.items() if row.met is not None}
    assert list(verdicts.values()) == [True, False, True, False, True]
    assert found["embed 1,000 images and 5,000 captions, bfloat16"].measured.startswith("8.9× (100.0 s against 480 s)")
    assert found["top 10 of 1,000,000 vectors, D 768"].measured == "pq4 10 ms, recall 0.990"
    text = made.page({"embed": EMBED, "nearest": nearest})
    assert "| float32 | 12.0 | 250 | 160 | 88.0% | 88.0%, 88.0% | 4.00× |" in text
    assert "| 10,000 | pq4 | as set | 0.10 | 9.00 | 12.00 | 0.990 |" in text and "LEAST 7" not in text
    assert "`flat` of `vldeformer` compares on all 16 threads" in text


def test_a_quick_embedding_that_is_not_the_same_is_not_met(load):
    rows = load("page_rows")
    wrong = EMBED | {"float32": precision(6.0, 0.95, 2e-4)}
    assert rows.embedding("float32", 4.5)(wrong)[1] is False
    assert rows.embedding("float32", 4.5)(EMBED)[1] is True


def test_a_ratio_below_its_target_is_said_to_be_so(load):
    rows = load("page_rows")
    own = {"ours": {"pairs_per_second": 300.0}, "plain": {"pairs_per_second": 200.0}, "ratio": 1.5}
    own |= {"loss_difference": 1e-6, "gradient_difference": 1e-6}
    found = {
        case: rows.training("scenes")({"target": target, "scenes": own})[1] for case, target in (("low", 1.4), ("high", 2.0))
    }
    assert found == {"low": True, "high": False}
    assert rows.Row("w", "a", "r", "1.5×", False).verdict == "**not met**"


def throughput(embedded, trained, gpu="Some GPU"):
    own = {"images_per_second": 900.0, "reading_images_per_second": 1200.0, "captions_per_second": 8000.0, "peak_mib": 900.0}
    step = {"pairs_per_second": 700.0, "wait_share": 0.02, "peak_mib": 20480.0, "utilisation": trained}
    step |= {"large_batch": {"pairs": 1800, "chunk_images": 96, "peak_mib": 25600.0}} if gpu else {}
    value = {"gpu": gpu, "precision": "bfloat16", "layers": 12, "batch": 96, "image_tokens": 193, "caption_tokens": 16}
    value |= {"bfloat16_product_tflop_per_second": 650.0, "embedding": own | {"utilisation": embedded}, "training": step}
    return value


def test_a_gpu_is_judged_by_both_shares_and_a_processor_by_none(load):
    made, rows = load("page"), load("page_rows")
    found = rows.gpu_share(throughput(0.45, 0.36))
    assert found == ("45% embedding, 36% training, of 650 TFLOP/s; 25.0 GiB for 1,800 pairs in chunks of 96", True, None)
    assert rows.gpu_share(throughput(0.39, 0.36))[1] is False
    assert rows.gpu_share(throughput(0.45, 0.34))[1] is False
    assert rows.gpu_share(throughput(0.45, 0.36, gpu=None)) == ("not measured", None, None)
    text = made.page({"vilt_throughput": throughput(0.45, 0.36)})
    assert "\n\nSome GPU: a ViLT-B/32-sized model" in text and "700 pairs/s in 20.0 GiB" in text and "2.0% of which" in text
    assert "says nothing of a GPU" in made.page({"vilt_throughput": throughput(0.45, 0.36, gpu=None)})


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
