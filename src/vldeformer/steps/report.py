"""Step `report`: results → report.json and its views: metrics.json, tables, figures and plots."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import NO_PATHS, CompositionalResults, Journals, OutFolder, Results, SettingsFile

VERSION = 4


def report(
    *,
    settings: SettingsFile,
    results: Results,
    speed: Annotated[Path, Parameter(help="speed.json")],
    journals: Journals = NO_PATHS,
    published: Annotated[Path | None, Parameter(help="published.csv: recalls of other models, for comparison")] = None,
    compositional: CompositionalResults = (),
    rerank: Annotated[Path | None, Parameter(help="folder of re-ranked results, one per depth")] = None,
    out: OutFolder,
) -> None:
    """Write metrics.json, tables and figures from results.

    Writes report.json and its views into the folder, with the record of what they were made of; prints the headline. The
    settings' ``report.published_protocols`` need ``--published``.
    """
    import time

    from vldeformer.artifact import whole_parts, write_json
    from vldeformer.provenance import by_place, provenance
    from vldeformer.report.collect import run_report
    from vldeformer.report.settings import ReportSettings
    from vldeformer.report.step_record import REPORTED
    from vldeformer.report.views import headline_text, write_report
    from vldeformer.steps.settings_file import read_section
    from vldeformer.stored_digests import RECORDED, digests_below

    started = time.monotonic()
    section = read_section(settings, "report", ReportSettings, VERSION)
    made = run_report(section, results, speed, journals, published, compositional, rerank)
    inputs = {"speed": speed, **by_place([*results, *compositional])}
    inputs |= {f"journal {name}": path for name, path in journals.items()}
    inputs |= {name: path for name, path in (("published", published), ("rerank", rerank)) if path is not None}
    record = provenance({"report": section.model_dump(mode="json")}, inputs, started)
    with whole_parts(out) as folder:
        outputs = write_report(made, folder)
        write_json(folder / REPORTED, record | {"outputs": outputs, RECORDED: digests_below(folder)})
    print(headline_text(made))
