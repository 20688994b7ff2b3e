"""Step `ablations`: results of many experiments → a table, and where a curve says more a figure, about each choice."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import NO_PATHS, CompositionalResults, NamedPaths, OutFolder, Results, SettingsFile

VERSION = 1


def ablations(
    *,
    settings: SettingsFile,
    results: Results,
    compositional: CompositionalResults = (),
    speed: Annotated[Path, Parameter(help="speed.json")],
    pair_times: Annotated[NamedPaths, Parameter(help="pair_time.json by experiment")] = NO_PATHS,
    out: OutFolder,
) -> None:
    """Results → tables and curves, one about each choice."""
    import time

    from vldeformer.artifact import write_json
    from vldeformer.provenance import by_place, provenance
    from vldeformer.report.ablations import ablation_table, ablation_values, judge
    from vldeformer.report.compositional import CompositionalSet, compositional_table
    from vldeformer.report.curves import save_ablation_curve, save_cost
    from vldeformer.report.lineage import REPORTED
    from vldeformer.report.metrics import recall_drops
    from vldeformer.report.pair_time import cost_of
    from vldeformer.report.results import ResultSet
    from vldeformer.report.settings import ReportSettings
    from vldeformer.report.speed import read_speed
    from vldeformer.report.tables import drop_table, recall_table, write_tables
    from vldeformer.steps.settings_file import read_section

    started = time.monotonic()
    section = read_section(settings, "report", ReportSettings, VERSION)
    found, composed = ResultSet.load(results), CompositionalSet(compositional)
    cost = cost_of(pair_times, section.main, read_speed(speed), speed)
    tables, values = [recall_table(found, section), drop_table(found, section)], {}
    if composed.results:
        tables.append(compositional_table(composed, section.titles))
    for name, ablation in section.ablations.items():
        judged, beside = judge(ablation, found, section.titles), composed.quantities(ablation)
        if any(row.experiment in pair_times for row in ablation.rows):
            beside.append(cost)
            save_cost(out / "figures" / f"{name}_cost", ablation, judged, cost)
        values[name] = ablation_values(judged, beside)
        tables.append(ablation_table(name, ablation, judged, section.titles, beside, found.dataset))
        if ablation.axis is not None:
            save_ablation_curve(out / "figures" / name, ablation, judged)
    write_tables(out / "tables", tables)
    drops = recall_drops(found, section)
    write_json(out / "metrics.json", {"dataset": found.dataset, "main": section.main, "recall_drops": drops, "ablations": values})
    inputs = {"speed": speed, **by_place([*results, *compositional])}
    inputs |= {f"pair time {name}": path for name, path in pair_times.items()}
    record = provenance({"report": section.model_dump(mode="json")}, inputs, started)
    write_json(out / REPORTED, record | {"outputs": ["metrics.json", "tables", "figures"]})
