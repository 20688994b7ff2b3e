"""The figures of recall and of training that every run has."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vldeformer.evaluation.measures import RECALLS
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.report.drawing import COLOURS, GREY, MARKERS, Panel, drawing, error_bars
from vldeformer.report.journals import curve, read_journal
from vldeformer.report.results import COMPARED, ResultSet
from vldeformer.report.settings import ReportSettings

DRAWN_STEPS = 300


def save_recalls(stem: Path, results: ResultSet, settings: ReportSettings) -> None:
    """The six recalls of every experiment on the pairs that all share, with intervals. Writes STEM.svg and STEM.png."""
    chosen = results.ordered(settings.titles, COMPARED)
    with drawing(stem, width=10, height=1.9 + 0.33 * len(chosen), columns=2) as (figure, (left, right)):
        for axes, title, direction in ((left, "Image to text", "i2t"), (right, "Text to image", "t2i")):
            _recall_panel(axes, chosen, direction)
            axes.set_title(title)
            axes.set_yticks(range(len(chosen)), [settings.titles[result.experiment] for result in chosen])
        right.tick_params(labelleft=False)
        beside: dict[str, Any] = {
            "xycoords": ("axes fraction", "data"),
            "textcoords": "offset points",
            "va": "center",
            "annotation_clip": False,
        }
        for row, result in enumerate(chosen):
            right.annotate(f"{result.mean_recall.value:.1f}", (1, row), (34, 0), ha="right", weight="bold", **beside)
        right.annotate("mean\nof six", (1, -0.5), (34, 11), ha="right", color=GREY, fontsize=9, **beside)
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(RECALLS))
        first = chosen[0]
        figure.suptitle(
            f"Recall on {results.dataset}: {len(first.image_ids):,} images, {len(first.caption_ids):,} captions, "
            f"bars are {first.bootstrap.confidence:.0%} intervals",
            fontsize=11,
        )


def _recall_panel(axes: Panel, results: Sequence[RetrievalResult], direction: str) -> None:
    for number, name in enumerate(RECALLS):
        estimates = [(result.i2t if direction == "i2t" else result.t2i)[name] for result in results]
        values = [estimate.value for estimate in estimates]
        heights = [row + 0.2 * (number - 1) for row in range(len(results))]
        look: dict[str, Any] = {"marker": MARKERS[number], "linestyle": "none", "markersize": 6, "elinewidth": 2.5}
        axes.errorbar(values, heights, xerr=error_bars(estimates), label=name, color=COLOURS[number], **look)
    axes.set_xlim(-2, 102)
    axes.set_ylim(len(results) - 0.5, -0.5)
    axes.set_xlabel("Recall (%)")
    axes.grid(visible=False, axis="y")
    for row in range(1, len(results)):
        axes.axhline(row - 0.5, color="#e3e5e8", linewidth=0.8)
    axes.tick_params(axis="y", length=0)


def save_training_curves(stem: Path, journals: Mapping[str, Path]) -> None:
    """Loss, and mean recall on the validation split, against the step, one line a title. Writes STEM.svg and STEM.png."""
    with drawing(stem, width=10, height=4.2, columns=2) as (figure, (left, right)):
        for number, (title, path) in enumerate(journals.items()):
            lines = read_journal(path)
            colour = COLOURS[number % len(COLOURS)]
            steps, losses = curve(lines, "loss")
            drawn, values = thinned(steps), thinned(losses)
            left.plot(drawn, values, color=colour, alpha=0.25, linewidth=1)
            left.plot(drawn, smoothed(values), color=colour)
            right.plot(*curve(lines, "val_mean_recall"), color=colour, marker=MARKERS[number % len(MARKERS)], label=title)
        left.set_title("Training (bold: smoothed)")
        left.set_ylabel("Loss of the run's own objective")
        left.set_ylim(bottom=0)
        right.set_title("Validation (joint models on fewer images)")
        right.set_ylabel("Mean of the six recalls (%)")
        right.set_ylim(0, 102)
        for axes in (left, right):
            axes.set_xlabel("Step")
            axes.set_xlim(left=0)
        figure.legend(loc="outside lower center", ncols=min(3, max(1, len(journals))))


def thinned(values: Sequence[float]) -> list[float]:
    """Means of neighbours, so that no more than ``DRAWN_STEPS`` are left: a journal has a line for every step."""
    size = math.ceil(len(values) / DRAWN_STEPS) or 1
    groups = [values[first : first + size] for first in range(0, len(values), size)]
    return [sum(group) / len(group) for group in groups]


def smoothed(values: Sequence[float]) -> list[float]:
    """Mean of each value and its neighbours, a fortieth of the curve to either side."""
    reach = len(values) // 40
    windows = [values[max(0, middle - reach) : middle + reach + 1] for middle in range(len(values))]
    return [sum(window) / len(window) for window in windows]
