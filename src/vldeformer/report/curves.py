"""Figures of ablations: recall along an axis, and accuracy against what a pair costs."""

from collections.abc import Sequence
from pathlib import Path

from vldeformer.evaluation.measures import Estimate
from vldeformer.report.ablations import Judged, Quantity
from vldeformer.report.drawing import drawing, error_bars, series, times_on
from vldeformer.report.settings import Ablation


def save_ablation_curve(stem: Path, ablation: Ablation, judged: Sequence[Judged]) -> None:
    """Mean recall with intervals against the axis, one line for each name of a line. Writes STEM.svg and STEM.png."""
    placed = [one for one in judged if one.row.at is not None]
    with drawing(stem, width=7.2, height=4.4) as (figure, (axes,)):
        for number, line in enumerate(dict.fromkeys(one.row.line for one in placed)):
            points = sorted((one for one in placed if one.row.line == line), key=lambda one: one.row.at or 0.0)
            means = [one.mean for one in points]
            axes.errorbar(
                [one.row.at or 0.0 for one in points],
                [mean.value for mean in means],
                yerr=error_bars(means),
                capsize=3,
                label=line,
                **series(number),
            )
        if ablation.logarithmic:
            axes.set_xscale("log")
        places = sorted({one.row.at or 0.0 for one in placed})
        axes.set_xticks(places, [f"{place:,g}" for place in places])
        axes.set_xticks([], minor=True)
        axes.set_xlabel(ablation.axis or "")
        axes.set_ylabel("Mean of the six recalls (%)")
        axes.set_title(ablation.title)
        if any(one.row.line for one in placed):
            figure.legend(loc="outside lower center", ncols=3)


def save_cost(stem: Path, ablation: Ablation, judged: Sequence[Judged], cost: Quantity) -> None:
    """Mean recall with intervals against the time for the whole test set (logarithmic). Writes STEM.svg and STEM.png."""
    found = [(one, cost.of[one.row.experiment].value) for one in judged if one.row.experiment in cost.of]
    costs = [(one, seconds) for one, seconds in found if not isinstance(seconds, Estimate)]
    with drawing(stem, width=7.2, height=4.4) as (figure, (axes,)):
        for number, (one, seconds) in enumerate(costs):
            axes.errorbar([seconds], [one.mean.value], yerr=error_bars([one.mean]), capsize=3, label=one.title, **series(number))
        axes.set_xscale("log")
        times_on(axes.xaxis)
        axes.margins(x=0.1, y=0.1)
        axes.set_xlabel("Time for the whole test set (extrapolated)")
        axes.set_ylabel("Mean of the six recalls (%)")
        axes.set_title(f"{ablation.title}: accuracy against cost")
        if costs:
            figure.legend(loc="outside lower center", ncols=2)
