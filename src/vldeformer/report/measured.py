"""What was measured of the experiments of one data set: read from RESULT.json files, or from the experiments' records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vldeformer.artifact import read_json
from vldeformer.errors import InputError
from vldeformer.evaluation.experiment_record import ExperimentRecord, is_record
from vldeformer.evaluation.run_report import MadeOn, MeasuredFile, Number, read_measured
from vldeformer.report.compositional import CompositionalSet
from vldeformer.report.results import ResultSet


class PairTime(MeasuredFile):
    """pair_time.json: ``seconds`` for the whole test set, extrapolated."""

    seconds: float


@dataclass(frozen=True)
class Measured:
    """Results, outcomes of the compositional test and times by experiment; records: file → where it was made."""

    results: ResultSet
    composed: CompositionalSet
    seconds: Mapping[str, Number]
    records: Mapping[str, MadeOn] = field(default_factory=dict)


def from_results(results: Sequence[Path], compositional: Sequence[Path], pair_times: Mapping[str, Path]) -> Measured:
    """Read what the steps `evaluate`, `compositional` and `pair-time` wrote.

    Args:
        results: RESULT.json files of one data set.
        compositional: results of the compositional test.
        pair_times: experiment → pair_time.json, of joint models.

    Raises:
        InputError: a file is missing or wrong, or files do not belong to one run.

    """
    seconds = {name: read_measured(path, PairTime, "pair-time").seconds for name, path in pair_times.items()}
    timed = {name: Number(value=seconds[name], files=(path.as_posix(),), key="seconds") for name, path in pair_times.items()}
    return Measured(ResultSet.load(results), CompositionalSet(compositional), timed)


def from_records(paths: Sequence[Path], wanted: Mapping[str, Mapping[str, Any]]) -> Measured:
    """Read the records of experiments of one data set.

    Args:
        paths: the records.
        wanted: experiment → settings that its record must have.

    Raises:
        InputError: a file is missing or wrong, or a record has other settings; names the file and the first that differs.

    """
    loaded = {path: ExperimentRecord.load(path) for path in paths}
    for path, record in loaded.items():
        if record.experiment not in wanted:
            raise InputError(f"{path}: the record of {record.experiment!r}, which is no experiment of this run; leave it out")
        record.check(wanted[record.experiment], path)
    results = [(result, path) for path, record in loaded.items() for result in record.results]
    tested = [(record.compositional, path) for path, record in loaded.items() if record.compositional is not None]
    times = {record.experiment: (record.pair_time, path) for path, record in loaded.items() if record.pair_time is not None}
    return Measured(
        ResultSet((result for result, _ in results), [path for _, path in results], recorded=True),
        CompositionalSet([], tested),
        {
            name: Number(value=float(time["seconds"]), files=(path.as_posix(),), key="pair_time/seconds")
            for name, (time, path) in times.items()
        },
        {path.as_posix(): MadeOn(**record.made) for path, record in loaded.items()},
    )


def records_among(paths: Sequence[Path]) -> bool:
    """Whether the files are records. Raises InputError if only some of them are."""
    found = [path for path in paths if is_record(read_json(path))]
    if found and len(found) < len(paths):
        other = next(path for path in paths if path not in found)
        raise InputError(f"{other}: expected a record like {found[0]}, got a result; give records only, or results only")
    return bool(found)
