"""Writes a ``RunReport`` and its views into a folder: headline, tables, figures, and curves for `dvc plots`."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from vldeformer.artifact import whole_file, write_json
from vldeformer.evaluation.run_facts import COMPARED
from vldeformer.evaluation.run_report import REPORT, RunReport
from vldeformer.report.figures import charts_of
from vldeformer.report.table import as_csv
from vldeformer.report.tables import headline_table, tables_of

METRICS = "metrics.json"


def write_report(report: RunReport, folder: Path) -> list[str]:
    """Write report.json, metrics.json (the headline), ``tables/``, ``figures/`` and, for the main run, ``plots/``.

    Returns:
        The names written into ``folder``.

    """
    report.save(folder / REPORT)
    write_json(folder / METRICS, report.headline())
    for table in tables_of(report):
        table.save(folder / "tables", {file: str(made) for file, made in report.records.items()})
    for chart in charts_of(report):
        chart.save(folder / "figures")
    curves = dict(curves_of(report)) if report.speed is not None else {}
    for name, frame in curves.items():
        with whole_file(folder / "plots" / f"{name}.csv") as temporary:
            temporary.write_text(as_csv(frame), encoding="utf-8")
    return [METRICS, REPORT, "tables", "figures", *(["plots"] if curves else [])]


def headline_text(report: RunReport) -> str:
    """The headline as a Markdown table: what `vldeformer report`, the notebook and the README show."""
    return headline_table(report).markdown()


def curves_of(report: RunReport) -> Iterator[tuple[str, pd.DataFrame]]:
    """Curves as numbers for `dvc plots`, one row per model and point: recall at k, training, validation, time of a query."""
    titles = report.titles
    recall, loss, validation, times = [], [], [], []
    for one in report.under(COMPARED):
        both = enumerate(zip(one.i2t_at, one.t2i_at, strict=True), start=1)
        recall += [(titles[one.experiment], k, i2t, t2i) for k, (i2t, t2i) in both]
    for curve in report.training:
        model = titles.get(curve.experiment, curve.experiment)
        loss += [(model, step, value) for step, value in zip(curve.steps, curve.losses, strict=True)]
        validation += [(model, step, value) for step, value in zip(curve.val_steps, curve.val_recalls, strict=True)]
    for point in report.speed.gallery_curve if report.speed else ():
        times.append((titles[report.main], point.n_images, point.dual_ms_per_query))
        times.append((titles[report.baseline], point.n_images, 1e3 * point.joint_seconds_per_query))
    yield "recall", pd.DataFrame(recall, columns=["model", "k", "i2t", "t2i"])
    yield "training", pd.DataFrame(loss, columns=["model", "step", "loss"])
    yield "validation", pd.DataFrame(validation, columns=["model", "step", "mean_recall"])
    yield "gallery_time", pd.DataFrame(times, columns=["model", "n_images", "ms"])
