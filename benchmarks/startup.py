"""CPU seconds until ``vldeformer --help`` has printed, and the help of some commands, against ``python -c pass``.

    python benchmarks/startup.py [--project FOLDER]

In a project in which ``snakemake all`` has run, also ``snakemake -n all``, against the dry run of an empty Snakefile. Each is a
process of its own; they take turns. The seconds are those of the processor, of the process alone.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import save

MOST_SECONDS = 0.3
"""What `--help` may cost beyond ``python -c pass``."""
MOST_PLANNING_SECONDS = 2.0
"""What a dry run may cost beyond that of an empty Snakefile."""
RUNS = {
    "python -c pass": ("-c", "pass"),
    "vldeformer --help": ("-m", "vldeformer.cli", "--help"),
    "vldeformer train --help": ("-m", "vldeformer.cli", "train", "--help"),
    "vldeformer search --help": ("-m", "vldeformer.cli", "search", "--help"),
}


def cpu_seconds(words: tuple[str, ...], folder: Path | None = None) -> float:
    """Of one process, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def planning_seconds(project: Path, repeats: int) -> dict[str, float]:
    """The least of a dry run of the project's target `all`, and of that of an empty Snakefile."""
    words = ("-m", "snakemake", "--dry-run", "--quiet", "all", "--", "all")
    with tempfile.TemporaryDirectory() as empty:
        Path(empty, "Snakefile").write_text('rule all:\n    output: "made"\n    shell: "touch {output}"\n', encoding="utf-8")
        folders = {"empty": Path(empty), "project": project}
        turns = [{name: cpu_seconds(words, folder) for name, folder in folders.items()} for _ in range(repeats + 1)]
    least = {name: round(min(turn[name] for turn in turns[1:]), 4) for name in folders}
    return least | {"beyond_empty": round(least["project"] - least["empty"], 4), "most_seconds": MOST_PLANNING_SECONDS}


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--project", type=Path, help="measure its dry run too; none: leave that out")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in RUNS}
    for turn in range(given.repeats + 1):
        for name, words in RUNS.items():
            took = cpu_seconds(words)
            if turn:  # the first fills the caches of the disk
                seconds[name].append(took)
    # The least: what else runs on the machine only adds to it.
    least = {name: round(min(turns), 4) for name, turns in seconds.items()}
    beyond = {name: round(value - least["python -c pass"], 4) for name, value in least.items() if name != "python -c pass"}
    for name, value in beyond.items():
        print(f"{name:26} {value:.3f} s of CPU beyond python -c pass")
    result = {"repeats": given.repeats, "cpu_seconds": least, "beyond_pass": beyond, "most_seconds": MOST_SECONDS}
    if given.project:
        result["planning"] = planning = planning_seconds(given.project, min(given.repeats, 5))
        print(f"{'snakemake -n all':26} {planning['beyond_empty']:.3f} s of CPU beyond that of an empty Snakefile")
    save(given.out, result)


if __name__ == "__main__":
    main()
