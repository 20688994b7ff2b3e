"""Curves as numbers, one small CSV file a model, for `dvc plots show` and `dvc plots diff`.

DVC draws text files that git tracks, so that curves of two commits or experiments lie in one picture. The figures of the report
are drawn elsewhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from vldeformer.artifact import whole_file
from vldeformer.report.journals import curve, read_journal
from vldeformer.report.results import COMPARED, ResultSet
from vldeformer.report.settings import ReportSettings
from vldeformer.report.speed import Speed

CUTOFFS = range(1, 21)


def write_plots(folder: Path, results: ResultSet, speed: Speed, journals: Mapping[str, Path], settings: ReportSettings) -> None:
    """Write ``recall/MODEL.csv`` (k, i2t, t2i in percent, on the pairs that all models share), ``training/MODEL.csv`` (step,
    loss), ``validation/MODEL.csv`` (step, mean_recall in percent) and ``gallery_time.csv`` (n_images; ms a query).

    journals: model → journal.jsonl. Raises InputError as ``read_journal`` does.
    """
    for result in results.ordered(settings.titles, COMPARED):
        rows = [(k, 100 * float((result.ranks.i2t <= k).mean()), 100 * float((result.ranks.t2i <= k).mean())) for k in CUTOFFS]
        _write(folder / "recall" / f"{result.experiment}.csv", ("k", "i2t", "t2i"), rows)
    for name, path in journals.items():
        lines = read_journal(path)
        _write(folder / "training" / f"{name}.csv", ("step", "loss"), zip(*curve(lines, "loss"), strict=True))
        _write(folder / "validation" / f"{name}.csv", ("step", "mean_recall"), zip(*curve(lines, "val_mean_recall"), strict=True))
    points = [(each.n_images, each.dual_ms_per_query, 1000 * each.joint_seconds_per_query) for each in speed.gallery_curve]
    _write(folder / "gallery_time.csv", ("n_images", "decomposed_ms", "joint_ms"), points)


def _write(path: Path, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with whole_file(path) as temporary:
        pd.DataFrame(list(rows), columns=list(columns)).to_csv(temporary, index=False, lineterminator="\n")
