"""Stage `report`: results → metrics.json, tables and figures. Needs no torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from vldeformer.errors import InputError
from vldeformer.report.figures import save_gallery_time, save_recalls, save_training_curves
from vldeformer.report.metrics import ReportSettings, ResultSet, write_metrics
from vldeformer.report.peers import peers_table, read_published
from vldeformer.report.speed import read_speed
from vldeformer.report.tables import drop_table, effect_table, recall_table, speed_table, write_tables
from vldeformer.stages.sections import read_section


def report(
    settings: Path, results: Sequence[Path], speed: Path, journals: Mapping[str, Path], published: Path | None, out: Path
) -> None:
    """Write metrics.json, ``tables/`` and ``figures/`` into ``out``.

    journals: experiment → journal.jsonl; published: published.csv, needed if the settings name ``report.published_protocols``.
    """
    section = read_section(settings, "report", ReportSettings)
    found, measured = ResultSet.load(results), read_speed(speed)
    write_metrics(out / "metrics.json", found, section)
    tables = [recall_table(found, section), drop_table(found, section), speed_table(measured, section)]
    if section.effects:
        tables.append(effect_table(found, section))
    if section.published_protocols:
        if published is None:
            raise InputError(f"{settings}: report.published_protocols needs --published config/published.csv")
        tables.append(peers_table(found, section, read_published(published)))
    write_tables(out / "tables", tables)
    figures = out / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    save_recalls(figures / "recalls", found, section)
    save_training_curves(figures / "training", {section.titles.get(name, name): path for name, path in journals.items()})
    save_gallery_time(figures / "gallery_time", measured, section)
