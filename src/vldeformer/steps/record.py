"""Step `record`: results of an experiment → its record, a small file for git from which tables are made."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import OutFile, PathList, SettingsFile

VERSION = 1
KEPT = ("code", "packages", "python", "machine", "finished")
"""What a record keeps of the training's provenance."""


def record(
    *,
    settings: SettingsFile,
    results: Annotated[PathList, Parameter(help="RESULT.json files of the experiment")],
    compositional: Annotated[Path | None, Parameter(help="result of the compositional test")] = None,
    pair_time: Annotated[Path | None, Parameter(help="pair_time.json of the experiment")] = None,
    model: Annotated[Path | None, Parameter(help="model folder; its record has commit and machine of the training")] = None,
    out: Annotated[OutFile, Parameter(help="JSON to write")],
) -> None:
    """Write the record of an experiment: settings, ranks, numbers, code and machine."""
    import time

    from vldeformer.artifact import RECORD, check_file, read_json
    from vldeformer.errors import InputError
    from vldeformer.evaluation.compositional_result import CompositionalResult
    from vldeformer.evaluation.experiment_record import ExperimentRecord
    from vldeformer.evaluation.record_settings import RecordSettings
    from vldeformer.evaluation.result import RetrievalResult
    from vldeformer.provenance import by_place, provenance
    from vldeformer.steps.settings_file import read_section

    started = time.monotonic()
    check_file(out)
    section = read_section(settings, "record", RecordSettings, VERSION)
    tested = [] if compositional is None else [compositional]
    loaded = [RetrievalResult.load(path) for path in results]
    test = None if compositional is None else CompositionalResult.load(compositional)
    names = [(one.dataset, one.experiment) for one in loaded] + ([] if test is None else [(test.dataset, test.experiment)])
    for path, (dataset, experiment) in zip([*results, *tested], names, strict=True):
        if (dataset, experiment) != (section.dataset, section.experiment):
            got = f"{experiment!r} on {dataset!r}"
            raise InputError(f"{path}: expected a result of {section.experiment!r} on {section.dataset!r}, got {got}")
    made_by = None if model is None else model.parent / RECORD
    trained = read_json(made_by) if made_by is not None and made_by.is_file() else None
    inputs = by_place([*results, *tested]) | ({} if pair_time is None else {"pair time": pair_time})
    ExperimentRecord(
        dataset=section.dataset,
        experiment=section.experiment,
        settings=section.settings,
        results=tuple(loaded),
        compositional=test,
        pair_time=None if pair_time is None else read_json(pair_time),
        trained=None if trained is None else {name: trained.get(name) for name in KEPT},
        provenance=provenance({}, inputs, started),
    ).save(out)
