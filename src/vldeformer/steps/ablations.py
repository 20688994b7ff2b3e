"""Step `ablations`: results of many experiments → report.json, and a table and a figure about each choice."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import NO_PATHS, CompositionalResults, NamedPaths, OutFolder, Results, SettingsFile

VERSION = 4


def ablations(
    *,
    settings: SettingsFile,
    results: Annotated[Results, Parameter(help="records of experiments of one dataset, or their RESULT.json files")],
    compositional: CompositionalResults = (),
    speed: Annotated[Path, Parameter(help="speed.json")],
    pair_times: Annotated[NamedPaths, Parameter(help="pair_time.json by experiment")] = NO_PATHS,
    out: OutFolder,
) -> None:
    """Write a table and a curve for each choice of the method.

    Writes report.json, its tables and figures, and the record of what they were made of; prints the headline. A record holds
    the result of the compositional test and the time of a pair too; one with other settings than this run's is refused.
    """
    import time

    from vldeformer.artifact import whole_parts, write_json
    from vldeformer.provenance import by_place, provenance
    from vldeformer.report.collect import ablations_report
    from vldeformer.report.measured import from_records, from_results, records_among
    from vldeformer.report.settings import ReportSettings
    from vldeformer.report.step_record import REPORTED
    from vldeformer.report.views import headline_text, write_report
    from vldeformer.steps.settings_file import read_recorded, read_section
    from vldeformer.stored_digests import RECORDED, digests_below

    started = time.monotonic()
    section = read_section(settings, "report", ReportSettings, VERSION)
    if records_among(results):
        measured = from_records(results, read_recorded(settings, VERSION))
    else:
        measured = from_results(results, compositional, pair_times)
    made = ablations_report(section, measured, speed)
    inputs = {"speed": speed, **by_place([*results, *compositional])}
    inputs |= {f"pair time {name}": path for name, path in pair_times.items()}
    record = provenance({"report": section.model_dump(mode="json")}, inputs, started)
    with whole_parts(out) as folder:
        outputs = write_report(made, folder)
        write_json(folder / REPORTED, record | {"outputs": outputs, RECORDED: digests_below(folder)})
    print(headline_text(made))
