"""Files of results → ``RunReport``: the one place where what is shown of a run is read and computed. Needs no torch."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vldeformer.errors import InputError
from vldeformer.evaluation.measures import Estimate, mean_recall
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.evaluation.run_report import (
    COMPARED,
    AblationResult,
    Choice,
    Drop,
    Model,
    Number,
    Recall,
    RunReport,
    Speed,
    Training,
    read_measured,
)
from vldeformer.report.claims import verdict
from vldeformer.report.compositional import CompositionalSet
from vldeformer.report.journals import curve, read_journal
from vldeformer.report.measured import Measured
from vldeformer.report.peers import read_published
from vldeformer.report.reranking import read_reranking
from vldeformer.report.results import ResultSet
from vldeformer.report.settings import Ablation, AblationRow, ReportSettings

CURVE_CUTOFFS = range(1, 21)
DRAWN_STEPS = 300


def run_report(
    settings: ReportSettings,
    results: Sequence[Path],
    speed: Path,
    journals: Mapping[str, Path],
    published: Path | None,
    compositional: Sequence[Path],
    rerank: Path | None,
) -> RunReport:
    """The record of the main run.

    Args:
        settings: section ``report``.
        results: RESULT.json files of one data set.
        speed: speed.json.
        journals: experiment → journal.jsonl.
        published: published.csv; needed if the settings name ``published_protocols``.
        compositional: results of the compositional test.
        rerank: folder of re-ranked results, one for each depth; None: none.

    Raises:
        InputError: a file is missing or wrong, or files do not belong to one run.

    """
    found, measured = ResultSet.load(results), read_measured(speed, Speed, "speed")
    if settings.published_protocols and published is None:
        raise InputError("report.published_protocols needs --published config/published.csv")
    peers = read_published(published) if published is not None and settings.published_protocols else ()
    report = RunReport(
        **_facts(settings, found, CompositionalSet(compositional), settings.published_protocols),
        speed=measured,
        speed_file=speed.as_posix(),
        reranking=None if rerank is None else read_reranking(rerank, found.need(settings.baseline, COMPARED), measured),
        published=tuple(peer for peer in peers if peer.protocol in settings.published_protocols),
        published_protocols=tuple(settings.published_protocols),
        counterparts=settings.counterparts,
        training=tuple(training(name, path) for name, path in journals.items()),
    )
    _check_published(report)
    report.main_drop()
    return report


def ablations_report(settings: ReportSettings, measured: Measured, speed: Path) -> RunReport:
    """The record of the ablations.

    Args:
        settings: section ``report``.
        measured: of all experiments, those of the ablations and of the target ``all``.
        speed: speed.json.

    Raises:
        InputError: speed.json is missing or wrong, or a result that a table needs is missing.

    """
    dual = read_measured(speed, Speed, "speed").dual_seconds
    seconds = {**measured.seconds, settings.main: Number(value=dual, files=(speed.as_posix(),), key="dual_seconds")}
    made = []
    for name, ablation in settings.ablations.items():
        timed = seconds if any(row.experiment in measured.seconds for row in ablation.rows) else {}
        made.append(ablation_result(name, ablation, measured.results, settings.titles, measured.composed, timed))
    facts = _facts(settings, measured.results, measured.composed, ())
    return RunReport(**facts, ablations=tuple(made), records=dict(measured.records))


def _facts(settings: ReportSettings, results: ResultSet, composed: CompositionalSet, protocols: Sequence[str]) -> dict[str, Any]:
    """What both records hold."""
    measured = [result for protocol in (COMPARED, "test", *protocols) for result in results.ordered(settings.titles, protocol)]
    return {
        "dataset": results.dataset,
        "main": settings.main,
        "baseline": settings.baseline,
        "confidence": measured[0].bootstrap.confidence,
        "claimed_drop": settings.claimed_drop,
        "claimed_speedup": settings.claimed_speedup,
        "models": tuple(Model(experiment=name, title=title) for name, title in settings.titles.items()),
        "recalls": tuple(_recall(result, results) for result in measured),
        "drops": tuple(_drop(name, settings, results) for name in settings.decomposed),
        "compositional": tuple(composed.facts(name) for name in settings.titles if name in composed.results),
    }


def _recall(result: RetrievalResult, results: ResultSet) -> Recall:
    ranks = result.ranks
    i2t, t2i = ([100 * float((own <= k).mean()) for k in CURVE_CUTOFFS] for own in (ranks.i2t, ranks.t2i))
    return Recall(
        experiment=result.experiment,
        protocol=result.protocol,
        n_images=len(result.image_ids),
        n_captions=len(result.caption_ids),
        i2t=result.i2t,
        t2i=result.t2i,
        mean_recall=result.mean_recall,
        rsum=result.rsum,
        i2t_at=tuple(i2t),
        t2i_at=tuple(t2i),
        files=results.files([result]),
        place=results.place(result),
    )


def _drop(name: str, settings: ReportSettings, results: ResultSet) -> Drop:
    pairs = results.pairs(settings.baseline, name, COMPARED)
    joint, dual = (results.mean(side) for side in zip(*pairs.values(), strict=True))
    drop = results.drop(settings.baseline, name)
    return Drop(
        experiment=name,
        drop=drop,
        joint_mean_recall=joint.value,
        mean_recall=dual.value,
        seeds=len(pairs),
        claim=settings.claimed_drop,
        verdict=verdict(drop, settings.claimed_drop),
        claimed=name in settings.claimed,
        files=results.files([result for pair in pairs.values() for result in pair]),
    )


def ablation_result(
    name: str,
    ablation: Ablation,
    results: ResultSet,
    titles: Mapping[str, str],
    composed: CompositionalSet,
    seconds: Mapping[str, Number],
) -> AblationResult:
    """The rows of an ablation in their order.

    Args:
        name: of the files.
        ablation: its settings.
        results: of all experiments.
        titles: experiment → title, for rows without their own.
        composed: results of the compositional test.
        seconds: experiment → time for the whole test set.

    Raises:
        InputError: an experiment was not evaluated under the ablation's protocol.

    """
    choices = []
    for row in ablation.rows:
        measured = _choice(row, ablation, results)
        test = composed.accuracy(row.experiment), composed.gain(row.experiment, ablation.reference_of(row))
        others = {"compositional": test[0], "compositional_gain": test[1], "seconds": seconds.get(row.experiment)}
        choices.append(Choice(title=row.title or titles[row.experiment], **measured, **others))
    return AblationResult(
        name=name,
        title=ablation.title,
        protocol=ablation.protocol,
        axis=ablation.axis,
        logarithmic=ablation.logarithmic,
        choices=tuple(choices),
    )


def _choice(row: AblationRow, ablation: Ablation, results: ResultSet) -> dict[str, Any]:
    runs, reference = results.runs(row.experiment, ablation.protocol), ablation.reference_of(row)
    used, gain = list(runs.values()), None
    each: dict[int, float] = {}
    if reference is not None:
        pairs = results.pairs(row.experiment, reference, ablation.protocol)
        gain = results.difference(row.experiment, reference, ablation.protocol)
        each = {seed: mean_recall(own.ranks) - mean_recall(other.ranks) for seed, (own, other) in pairs.items()}
        used += [other for _, other in pairs.values()]
    mean: Estimate = results.mean(list(runs.values()))
    return {
        "experiment": row.experiment,
        "at": row.at,
        "line": row.line,
        "seeds": len(runs),
        "mean_recall": mean,
        "reference": reference,
        "gain": gain,
        "gain_by_seed": each,
        "files": results.files(used),
        "place": results.place(used[0]),
    }


def training(experiment: str, journal: Path) -> Training:
    """The curves of a training journal. Raises InputError as ``read_journal`` does."""
    lines = read_journal(journal)
    (steps, losses), (val_steps, recalls) = curve(lines, "loss"), curve(lines, "val_mean_recall")
    return Training(
        experiment=experiment,
        steps=thinned(steps),
        losses=thinned(losses),
        val_steps=tuple(val_steps),
        val_recalls=tuple(recalls),
    )


def thinned(values: Sequence[float]) -> tuple[float, ...]:
    """Means of neighbours, at most ``DRAWN_STEPS`` of them: a journal has a line for every step."""
    size = math.ceil(len(values) / DRAWN_STEPS) or 1
    groups = [values[first : first + size] for first in range(0, len(values), size)]
    return tuple(sum(group) / len(group) for group in groups)


def _check_published(report: RunReport) -> None:
    for protocol in report.published_protocols:
        if protocol not in {one.protocol for one in report.published}:
            raise InputError(f"report.published_protocols: nothing is published under {protocol!r}; add a row or leave it out")
    models = {one.model for one in report.published}
    for experiment, model in report.counterparts.items():
        if report.published_protocols and model not in models:
            raise InputError(f"report.counterparts.{experiment}: expected a published model of these protocols, got {model!r}")
