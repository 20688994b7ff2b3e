"""How anything is timed on this machine, and what belongs beside a time: the hardware and how it was measured."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vldeformer.evaluation.speed_settings import SpeedSettings
from vldeformer.runtime import RuntimeSettings

WARMUP = 1  # runs before those that are timed


def median_seconds(work: Callable[[], object], settings: SpeedSettings) -> float:
    """Median seconds of ``settings.repeats`` runs of ``work``, after ``WARMUP`` that do not count.

    What a GPU was given counts where it was given: a call returns before the GPU has done it.
    """
    times = []
    for turn in range(WARMUP + settings.repeats):
        _wait_for_gpu()
        started = time.perf_counter()
        work()
        _wait_for_gpu()
        if turn >= WARMUP:
            times.append(time.perf_counter() - started)
    return statistics.median(times)


def _wait_for_gpu() -> None:
    import torch

    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def circumstances(settings: SpeedSettings, runtime: RuntimeSettings) -> dict[str, Any]:
    """What a time says nothing without, for the JSON file that holds it."""
    return {
        "device": runtime.device,
        "threads": runtime.threads,
        "hardware": _hardware(runtime),
        "precision": runtime.precision,
        "repeats": settings.repeats,
        "warmup": WARMUP,
    }


def _hardware(runtime: RuntimeSettings) -> str:
    if runtime.device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    return f"{processor_name()}, {os.cpu_count()} cores"


def processor_name() -> str:
    """The model of the CPU, or what the system says of it if it does not say the model."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
