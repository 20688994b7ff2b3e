"""One table about each choice: what every option of it reaches, and its gain against a reference, seed by seed and as a mean.

Retrieval is judged by each query's rank. What else was measured of an experiment stands beside it where there is a file: accuracy
of the compositional test, time of a pair.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from vldeformer.evaluation.measures import Estimate, mean_recall
from vldeformer.report.results import ResultSet
from vldeformer.report.settings import Ablation, AblationRow
from vldeformer.report.sources import Source
from vldeformer.report.tables import RESULT_KEYS, Table, columns, with_interval


@dataclass(frozen=True)
class Beside:
    """A number of an experiment that is no recall: its value, with an interval where there is one, and where it came from.

    key: where it stands in the one file; None: computed from the files. seeds: how many runs it is the mean of.
    """

    value: Estimate | float
    files: tuple[str, ...]
    key: str | None = None
    seeds: int = 1


@dataclass(frozen=True)
class Quantity:
    """What is beside the recalls of some experiments. ``name`` in CSV and JSON, ``title`` in tables, ``digits`` shown there.

    timed: it differs from run to run, so that it does not belong into metrics.json.
    """

    name: str
    title: str
    digits: int
    of: Mapping[str, Beside]
    timed: bool = False


@dataclass(frozen=True)
class Judged:
    """A row as measured: ``mean`` recall in percent over its own ``seeds``.

    If there is a reference: ``gain`` in points over the seeds that both were run with, and that of ``each`` of those.
    """

    row: AblationRow
    title: str
    seeds: tuple[int, ...]
    mean: Estimate
    reference: str | None
    gain: Estimate | None
    each: Mapping[int, float]
    files: tuple[str, ...]


def judge(ablation: Ablation, results: ResultSet, titles: Mapping[str, str]) -> list[Judged]:
    """The rows of an ablation in their order. Raises InputError if an experiment was not evaluated under its protocol."""
    judged = []
    for row in ablation.rows:
        runs, reference = results.runs(row.experiment, ablation.protocol), ablation.reference_of(row)
        used, gain = list(runs.values()), None
        each: dict[int, float] = {}
        if reference is not None:
            pairs = results.pairs(row.experiment, reference, ablation.protocol)
            gain = results.difference(row.experiment, reference, ablation.protocol)
            each = {seed: mean_recall(own.ranks) - mean_recall(other.ranks) for seed, (own, other) in pairs.items()}
            used += [other for _, other in pairs.values()]
        mean = results.mean(list(runs.values()))
        judged.append(
            Judged(row, row.title or titles[row.experiment], tuple(runs), mean, reference, gain, each, results.files(used))
        )
    return judged


def ablation_table(
    name: str, ablation: Ablation, judged: Sequence[Judged], titles: Mapping[str, str], beside: Sequence[Quantity], dataset: str
) -> Table:
    """Recall, gain and what else is known of each row."""
    present = [quantity for quantity in beside if any(one.row.experiment in quantity.of for one in judged)]
    shown = [_shown(ablation, one, titles, present) for one in judged]
    numbers = [_numbers(one, present) for one in judged]
    where = "the whole test set" if ablation.protocol == "test" else "the pairs that the joint model scores too"
    caption = (
        f"{ablation.title}: mean of the six recalls in percent on {where}, gain in points with a paired interval over images; "
        f"means are over seeds, a gain's over those that both were run with. Data set {dataset}."
    )
    frames = pd.DataFrame(shown), pd.DataFrame(numbers)
    return Table(name, caption, *frames, [_source(one, present) for one in judged])


def ablation_values(judged: Sequence[Judged], beside: Sequence[Quantity]) -> dict[str, Any]:
    """The same for metrics.json, but for times: experiment → mean recall, gain and reference, and what is known beside.

    ``each_seed``: seed → gain, of the seeds that both were run with.
    """
    values: dict[str, Any] = {}
    for one in judged:
        each = {str(seed): value for seed, value in one.each.items()}
        gain = None if one.gain is None else asdict(one.gain) | {"each_seed": each}
        values[one.row.experiment] = {"mean_recall": asdict(one.mean), "seeds": len(one.seeds), "gain": gain}
        values[one.row.experiment] |= {"reference": one.reference, "at": one.row.at, "line": one.row.line}
        for quantity in beside:
            found = quantity.of.get(one.row.experiment)
            if found is not None and not quantity.timed:
                known = found.value
                values[one.row.experiment][quantity.name] = (
                    asdict(known) | {"seeds": found.seeds} if isinstance(known, Estimate) else known
                )
    return values


def _shown(ablation: Ablation, one: Judged, titles: Mapping[str, str], beside: Sequence[Quantity]) -> dict[str, str]:
    cells = {"Choice": one.title}
    if ablation.axis is not None:
        cells[ablation.axis] = "" if one.row.at is None else f"{one.row.at:,g}"
    cells |= {"Seeds": _seeds(one), "Mean recall": with_interval(one.mean)}
    cells["Gain (points)"] = "" if one.gain is None else with_interval(one.gain, digits=2)
    cells["Each seed"] = ", ".join(f"{value:+.2f}" for value in one.each.values()) if len(one.each) > 1 else ""
    cells["Against"] = "" if one.reference is None else titles[one.reference]
    for quantity in beside:
        found = quantity.of.get(one.row.experiment)
        cells[quantity.title] = "" if found is None else _cell(found.value, quantity.digits)
    return cells


def _cell(value: Estimate | float, digits: int) -> str:
    return with_interval(value, digits) if isinstance(value, Estimate) else f"{value:.{digits}f}"


def _seeds(one: Judged) -> str:
    """How many runs the recall is the mean of and, where it is fewer, the gain."""
    runs, paired = len(one.seeds), len(one.each)
    return f"{runs}; gain of {paired}" if one.gain is not None and paired != runs else str(runs)


def _numbers(one: Judged, beside: Sequence[Quantity]) -> dict[str, object]:
    cells: dict[str, object] = {"choice": one.title, "experiment": one.row.experiment, "at": one.row.at, "line": one.row.line}
    cells |= {"seeds": len(one.seeds)} | columns("mean_recall", one.mean) | {"reference": one.reference}
    cells |= {} if one.gain is None else columns("gain", one.gain)
    cells |= {f"gain_seed_{seed}": value for seed, value in one.each.items()}
    for quantity in beside:
        found = quantity.of.get(one.row.experiment)
        if found is not None:
            value = found.value
            cells |= columns(quantity.name, value) if isinstance(value, Estimate) else {quantity.name: value}
    return cells


def _source(one: Judged, beside: Sequence[Quantity]) -> Source:
    """One run's recall stands in its file; means over seeds and gains are computed from the ranks beside the files."""
    single = {name: key for name, key in RESULT_KEYS.items() if name.startswith("mean_recall")}
    others = {quantity.name: found for quantity in beside if (found := quantity.of.get(one.row.experiment))}
    keys = single if len(one.seeds) == 1 else {}
    return Source(
        one.files,
        keys,
        "mean over seeds of the mean recall, a gain less that of the reference with the same seed; intervals: images resampled; "
        "from the ranks of each query beside each file",
        {name: (found.files, found.key) for name, found in others.items()},
    )
