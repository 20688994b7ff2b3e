"""What every benchmark shares: the machine it ran on, contenders measured in turns, one JSON file whole or not at all."""

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from vldeformer.artifact import write_json


def machine() -> dict[str, Any]:
    """The machine as far as it decides times; ``load_average`` at the end, more than ``cores``: the benchmark was not alone."""
    return {
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load_average": round(os.getloadavg()[0], 2),
    }


def in_turns(contenders: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each call: all contenders once, then all again, so that what slows the machine slows them alike."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, run in contenders.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def medians(seconds: Mapping[str, list[float]]) -> dict[str, float]:
    """The median of each contender's turns."""
    return {name: statistics.median(turns) for name, turns in seconds.items()}


def save(path: Path, value: dict[str, Any]) -> None:
    """Write the result of a benchmark with the machine it ran on."""
    write_json(path, {"machine": machine(), **value})
    print(f"{path}: written")


def _processor() -> str:
    found = subprocess.run(["lscpu"], capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}).stdout
    names = [line.split(":", 1)[1].strip() for line in found.splitlines() if line.startswith("Model name")]
    return names[0] if names else platform.processor()
