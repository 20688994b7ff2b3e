"""Files of results → ``RunReport``: the one place where what is shown of a run is read and computed. Needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vldeformer.errors import InputError
from vldeformer.evaluation.measured_files import Speed, read_measured
from vldeformer.evaluation.measures import mean_recall
from vldeformer.evaluation.over_seeds import SeedEstimate
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.evaluation.run_facts import COMPARED, AblationResult, Choice, Drop, Model, Number, Published, Recall
from vldeformer.evaluation.run_report import RunReport
from vldeformer.report.compositional import CompositionalSet
from vldeformer.report.journals import training
from vldeformer.report.measured import Measured
from vldeformer.report.peers import read_published
from vldeformer.report.reranking import read_reranking
from vldeformer.report.results import Pairs, ResultSet, difference, mean_of
from vldeformer.report.settings import Ablation, AblationRow, ReportSettings

Trivial = tuple[str | None, SeedEstimate | None]
"""The best trivial baseline, and the joint model's mean recall minus its own; (None, None): none was run."""
CURVE_CUTOFFS = range(1, 21)


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
    report = RunReport(
        **_facts(settings, found, CompositionalSet.load(compositional), settings.published_protocols),
        speed=measured,
        speed_file=speed.as_posix(),
        reranking=None if rerank is None else read_reranking(rerank, found.need(settings.baseline, COMPARED), measured),
        published=_published(settings, published),
        published_protocols=tuple(settings.published_protocols),
        counterparts=settings.counterparts,
        training=tuple(training(name, path) for name, path in journals.items()),
    )
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
    main = Number(value=dual, files=(speed.as_posix(),), key="dual_seconds")
    made = []
    for name, ablation in settings.ablations.items():
        timed = any(row.experiment in measured.seconds for row in ablation.rows)
        seconds = {**measured.seconds, settings.main: main} if timed else {}
        made.append(ablation_result(name, ablation, settings.titles, replace(measured, seconds=seconds)))
    facts = _facts(settings, measured.results, measured.composed, ())
    return RunReport(**facts, ablations=tuple(made), records=dict(measured.records))


def _facts(settings: ReportSettings, results: ResultSet, composed: CompositionalSet, protocols: Sequence[str]) -> dict[str, Any]:
    """What both records hold."""
    shown = [result for protocol in (COMPARED, "test", *protocols) for result in results.ordered(settings.titles, protocol)]
    trivial = _best_trivial(settings, results)
    return {
        "dataset": results.dataset,
        "main": settings.main,
        "baseline": settings.baseline,
        "confidence": shown[0].bootstrap.confidence,
        "claimed_drop": settings.claimed_drop,
        "claimed_speedup": settings.claimed_speedup,
        "models": tuple(Model(experiment=name, title=title) for name, title in settings.titles.items()),
        "recalls": tuple(_recall(result, results) for result in shown),
        "drops": tuple(_drop(name, settings, results, trivial) for name in settings.decomposed),
        "compositional": tuple(composed.facts(name) for name in settings.titles if name in composed.results),
    }


def _recall(result: RetrievalResult, results: ResultSet) -> Recall:
    ranks = result.ranks
    i2t, t2i = (tuple(100 * float((own <= k).mean()) for k in CURVE_CUTOFFS) for own in (ranks.i2t, ranks.t2i))
    return Recall(
        experiment=result.experiment,
        protocol=result.protocol,
        n_images=len(result.image_ids),
        n_captions=len(result.caption_ids),
        i2t=result.i2t,
        t2i=result.t2i,
        mean_recall=result.mean_recall,
        rsum=result.rsum,
        i2t_at=i2t,
        t2i_at=t2i,
        files=results.files([result]),
        place=results.place(result),
    )


def _drop(name: str, settings: ReportSettings, results: ResultSet, trivial: Trivial) -> Drop:
    pairs = results.pairs(settings.baseline, name, COMPARED)
    joint, dual = (mean_of(runs) for runs in zip(*pairs.values(), strict=True))
    return Drop(
        experiment=name,
        drop=difference(pairs),
        joint_mean_recall=joint.value,
        mean_recall=dual.value,
        seeds=len(pairs),
        claim=settings.claimed_drop,
        claimed=name in settings.claimed,
        trivial=trivial[0],
        over_trivial=trivial[1],
        files=results.files(result for pair in pairs.values() for result in pair),
    )


def _best_trivial(settings: ReportSettings, results: ResultSet) -> Trivial:
    """The trivial baseline with the highest mean recall, and the joint model's mean recall minus its own, in points."""
    if not settings.trivial:
        return None, None
    best = max(settings.trivial, key=lambda name: mean_of(list(results.runs(name, COMPARED).values())).value)
    return best, difference(results.pairs(settings.baseline, best, COMPARED))


def ablation_result(name: str, ablation: Ablation, titles: Mapping[str, str], measured: Measured) -> AblationResult:
    """The rows of an ablation in their order.

    Args:
        name: of the files.
        ablation: its settings.
        titles: experiment → title, for rows without their own.
        measured: of all experiments.

    Raises:
        InputError: an experiment was not evaluated under the ablation's protocol.

    """
    choices = tuple(_choice(row, ablation, titles, measured) for row in ablation.rows)
    described = ablation.model_dump(include={"title", "protocol", "axis", "logarithmic"})
    return AblationResult(name=name, choices=choices, **described)


def _choice(row: AblationRow, ablation: Ablation, titles: Mapping[str, str], measured: Measured) -> Choice:
    results, reference = measured.results, ablation.reference_of(row)
    runs = list(results.runs(row.experiment, ablation.protocol).values())
    pairs: Pairs = {} if reference is None else results.pairs(row.experiment, reference, ablation.protocol)
    return Choice(
        experiment=row.experiment,
        title=row.title or titles[row.experiment],
        at=row.at,
        line=row.line,
        seeds=len(runs),
        mean_recall=mean_of(runs),
        reference=reference,
        gain=difference(pairs) if pairs else None,
        gain_by_seed={seed: mean_recall(own.ranks) - mean_recall(other.ranks) for seed, (own, other) in pairs.items()},
        compositional=measured.composed.accuracy(row.experiment),
        compositional_gain=measured.composed.gain(row.experiment, reference),
        seconds=measured.seconds.get(row.experiment),
        files=results.files([*runs, *(other for _, other in pairs.values())]),
        place=results.place(runs[0]),
    )


def _published(settings: ReportSettings, path: Path | None) -> tuple[Published, ...]:
    """Published models under the protocols that the settings name."""
    protocols = settings.published_protocols
    if not protocols:
        return ()
    if path is None:
        raise InputError("report.published_protocols needs --published config/published.csv")
    found = tuple(one for one in read_published(path) if one.protocol in protocols)
    for protocol in protocols:
        if protocol not in {one.protocol for one in found}:
            raise InputError(f"report.published_protocols: nothing is published under {protocol!r}; add a row or leave it out")
    for experiment, model in settings.counterparts.items():
        if model not in {one.model for one in found}:
            raise InputError(f"report.counterparts.{experiment}: expected a published model of these protocols, got {model!r}")
    return found
