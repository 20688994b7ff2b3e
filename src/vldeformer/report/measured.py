"""What was measured of the experiments of one data set: read from RESULT.json files, or from the experiments' records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vldeformer.artifact import read_json
from vldeformer.errors import InputError
from vldeformer.evaluation.experiment_record import ExperimentRecord, is_record
from vldeformer.evaluation.measured_files import PairTime, read_measured
from vldeformer.evaluation.run_facts import MadeOn, Number
from vldeformer.report.compositional import CompositionalSet
from vldeformer.report.results import ResultSet


@dataclass(frozen=True)
class Measured:
    """Results, outcomes of the compositional test and times by experiment; records: file → where it was made."""

    results: ResultSet
    composed: CompositionalSet
    seconds: Mapping[str, Number] = field(default_factory=dict)
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
    read = {name: read_measured(path, PairTime, "pair-time") for name, path in pair_times.items()}
    seconds = {
        name: Number(value=read[name].seconds, files=(path.as_posix(),), key="seconds") for name, path in pair_times.items()
    }
    return Measured(ResultSet.load(results), CompositionalSet.load(compositional), seconds)


def from_records(paths: Sequence[Path], wanted: Mapping[str, Mapping[str, Any]]) -> Measured:
    """Read the records of experiments of one data set.

    Args:
        paths: the records.
        wanted: experiment → settings that its record must have.

    Raises:
        InputError: a file is missing or wrong, or a record has other settings; names the file and the first that differs.

    """
    results, composed, seconds, made = [], [], {}, {}
    for path in paths:
        record = ExperimentRecord.load(path)
        if record.experiment not in wanted:
            raise InputError(f"{path}: the record of {record.experiment!r}, which is no experiment of this run; leave it out")
        record.check(wanted[record.experiment], path)
        results += [(result, path) for result in record.results]
        composed += [] if record.compositional is None else [(record.compositional, path)]
        if record.pair_time is not None:
            value, file = float(record.pair_time["seconds"]), path.as_posix()
            seconds[record.experiment] = Number(value=value, files=(file,), key="pair_time/seconds")
        made[path.as_posix()] = MadeOn(**record.made)
    found = ResultSet((result for result, _ in results), [path for _, path in results], recorded=True)
    return Measured(found, CompositionalSet(composed, recorded=True), seconds, made)


def records_among(paths: Sequence[Path]) -> bool:
    """Whether the files are records. Raises InputError if only some of them are."""
    found = [path for path in paths if is_record(read_json(path))]
    if found and len(found) < len(paths):
        other = next(path for path in paths if path not in found)
        raise InputError(f"{other}: expected a record like {found[0]}, got a result; give records only, or results only")
    return bool(found)
