"""The figures that every run has, as SVG and PNG with the same bytes for the same numbers; the one file that knows matplotlib.

Colours are Okabe and Ito's, told apart by readers with any colour vision, and each comes with a marker of its own.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from vldeformer.artifact import whole_file
from vldeformer.errors import InputError
from vldeformer.evaluation.measures import RECALLS
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.report.rerank import Reranked, query_seconds
from vldeformer.report.results import COMPARED, ResultSet
from vldeformer.report.settings import ReportSettings
from vldeformer.report.speed import Speed

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DRAWN_STEPS = 300
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
GREY = "#5f6368"
STYLE: Any = {  # a plain dictionary; matplotlib's type for it spells out every key there is
    "svg.hashsalt": "vldeformer",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e3e5e8",
    "grid.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
    "legend.frameon": False,
    "lines.linewidth": 2,
}


def save_recalls(stem: Path, results: ResultSet, settings: ReportSettings) -> None:
    """The six recalls of every experiment on the pairs that all share, with intervals. Writes STEM.svg and STEM.png."""
    chosen = results.ordered(settings.titles, COMPARED)
    with matplotlib.rc_context(STYLE):
        figure, (left, right) = _figure(width=10, height=1.9 + 0.33 * len(chosen), columns=2)
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
        _save(figure, stem)


def _recall_panel(axes: Axes, results: Sequence[RetrievalResult], direction: str) -> None:
    for number, name in enumerate(RECALLS):
        estimates = [(result.i2t if direction == "i2t" else result.t2i)[name] for result in results]
        values = [estimate.value for estimate in estimates]
        heights = [row + 0.2 * (number - 1) for row in range(len(results))]
        below = [estimate.value - estimate.low for estimate in estimates]
        above = [estimate.high - estimate.value for estimate in estimates]
        look: dict[str, Any] = {"marker": MARKERS[number], "linestyle": "none", "markersize": 6, "elinewidth": 2.5}
        axes.errorbar(values, heights, xerr=[below, above], label=name, color=COLOURS[number], **look)
    axes.set_xlim(-2, 102)
    axes.set_ylim(len(results) - 0.5, -0.5)
    axes.set_xlabel("Recall (%)")
    axes.grid(visible=False, axis="y")
    for row in range(1, len(results)):
        axes.axhline(row - 0.5, color="#e3e5e8", linewidth=0.8)
    axes.tick_params(axis="y", length=0)


def save_training_curves(stem: Path, journals: Mapping[str, Path]) -> None:
    """Loss, and mean recall on the validation split, against the step, one line a title. Writes STEM.svg and STEM.png."""
    with matplotlib.rc_context(STYLE):
        figure, (left, right) = _figure(width=10, height=4.2, columns=2)
        for number, (title, path) in enumerate(journals.items()):
            lines = read_journal(path)
            colour = COLOURS[number % len(COLOURS)]
            losses = [(line["step"], line["loss"]) for line in lines if "loss" in line]
            recalls = [(line["step"], line["val_mean_recall"]) for line in lines if "val_mean_recall" in line]
            steps, values = _thinned([step for step, _ in losses]), _thinned([loss for _, loss in losses])
            left.plot(steps, values, color=colour, alpha=0.25, linewidth=1)
            left.plot(steps, _smoothed(values), color=colour)
            reached, means = [step for step, _ in recalls], [recall for _, recall in recalls]
            right.plot(reached, means, color=colour, marker=MARKERS[number % len(MARKERS)], label=title)
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
        _save(figure, stem)


def save_gallery_time(stem: Path, speed: Speed, settings: ReportSettings) -> None:
    """Time of one text query against the number of images, both axes logarithmic. Writes STEM.svg and STEM.png."""
    points = sorted(speed.gallery_curve, key=lambda point: point.n_images)
    sizes = [point.n_images for point in points]
    joint, dual = [point.joint_seconds_per_query for point in points], [point.dual_ms_per_query / 1000 for point in points]
    with matplotlib.rc_context(STYLE):
        figure, (axes,) = _figure(width=7.2, height=4.6, columns=1)
        joint_look: dict[str, Any] = {
            "color": COLOURS[1],
            "marker": MARKERS[1],
            "linestyle": (0, (4, 2)),
            "markerfacecolor": "white",
        }
        axes.plot(
            sizes,
            joint,
            label=f"{settings.titles[settings.baseline]}: extrapolated from {speed.sampled_pairs:,} pairs",
            **joint_look,
        )
        axes.plot(sizes, dual, color=COLOURS[0], marker=MARKERS[0], label=f"{settings.titles[settings.main]}: {_how(points)}")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("Images in the gallery")
        axes.set_ylabel("Time of one text query")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _duration(value)))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_formatter(NullFormatter())
        if points:
            ratio = f"{joint[-1] / dual[-1]:,.0f} times"
            axes.annotate(
                "",
                (sizes[-1], dual[-1]),
                (sizes[-1], joint[-1]),
                arrowprops={"arrowstyle": "<->", "color": GREY, "shrinkA": 5, "shrinkB": 5},
            )
            middle = (joint[-1] * dual[-1]) ** 0.5
            axes.annotate(ratio, (sizes[-1], middle), (-6, 0), textcoords="offset points", ha="right", va="center", weight="bold")
        axes.set_title("One text query, images already embedded")
        figure.legend(loc="outside lower center")
        _save(figure, stem)


def save_rerank(stem: Path, found: Reranked, joint: RetrievalResult, speed: Speed, settings: ReportSettings) -> None:
    """Left: mean recall against the time of all queries, a point for each k; right: one text query against the gallery's size.

    Writes STEM.svg and STEM.png.
    """
    main, titles = found.main(), settings.titles
    with matplotlib.rc_context(STYLE):
        figure, (left, right) = _figure(width=10, height=4.6, columns=2)
        seconds = [found.seconds(depth, speed) for depth in found.measured.depths]
        means = [found.results[depth.k].mean_recall for depth in found.measured.depths]
        ends = [[mean.value - mean.low for mean in means], [mean.high - mean.value for mean in means]]
        look: dict[str, Any] = {"color": COLOURS[2], "marker": MARKERS[2]}
        left.errorbar(seconds, [mean.value for mean in means], yerr=ends, capsize=3, **look)
        for depth, x, mean in zip(found.measured.depths, seconds, means, strict=True):
            place: dict[str, Any] = {"textcoords": "offset points", "fontsize": 9, "color": GREY}
            left.annotate(f"{depth.k}", (x, mean.value), (6, -11), **place)
        own = joint.mean_recall
        ends = [[own.value - own.low], [own.high - own.value]]
        at = ([found.joint_seconds()], [own.value])
        left.errorbar(*at, yerr=ends, color=COLOURS[1], marker=MARKERS[1], capsize=3)
        left.axhline(own.value, color=COLOURS[1], linestyle=(0, (4, 2)), linewidth=1)
        left.set_xscale("log")
        left.set_xlabel(f"Time of all queries, {found.measured.n_images:,} images and {found.measured.n_captions:,} captions")
        left.set_ylabel("Mean of the six recalls (%)")
        left.set_title("Recall against time (number: candidates a query)")

        points = sorted(speed.gallery_curve, key=lambda point: point.n_images)
        sizes = [point.n_images for point in points]
        dashed: dict[str, Any] = {"linestyle": (0, (4, 2)), "markerfacecolor": "white"}
        joint_times = [found.joint_query_seconds(size) for size in sizes]
        right.plot(sizes, joint_times, color=COLOURS[1], marker=MARKERS[1], label=titles[settings.baseline], **dashed)
        both = [query_seconds(main, point) for point in points]
        right.plot(sizes, both, label=f"Re-ranked, {main.k} candidates", **look, **dashed)
        dual = [point.dual_ms_per_query / 1e3 for point in points]
        right.plot(sizes, dual, color=COLOURS[0], marker=MARKERS[0], label=titles[settings.main])
        right.set_xscale("log")
        right.set_yscale("log")
        right.set_xlabel("Images in the gallery")
        right.set_title("One text query (dashed: extrapolated)")
        right.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        for axis in (left.xaxis, right.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: _duration(value)))
        for axis in (left.xaxis, right.xaxis, right.yaxis):
            axis.set_minor_formatter(NullFormatter())
        figure.legend(loc="outside lower center", ncols=3)
        _save(figure, stem)


@contextmanager
def drawing(stem: Path, width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure of one panel, in inches, to draw into; afterwards STEM.svg and STEM.png are written."""
    with matplotlib.rc_context(STYLE):
        figure, (axes,) = _figure(width, height, columns=1)
        yield figure, axes
        _save(figure, stem)


