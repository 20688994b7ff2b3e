"""Figures of ablations: recall along an axis, and accuracy against what a pair costs."""

from collections.abc import Sequence
from pathlib import Path

from vldeformer.evaluation.measures import Estimate
from vldeformer.report.ablations import Judged, Quantity
from vldeformer.report.drawing import COLOURS, GREY, MARKERS, drawing, error_bars
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
                color=COLOURS[number % len(COLOURS)],
                marker=MARKERS[number % len(MARKERS)],
                capsize=3,
                label=line,
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
    """Mean recall with intervals against the seconds of the whole test set (logarithmic). Writes STEM.svg and STEM.png."""
    with drawing(stem, width=7.2, height=4.4) as (_, (axes,)):
        for one in judged:
            found = cost.of.get(one.row.experiment)
            if found is None or isinstance(found.value, Estimate):
                continue
            axes.errorbar(
                [found.value], [one.mean.value], yerr=error_bars([one.mean]), color=COLOURS[0], marker=MARKERS[0], capsize=3
            )
            place = (found.value, one.mean.value)
            axes.annotate(one.title, place, (7, 7), textcoords="offset points", color=GREY, fontsize=9)
        axes.set_xscale("log")
        axes.margins(x=0.3, y=0.2)
        axes.set_xlabel("Time for the whole test set (s, extrapolated)")
        axes.set_ylabel("Mean of the six recalls (%)")
        axes.set_title(f"{ablation.title}: accuracy against cost")
