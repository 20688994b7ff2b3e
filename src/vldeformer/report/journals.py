"""The journal of a training, one JSON object a line: read, thinned to curves, and written as TensorBoard or DVCLive show it."""

import contextlib
import importlib
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vldeformer.artifact import RECORD, kind_of_file, whole_folder, write_json
from vldeformer.errors import InputError
from vldeformer.evaluation.run_facts import Training
from vldeformer.provenance import provenance
from vldeformer.stored_digests import check_stored
from vldeformer.text_files import lines_of, read_text

DRAWN_STEPS = 300


def read_journal(path: Path) -> list[dict[str, Any]]:
    """The lines of a training journal. Raises InputError naming file and line if it is missing, or a line is not a JSON object
    with a whole number as ``step``.
    """
    check_stored(path)
    try:
        text = read_text(path)
    except FileNotFoundError:
        raise InputError(f"{path}: expected a training journal, found no file; train first") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected a training journal in UTF-8, got {kind_of_file(path)} ({error.reason})") from None
    lines = []
    for number, line in enumerate(lines_of(text), start=1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict) or type(value.get("step")) is not int:
            expected = "expected a JSON object with a whole number as `step`"
            raise InputError(f"{path}, line {number}: {expected}, got {line[:60]!r}; it may be cut short")
        lines.append(value)
    return lines


def training(experiment: str, journal: Path) -> Training:
    """The curves of a training journal. Raises InputError as ``read_journal`` does, or if a step is missing or comes twice."""
    lines = read_journal(journal)
    _check_steps(journal, lines)
    (steps, losses), (val_steps, recalls) = _curve(lines, "loss"), _curve(lines, "val_mean_recall")
    return Training(
        experiment=experiment,
        steps=_thinned(steps),
        losses=_thinned(losses),
        val_steps=tuple(val_steps),
        val_recalls=tuple(recalls),
    )


def _check_steps(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Every step from 1 on has one line of its loss, in order; a measurement on val comes after the one before."""
    done, measured = 0, 0
    for number, line in enumerate(lines, start=1):
        step = line["step"]
        if "loss" in line:
            wrong, done = step != done + 1, done + 1
        else:
            wrong, measured = step <= measured, step
        if wrong:
            problem = f"step {step} comes twice or not in its order, or one before it is missing"
            raise InputError(f"{path}, line {number}: {problem}; expected the journal of one whole training: train again")


def _curve(lines: Sequence[Mapping[str, Any]], key: str) -> tuple[list[int], list[float]]:
    """Steps, and what was measured there; lines without it are passed over."""
    found = [line for line in lines if key in line]
    return [line["step"] for line in found], [line[key] for line in found]


def _thinned(values: Sequence[float]) -> tuple[float, ...]:
    """Means of neighbours, at most ``DRAWN_STEPS`` of them: a journal has a line for every step."""
    size = math.ceil(len(values) / DRAWN_STEPS) or 1
    groups = [values[first : first + size] for first in range(0, len(values), size)]
    return tuple(sum(group) / len(group) for group in groups)


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