def read_journal(path: Path) -> list[dict[str, Any]]:
    """The lines of a training journal. Raises InputError naming file and line if it is missing or a line is not a JSON object."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: expected a training journal, found no file; train first") from None
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            value = json.loads(line)
        except json.JSONDecodeError:
            value = None
        if not isinstance(value, dict) or "step" not in value:
            raise InputError(f"{path}, line {number}: expected a JSON object with `step`, got {line[:60]!r}; it may be cut short")
        lines.append(value)
    return lines


def _figure(width: float, height: float, columns: int) -> tuple[Figure, tuple[Axes, ...]]:
    """A figure of its own, in inches: nothing is registered with pyplot, so nothing leaks from one to the next."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, tuple(figure.add_subplot(1, columns, column + 1) for column in range(columns))


def _save(figure: Figure, stem: Path) -> None:
    for suffix, metadata in (("svg", {"Date": None, "Creator": None}), ("png", {"Software": None})):
        with whole_file(stem.with_name(f"{stem.name}.{suffix}")) as temporary:
            figure.savefig(temporary, format=suffix, metadata=metadata, dpi=160)


def _thinned(values: Sequence[float]) -> list[float]:
    """Means of neighbours, so that no more than ``DRAWN_STEPS`` are left: a journal has a line for every step."""
    size = math.ceil(len(values) / DRAWN_STEPS) or 1
    groups = [values[first : first + size] for first in range(0, len(values), size)]
    return [sum(group) / len(group) for group in groups]


def _smoothed(values: Sequence[float]) -> list[float]:
    """Mean of each value and its neighbours, a fortieth of the curve to either side."""
    reach = len(values) // 40
    windows = [values[max(0, middle - reach) : middle + reach + 1] for middle in range(len(values))]
    return [sum(window) / len(window) for window in windows]


def _how(points: Sequence[Any]) -> str:
    return "measured" if all(point.measured for point in points) else "measured in part, else extrapolated"


def _duration(seconds: float) -> str:
    """A power of ten in the unit that suits: 100 µs, 10 ms, 1,000 s."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size * 0.999:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds * 1e6:,.3g} µs"
