"""How times are measured on this machine, and what is recorded with a time: the hardware and how it was measured."""

import math
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from vldeformer.runtime import RuntimeSettings, processor_name
from vldeformer.section import Section


class SpeedSettings(Section):
    """How joint and decomposed retrieval are timed on this machine."""

    pairs: int = Field(ge=1, description="image-caption pairs of the sample that the joint model scores")
    images: int = Field(ge=1, description="test images that the decomposed model encodes")
    captions: int = Field(ge=1, description="captions that the decomposed model encodes")
    repeats: int = Field(ge=1, description="timed repeats; the median counts")
    gallery_sizes: list[int] = Field(description="gallery sizes of the curve, images")

    def scored_images(self, n_images: int) -> int:
        """How many of ``n_images`` images make, with their captions (five each), about ``pairs`` pairs; at least two."""
        return max(2, min(n_images, round(math.sqrt(self.pairs / 5))))


WARMUP = 1  # runs before those that are timed


@dataclass(frozen=True)
class Seconds:
    """The repeats of one piece of work: their median, the quickest and the slowest."""

    median: float
    quickest: float
    slowest: float

    def __mul__(self, times: float) -> "Seconds":
        return Seconds(self.median * times, self.quickest * times, self.slowest * times)

    def __add__(self, other: "Seconds") -> "Seconds":
        return Seconds(self.median + other.median, self.quickest + other.quickest, self.slowest + other.slowest)


def repeated_seconds(work: Callable[[], object], settings: SpeedSettings) -> Seconds:
    """Seconds of ``settings.repeats`` runs of ``work``, after ``WARMUP`` that do not count.

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
    return Seconds(statistics.median(times), min(times), max(times))


def median_seconds(work: Callable[[], object], settings: SpeedSettings) -> float:
    """The median of ``repeated_seconds``."""
    return repeated_seconds(work, settings).median


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
