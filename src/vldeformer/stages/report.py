"""Stage `report`: results → report.json and its views: metrics.json, tables, figures and plots. Needs no torch."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from vldeformer.artifact import write_json
from vldeformer.report.collect import run_report
from vldeformer.report.lineage import REPORTED
from vldeformer.report.settings import ReportSettings
from vldeformer.report.views import headline_text, write_report
from vldeformer.stages.provenance import by_place, provenance
from vldeformer.stages.sections import read_section


def report(
    settings: Path,
    results: Sequence[Path],
    speed: Path,
    journals: Mapping[str, Path],
    published: Path | None,
    compositional: Sequence[Path],
    rerank: Path | None,
    out: Path,
) -> None:
    """Write report.json and its views into ``out``, with the record of what they were made of; print the headline.

    Args:
        settings: settings file with the section ``report``.
        results: RESULT.json files of one data set.
        speed: speed.json.
        journals: experiment → journal.jsonl.
        published: published.csv, needed if the settings name ``report.published_protocols``.
        compositional: results of the compositional test.
        rerank: folder of re-ranked results, one for each depth.
        out: results/DATASET.

    """
    started = time.monotonic()
    section = read_section(settings, "report", ReportSettings)
    made = run_report(section, results, speed, journals, published, compositional, rerank)
    outputs = write_report(made, out)
    inputs = {"speed": speed, **by_place([*results, *compositional])}
    inputs |= {f"journal {name}": path for name, path in journals.items()}
    inputs |= {name: path for name, path in (("published", published), ("rerank", rerank)) if path is not None}
    record = provenance({"report": section.model_dump(mode="json")}, inputs, started)
    write_json(out / REPORTED, record | {"outputs": outputs})
    print(headline_text(made))
