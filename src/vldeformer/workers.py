"""Jobs in several processes, which end with the process that started them."""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import joblib

LOOK_SECONDS = 0.5


def in_processes(workers: int, jobs: Iterable[Any]) -> Iterator[Any]:
    """Run jobs (calls made by ``joblib.delayed``) in that many processes; 1: in this one. Yields the results in their order."""
    options = {"initializer": _end_with, "initargs": (os.getpid(),)} if workers > 1 else {}
    results: Iterator[Any] = joblib.Parallel(n_jobs=workers, return_as="generator", **options)(jobs)
    return results


def _end_with(parent: int) -> None:
    """Called in a worker: end it when its parent is gone. A worker of a killed process would wait for five minutes."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="end with the parent", daemon=True).start()
