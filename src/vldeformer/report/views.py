"""Writes a ``RunReport`` and its views into a folder: headline, tables, figures, and curves for `dvc plots`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from vldeformer.artifact import whole_file, write_json
from vldeformer.evaluation.run_report import COMPARED, REPORT, RunReport
from vldeformer.report.figures import charts_of
from vldeformer.report.tables import headline_table, tables_of

METRICS = "metrics.json"


def write_report(report: RunReport, folder: Path) -> list[str]:
    """Write report.json, metrics.json (the headline), ``tables/``, ``figures/`` and, for the main run, ``plots/``.

    Returns:
        The names written into ``folder``.

    """
    report.save(folder / REPORT)
    write_json(folder / METRICS, report.headline().model_dump())
    for table in tables_of(report):
        table.save(folder / "tables", {file: str(made) for file, made in report.records.items()})
    for chart in charts_of(report):
        chart.save(folder / "figures")
    curves = dict(curves_of(report)) if report.speed is not None else {}
    for name, frame in curves.items():
        with whole_file(folder / "plots" / f"{name}.csv") as temporary:
            frame.to_csv(temporary, index=False, lineterminator="\n")
    return [METRICS, REPORT, "tables", "figures", *(["plots"] if curves else [])]


def headline_text(report: RunReport) -> str:
    """The headline as a Markdown table: what `vldeformer report`, the notebook and the README show."""
    return headline_table(report).markdown()


def curves_of(report: RunReport) -> Iterator[tuple[str, pd.DataFrame]]:
    """Curves as numbers for `dvc plots`, one row per model and point: recall at k, training, validation, time of a query."""
    titles = report.titles
    recall: list[dict[str, Any]] = []
    for one in report.under(COMPARED):
        both = zip(one.i2t_at, one.t2i_at, strict=True)
        recall += [{"model": titles[one.experiment], "k": k, "i2t": a, "t2i": b} for k, (a, b) in enumerate(both, start=1)]
    yield "recall", pd.DataFrame(recall)
    loss, validation = [], []
    for one_training in report.training:
        model = titles.get(one_training.experiment, one_training.experiment)
        pairs = zip(one_training.steps, one_training.losses, strict=True)
        loss += [{"model": model, "step": step, "loss": value} for step, value in pairs]
        pairs = zip(one_training.val_steps, one_training.val_recalls, strict=True)
        validation += [{"model": model, "step": step, "mean_recall": value} for step, value in pairs]
    yield "training", pd.DataFrame(loss, columns=["model", "step", "loss"])
    yield "validation", pd.DataFrame(validation, columns=["model", "step", "mean_recall"])
    times = []
    for point in report.speed.gallery_curve if report.speed else ():
        times.append({"model": titles[report.main], "n_images": point.n_images, "ms": point.dual_ms_per_query})
        times.append({"model": titles[report.baseline], "n_images": point.n_images, "ms": 1e3 * point.joint_seconds_per_query})
    yield "gallery_time", pd.DataFrame(times, columns=["model", "n_images", "ms"])
