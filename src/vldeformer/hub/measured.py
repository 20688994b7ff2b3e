"""What a run measured of one model, for its card: a view of results/DATASET/report.json."""

from dataclasses import dataclass
from pathlib import Path

from vldeformer.errors import InputError
from vldeformer.evaluation.measured_files import Speed
from vldeformer.evaluation.run_facts import COMPARED, Drop, Recall
from vldeformer.evaluation.run_report import REPORT, RunReport


@dataclass(frozen=True)
class CardResults:
    """One model of a run. baseline: the joint model of ``drop``; times: None for any model but the main one."""

    dataset: str
    experiment: str
    recalls: tuple[Recall, ...]
    baseline: str
    drop: Drop | None
    times: Speed | None


def read_results(folder: Path, experiment: str | None = None) -> CardResults:
    """Read what a run measured of one of its models.

    Args:
        folder: results/DATASET.
        experiment: a model of the run; None: the main one.

    Raises:
        InputError: there is no report, or nothing was measured of the model.

    """
    path = folder / REPORT
    report = RunReport.load(path)
    chosen = report.main if experiment is None else experiment
    recalls = tuple(one for one in report.recalls if one.experiment == chosen)
    if not recalls:
        names = ", ".join(sorted({one.experiment for one in report.recalls}))
        raise InputError(f"{path}: nothing was measured of model {chosen!r}; there are {names}")
    ordered = sorted(recalls, key=lambda one: one.protocol != COMPARED)
    times = report.speed if chosen == report.main else None
    return CardResults(report.dataset, chosen, tuple(ordered), report.baseline, report.drop_of(chosen), times)
