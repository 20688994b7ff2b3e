"""metrics.json: every model's recalls and the recall drop, with nothing in it that differs between two equal runs."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from vldeformer.artifact import write_json
from vldeformer.errors import InputError
from vldeformer.evaluation.measures import Estimate
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.report.claims import HELD, NOT_HELD, UNKNOWN
from vldeformer.report.results import COMPARED, ResultSet
from vldeformer.report.settings import ReportSettings


def verdict(drop: Estimate, claim: float) -> str:
    """``held`` if the whole interval lies below the claim, ``not held`` if it lies above, else ``unknown``.

    It is unknown as well where the whole interval says that the joint model is worse by more than the claim: a joint model that
    did not learn has no accuracy that could be kept.
    """
    if drop.high < -claim:
        return UNKNOWN
    if drop.high < claim:
        return HELD
    return NOT_HELD if drop.low >= claim else UNKNOWN


def write_metrics(path: Path, results: ResultSet, settings: ReportSettings) -> None:
    """Write metrics.json: see ``metrics`` for what is in it."""
    write_json(path, metrics(results, settings))


def metrics(results: ResultSet, settings: ReportSettings) -> dict[str, Any]:
    """``models[name]``: ``i2t``, ``t2i`` and ``mean_recall`` on the pairs that all models share, and likewise ``test`` and each
    of ``report.published_protocols`` where there is one; ``recall_drop`` of the main model, in points, and ``recall_drops`` of
    every decomposed one.
    """
    models: dict[str, Any] = {}
    for result in results.ordered(settings.titles, COMPARED):
        models[result.experiment] = _entry(result)
    for protocol in ("test", *settings.published_protocols):
        for result in results.ordered(settings.titles, protocol):
            models.setdefault(result.experiment, {})[protocol] = _entry(result)
    drops = recall_drops(results, settings)
    if settings.main not in drops:
        raise InputError(f"report.main is {settings.main!r}, expected one of report.decomposed ({', '.join(drops)})")
    return {
        "dataset": results.dataset,
        "models": models,
        "recall_drop": drops[settings.main] | {"baseline": settings.baseline, "model": settings.main, "protocol": COMPARED},
        "recall_drops": drops,
    }


def recall_drops(results: ResultSet, settings: ReportSettings) -> dict[str, Any]:
    """Decomposed experiment → its recall drop over the seeds that the joint model was run with too, beside the claim.

    ``claimed``: whether the claim is about this model.
    """
    drops = {}
    for name in settings.decomposed:
        drop = results.drop(settings.baseline, name)
        judged = verdict(drop, settings.claimed_drop)
        seeds = len(results.pairs(settings.baseline, name, COMPARED))
        claim = {"claim": settings.claimed_drop, "held": judged == HELD, "verdict": judged}
        drops[name] = asdict(drop) | claim | {"seeds": seeds, "claimed": name in settings.claimed}
    return drops


def _entry(result: RetrievalResult) -> dict[str, Any]:
    summary = result.summary()
    kept = ("protocol", "n_images", "n_captions", "i2t", "t2i", "mean_recall", "rsum", "intervals")
    return {name: summary[name] for name in kept}
