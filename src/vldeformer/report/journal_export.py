"""A training journal as TensorBoard or DVCLive shows it: the same numbers, in the files of either."""

import contextlib
import importlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vldeformer.artifact import RECORD, whole_folder, write_json
from vldeformer.errors import InputError
from vldeformer.provenance import provenance
from vldeformer.report.journals import read_journal


def journal_for_tensorboard(journal: Path, out: Path) -> None:
    """Write the folder ``out`` for ``tensorboard --logdir OUT``. Raises InputError if tensorboard is not installed."""
    writer_class = _installed("torch.utils.tensorboard", "tensorboard").SummaryWriter
    with _written(journal, out) as (lines, folder), writer_class(str(folder)) as writer:
        for step, numbers in lines:
            for name, value in numbers.items():
                writer.add_scalar(name, value, step)


def journal_for_dvclive(journal: Path, out: Path) -> None:
    """Write the folder ``out``: metrics.json (last values) and plots/metrics/NAME.tsv, which DVC and its extensions show.

    Raises InputError if dvclive is not installed.
    """
    live_class = _installed("dvclive", "dvclive").Live
    with _written(journal, out) as (lines, folder), live_class(str(folder), save_dvc_exp=False, dvcyaml=None) as live:
        for step, numbers in lines:
            live.step = step
            for name, value in numbers.items():
                live.log_metric(name, value)


@contextlib.contextmanager
def _written(journal: Path, out: Path) -> Iterator[tuple[list[tuple[int, dict[str, float]]], Path]]:
    """The journal's numbers by step and the folder to write; an older one that was made here is replaced."""
    started, lines = time.monotonic(), list(_numbers(journal))
    with whole_folder(out) as folder:
        yield lines, folder
        write_json(folder / RECORD, provenance({}, {"journal": journal}, started))


def _numbers(journal: Path) -> Iterator[tuple[int, dict[str, float]]]:
    lines = read_journal(journal)
    if not lines:
        raise InputError(f"{journal}: expected a line for each step of a training, got none; wait for its first step")
    for line in lines:
        numbers = {name: value for name, value in line.items() if name != "step" and isinstance(value, int | float)}
        for name in numbers:
            # DVCLive makes a file of the name, and folders of its parts.
            if not name.isprintable() or not {"", ".", ".."}.isdisjoint(name.split("/")):
                raise InputError(f"{journal}: expected names of numbers such as loss or val/recall, got {name!r}; rename it")
        yield line["step"], numbers


def _installed(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise InputError(f"{package} is not installed; run `pip install {package}`") from None
