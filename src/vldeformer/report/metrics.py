"""metrics.json: every model's recalls and the recall drop, with nothing in it that differs between two equal runs."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from vldeformer.artifact import write_json
from vldeformer.errors import InputError
from vldeformer.evaluation.measures import Estimate, recall_drop
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.section import Section

COMPARED = "subset"  # the protocol that every model, the joint one included, is judged by


class Effect(Section):
    """What one choice does: experiments with it against experiments without it, paired by position, e.g. by their seed."""

    title: str = Field(description="what tables call it")
    of: list[str] = Field(description="experiments with the choice")
    against: list[str] = Field(description="the same without it, in the same order")

    @model_validator(mode="after")
    def _paired(self) -> "Effect":
        if len(self.of) != len(self.against):
            raise ValueError(
                f"`of` names {len(self.of)} experiments and `against` {len(self.against)}; they are paired by position"
            )
        return self


class ReportSettings(Section):
    """What the tables compare, and what they call it."""

    titles: dict[str, str] = Field(description="experiment name → what tables and figures call it, in the order of the rows")
    baseline: str = Field(description="experiment from which the recall drop is counted (the joint model)")
    main: str = Field(description="experiment whose recall drop and speed-up are the headline")
    decomposed: list[str] = Field(description="experiments whose recall drop is reported, `main` among them")
    effects: list[Effect] = Field(description="choices whose gain in mean recall is reported, as a mean over their pairs")
    published_protocols: list[str] = Field(
        description="protocols of config/published.csv, e.g. coco-5k, under which models stand beside published ones; []: none do"
    )
    counterparts: dict[str, str] = Field(
        description="experiment → published model from whose recalls the experiment's difference is counted"
    )
    claimed_drop: float = Field(gt=0, description="published bound of the average recall drop, in points")
    claimed_speedup: float = Field(gt=0, description="published speed-up of the decomposed over the joint model, in times")


class ResultSet:
    """The results of one dataset, by experiment and protocol. Raises InputError if they are of different datasets or repeat."""

    def __init__(self, results: Iterable[RetrievalResult]) -> None:
        self._results: dict[tuple[str, str], RetrievalResult] = {}
        for result in results:
            key = (result.experiment, result.protocol)
            if key in self._results:
                raise InputError(f"experiment {key[0]!r} has two results under protocol {key[1]!r}; give one")
            self._results[key] = result
        datasets = sorted({result.dataset for result in self._results.values()})
        if len(datasets) != 1:
            raise InputError(f"expected the results of one dataset, got {', '.join(datasets) or 'none'}")
        self.dataset = datasets[0]

    @classmethod
    def load(cls, paths: Sequence[Path]) -> "ResultSet":
        """Read RESULT.json files."""
        return cls(RetrievalResult.load(path) for path in paths)

    def get(self, experiment: str, protocol: str) -> RetrievalResult | None:
        """That result, or None."""
        return self._results.get((experiment, protocol))

    def need(self, experiment: str, protocol: str) -> RetrievalResult:
        """That result. Raises InputError if there is none."""
        result = self.get(experiment, protocol)
        if result is None:
            raise InputError(
                f"{self.dataset}: no result of experiment {experiment!r} under protocol {protocol!r}; evaluate it first"
            )
        return result

    def ordered(self, titles: dict[str, str], protocol: str) -> list[RetrievalResult]:
        """Those under ``protocol`` in the order of ``titles``. Raises InputError if an experiment has no title."""
        missing = sorted({experiment for experiment, _ in self._results} - set(titles))
        if missing:
            raise InputError(f"experiment {missing[0]!r} has no title; add it to the setting `report.titles`")
        return [result for name in titles if (result := self.get(name, protocol))]

    def drop(self, baseline: str, model: str) -> Estimate:
        """Mean recall of ``baseline`` less that of ``model``, in points. Raises InputError if their pairs differ."""
        first, second = self.need(baseline, COMPARED), self.need(model, COMPARED)
        if (first.image_ids, first.caption_ids) != (second.image_ids, second.caption_ids):
            raise InputError(
                f"{self.dataset}: {baseline!r} and {model!r} were scored on different pairs; score both on the same images"
            )
        return recall_drop([(first.ranks, second.ranks)], first.caption_image_index, first.bootstrap)

    def gain(self, effect: Effect) -> Estimate:
        """Mean over the pairs of an effect of the gain in mean recall on the whole test set, in points."""
        pairs = [
            (self.need(model, "test"), self.need(other, "test")) for model, other in zip(effect.of, effect.against, strict=True)
        ]
        first = pairs[0][0]
        if any(result.caption_ids != first.caption_ids for pair in pairs for result in pair):
            raise InputError(f"{self.dataset}: the experiments of effect {effect.title!r} were judged on different captions")
        return recall_drop([(model.ranks, other.ranks) for model, other in pairs], first.caption_image_index, first.bootstrap)


def verdict(drop: Estimate, claim: float) -> str:
    """``held`` if the whole interval lies below the claim, ``not held`` if it lies above, else ``undecided``."""
    if drop.high < claim:
        return "held"
    return "not held" if drop.low >= claim else "undecided"


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
    drops = {name: _drop(results.drop(settings.baseline, name), settings) for name in settings.decomposed}
    if settings.main not in drops:
        raise InputError(f"report.main is {settings.main!r}, expected one of report.decomposed ({', '.join(drops)})")
    return {
        "dataset": results.dataset,
        "models": models,
        "recall_drop": drops[settings.main] | {"baseline": settings.baseline, "model": settings.main, "protocol": COMPARED},
        "recall_drops": drops,
        "effects": [
            {"title": effect.title, "of": effect.of, "against": effect.against} | asdict(results.gain(effect))
            for effect in settings.effects
        ],
    }


def _entry(result: RetrievalResult) -> dict[str, Any]:
    summary = result.summary()
    kept = ("protocol", "n_images", "n_captions", "i2t", "t2i", "mean_recall", "rsum", "intervals")
    return {name: summary[name] for name in kept}


def _drop(drop: Estimate, settings: ReportSettings) -> dict[str, Any]:
    judged = verdict(drop, settings.claimed_drop)
    return asdict(drop) | {"claim": settings.claimed_drop, "held": judged == "held", "verdict": judged}
