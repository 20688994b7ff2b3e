"""What each step of the target `all` cost in a finished run, from the files that Snakemake wrote beside its logs.

    python benchmarks/stages.py --run . --out benchmarks/stages.json
    python benchmarks/stages.py --run . --before benchmarks/stages_before.json --out benchmarks/stages.json

Shares are of processor seconds: what ran side by side waited for each other, and wall clock would count that twice.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from measuring import save

from vldeformer.artifact import read_json

ROOT = Path(__file__).resolve().parent.parent
BEFORE = Path(__file__).with_name("stages_before.json")
ONLY_ABLATIONS = ("ablations", "pair_time")
COLUMNS = {"seconds": "s", "cpu_seconds": "cpu_time", "peak_mib": "max_rss"}

Cost = dict[str, float]


def main() -> None:
    """Read, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--run", type=Path, default=ROOT, help="folder of a finished run: it holds logs/DATASET")
    parser.add_argument("--before", type=Path, default=BEFORE, help="an earlier run, or what this script wrote of one")
    parser.add_argument("--dataset", default="scenes")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    jobs = of_all(read_costs(given.run / "logs" / given.dataset), given.run / "artifacts" / given.dataset)
    before = read_before(given.before, given.dataset) if given.before.exists() else None
    result = summary(jobs, before)
    for step in result["steps"]:  # type: ignore[attr-defined]
        print(f"{step['step']:22} {step['jobs']:4} {step['cpu_seconds']:9.1f} s of CPU {step['share']:6.1%}")
    save(given.out, {"dataset": given.dataset, **result})


def read_before(path: Path, dataset: str) -> dict[str, Cost]:
    """The jobs of an earlier run: of its folder, or of a file that ``main`` wrote."""
    if path.is_dir():
        return read_costs(path / "logs" / dataset)
    return {row["job"]: {name: row[name] for name in COLUMNS} for row in read_json(path)["jobs"]}


def read_costs(logs: Path) -> dict[str, Cost]:
    """Job (EXPERIMENT/STEP) → seconds, processor seconds and peak memory in MiB; 0 where a job was too short to be looked at.

    Raises SystemExit if there is none.
    """
    costs = {}
    for path in sorted(logs.rglob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        if rows and set(COLUMNS.values()) <= set(rows[-1]):
            costs[path.relative_to(logs).with_suffix("").as_posix()] = {
                name: _number(rows[-1][column]) for name, column in COLUMNS.items()
            }
    if not costs:
        raise SystemExit(f"{logs}: expected benchmark files of a run (*.tsv), found none; run `make reproduce`, or give --run")
    return costs


def of_all(jobs: Mapping[str, Cost], artifacts: Path) -> dict[str, Cost]:
    """Without the jobs of the target `ablations`: those of experiments that the report of `all` has no title for, and its own."""
    titles = read_json(artifacts / "base" / "settings" / "report.json")["report"]["titles"]
    parts = {name: name.split("/") for name in jobs}
    homes = {"base", *titles}
    return {name: jobs[name] for name, (home, step, *_) in parts.items() if home in homes and step not in ONLY_ABLATIONS}


def summary(jobs: Mapping[str, Cost], before: Mapping[str, Cost] | None) -> dict[str, object]:
    """Totals, the steps and the jobs, the dearest first; with ``before`` only of jobs that both runs have."""
    compared = sorted(jobs) if before is None else sorted(set(jobs) & set(before))
    total = _total(jobs[name] for name in compared)
    of_step: dict[str, list[str]] = defaultdict(list)
    for name in compared:
        of_step[name.partition("/")[2]].append(name)
    steps = []
    for step, names in of_step.items():
        cost = _total(jobs[name] for name in names)
        row: dict[str, object] = {"step": step, "jobs": len(names), **_rounded(cost)}
        row["share"] = round(cost["cpu_seconds"] / max(total["cpu_seconds"], 1e-9), 4)
        if before is not None:
            earlier = _total(before[name] for name in names)
            row["before"] = _rounded(earlier)
            row["cpu_seconds_saved"] = round(earlier["cpu_seconds"] - cost["cpu_seconds"], 1)
        steps.append(row)
    steps.sort(key=lambda row: (-float(str(row["cpu_seconds"])), str(row["step"])))
    ordered = sorted(compared, key=lambda name: (-jobs[name]["cpu_seconds"], name))
    result: dict[str, object] = {"total": {"jobs": len(compared), **_rounded(total)}}
    if before is not None:
        result["total_before"] = {"jobs": len(compared), **_rounded(_total(before[name] for name in compared))}
        result["only_here"] = sorted(set(jobs) - set(before))
    return {**result, "steps": steps, "jobs": [{"job": name, **_rounded(jobs[name])} for name in ordered]}


def _total(costs: Iterable[Cost]) -> Cost:
    """Sums of the times, the largest memory."""
    rows = list(costs)
    added = {name: sum(row[name] for row in rows) for name in ("seconds", "cpu_seconds")}
    return added | {"peak_mib": max((row["peak_mib"] for row in rows), default=0.0)}


def _rounded(cost: Cost) -> Cost:
    return {name: round(value, 1) for name, value in cost.items()}


def _number(text: str) -> float:
    """Snakemake writes NA or - of a job that ended before it was looked at."""
    try:
        return float(text)
    except ValueError:
        return 0.0


if __name__ == "__main__":
    main()
