"""How anything is timed on this machine, and what belongs beside a time: the hardware and how it was measured."""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from vldeformer.evaluation.speed_settings import SpeedSettings
from vldeformer.runtime import RuntimeSettings, processor_name


def median_seconds(work: Callable[[], object], settings: SpeedSettings) -> float:
    """Median seconds of ``settings.repeats`` runs of ``work``, after ``settings.warmup`` that do not count.

    What a GPU was given counts where it was given: a call returns before the GPU has done it.
    """
    times = []
    for turn in range(settings.warmup + settings.repeats):
        _wait_for_gpu()
        started = time.perf_counter()
        work()
        _wait_for_gpu()
        if turn >= settings.warmup:
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
        "warmup": settings.warmup,
    }


def _hardware(runtime: RuntimeSettings) -> str:
    if runtime.device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    return f"{processor_name()}, {os.cpu_count()} cores"
