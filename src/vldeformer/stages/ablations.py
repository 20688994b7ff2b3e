"""Stage `ablations`: results of many experiments → report.json, and a table and a figure about each choice. No torch."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from vldeformer.artifact import write_json
from vldeformer.report.collect import ablations_report
from vldeformer.report.lineage import REPORTED
from vldeformer.report.settings import ReportSettings
from vldeformer.report.views import headline_text, write_report
from vldeformer.stages.provenance import by_place, provenance
from vldeformer.stages.sections import read_section


def ablations(
    settings: Path,
    results: Sequence[Path],
    compositional: Sequence[Path],
    speed: Path,
    pair_times: Mapping[str, Path],
    out: Path,
) -> None:
    """Write report.json and its views into ``out``, with the record of what they were made of; print the headline.

    Args:
        settings: settings file with the section ``report``, which names the ablations.
        results: RESULT.json files of one data set.
        compositional: results of the compositional test.
        speed: speed.json.
        pair_times: experiment → pair_time.json, of joint models.
        out: results/DATASET/ablations.

    """
    started = time.monotonic()
    section = read_section(settings, "report", ReportSettings)
    made = ablations_report(section, results, compositional, speed, pair_times)
    outputs = write_report(made, out)
    inputs = {"speed": speed, **by_place([*results, *compositional])}
    inputs |= {f"pair time {name}": path for name, path in pair_times.items()}
    record = provenance({"report": section.model_dump(mode="json")}, inputs, started)
    write_json(out / REPORTED, record | {"outputs": outputs})
    print(headline_text(made))
