"""Step `report`: results → metrics.json, tables, figures and plots."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import NO_PATHS, CompositionalResults, Journals, OutFolder, Results, SettingsFile

VERSION = 1


def report(
    *,
    settings: SettingsFile,
    results: Results,
    speed: Annotated[Path, Parameter(help="speed.json")],
    journals: Journals = NO_PATHS,
    published: Annotated[Path | None, Parameter(help="published.csv: recalls of other models beside ours")] = None,
    compositional: CompositionalResults = (),
    rerank: Annotated[Path | None, Parameter(help="folder of re-ranked results, one for each depth")] = None,
    out: OutFolder,
) -> None:
    """Results → metrics.json, tables and figures.

    The settings' ``report.published_protocols`` need ``--published``.
    """
    import time

    from vldeformer.artifact import write_json
    from vldeformer.errors import InputError
    from vldeformer.provenance import by_place, provenance
    from vldeformer.report.compositional import CompositionalSet, compositional_table
    from vldeformer.report.figures import save_recalls, save_training_curves
    from vldeformer.report.lineage import REPORTED
    from vldeformer.report.metrics import write_metrics
    from vldeformer.report.peers import peers_table, read_published
    from vldeformer.report.plots import write_plots
    from vldeformer.report.rerank import read_rerank, rerank_table
    from vldeformer.report.results import COMPARED, ResultSet
    from vldeformer.report.settings import ReportSettings
    from vldeformer.report.speed import read_speed
    from vldeformer.report.tables import drop_table, recall_table, speed_table, write_tables
    from vldeformer.report.time_figures import save_gallery_time, save_rerank
    from vldeformer.steps.settings_file import read_section

    started = time.monotonic()
    section = read_section(settings, "report", ReportSettings, VERSION)
    found, measured, composed = ResultSet.load(results), read_speed(speed), CompositionalSet(compositional)
    write_metrics(out / "metrics.json", found, section)
    tables = [recall_table(found, section), drop_table(found, section), speed_table(measured, section, speed)]
    if section.published_protocols:
        if published is None:
            raise InputError(f"{settings}: report.published_protocols needs --published config/published.csv")
        tables.append(peers_table(found, section, read_published(published)))
    if composed.results:
        tables.append(compositional_table(composed, section.titles))
    figures = out / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    if rerank is not None:
        reranked, joint = read_rerank(rerank), found.need(section.baseline, COMPARED)
        tables.append(rerank_table(reranked, joint, measured, section))
        save_rerank(figures / "rerank", reranked, joint, measured, section)
    write_tables(out / "tables", tables)
    save_recalls(figures / "recalls", found, section)
    save_training_curves(figures / "training", {section.titles.get(name, name): path for name, path in journals.items()})
    save_gallery_time(figures / "gallery_time", measured, section)
    write_plots(out / "plots", found, measured, journals, section)
    inputs = {"speed": speed, **by_place([*results, *compositional])}
    inputs |= {f"journal {name}": path for name, path in journals.items()}
    inputs |= {name: path for name, path in (("published", published), ("rerank", rerank)) if path is not None}
    record = provenance({"report": section.model_dump(mode="json")}, inputs, started)
    write_json(out / REPORTED, record | {"outputs": ["metrics.json", "tables", "figures", "plots"]})
