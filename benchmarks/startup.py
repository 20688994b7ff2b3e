"""CPU seconds until ``vldeformer --help`` has printed, and the help of some commands, against ``python -c pass``.

    python benchmarks/startup.py

Each is a process of its own; they take turns. The seconds are those of the processor, of the process alone.
"""

import argparse
import resource
import subprocess
import sys
from pathlib import Path

from measuring import save

MOST_SECONDS = 0.3
"""What `--help` may cost beyond ``python -c pass``."""
RUNS = {
    "python -c pass": ("-c", "pass"),
    "vldeformer --help": ("-m", "vldeformer.cli", "--help"),
    "vldeformer train --help": ("-m", "vldeformer.cli", "train", "--help"),
    "vldeformer search --help": ("-m", "vldeformer.cli", "search", "--help"),
}


def cpu_seconds(words: tuple[str, ...]) -> float:
    """Of one process, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
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
    save(given.out, result)


if __name__ == "__main__":
    main()
