"""The figures of the page: the same facts as the report's, in panels narrow enough for a phone, in the page's own colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vldeformer.evaluation.measures import RECALLS, Estimate
from vldeformer.report.drawing import (
    COLOURS,
    INK,
    MARKERS,
    MUTED,
    PAPER,
    Panel,
    counts_on,
    error_bars,
    number_points,
    page_svg,
    series,
    times_on,
)
from vldeformer.report.figures import smoothed, thinned
from vldeformer.report.journals import curve, read_journal
from vldeformer.report.settings import Ablation
from vldeformer.report.speed import Speed

DASHED: Any = {"linestyle": (0, (4, 2))}


@dataclass(frozen=True)
class Figure:
    """``svg``: markup that was made here; ``caption``: what is drawn, in which unit."""

    svg: str
    caption: str


def recall_figures(rows: Sequence[Mapping[str, str]]) -> list[Figure]:
    """R@1, R@5 and R@10 with intervals of rows of the table of recall, a figure for each direction."""
    made = []
    for way, title in (("i2t", "Image to text"), ("t2i", "Text to image")):

        def draw(axes: Panel, way: str = way, title: str = title) -> None:
            for number, name in enumerate(RECALLS):
                points = [_estimate(row, f"{way}_{name}") for row in rows]
                heights = [place + 0.14 * (number - 1) + 0.2 for place in range(len(rows))]
                look: Any = series(number) | {"linestyle": "none", "markersize": 5}
                _errors(axes, points, heights, label=name, **look)
            _names(axes, [row["model"] for row in rows])
            axes.set_xlim(-2, 102)
            axes.set_xlabel("Recall (%), bars: 95 % intervals")
            axes.set_title(title)
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.09 - 0.5 / max(len(rows), 1)), ncols=3)

        said = "; ".join(f"{row['model']}: R@1 {float(row[f'{way}_R@1']):.1f} %" for row in rows)
        svg = page_svg(f"recall-{way}", f"{title}. {said}", 1.5 + 0.5 * len(rows), draw)
        made.append(Figure(svg, f"{title}: recall at 1, 5 and 10 in percent."))
    return made


def drop_figure(rows: Sequence[Mapping[str, str]], claim: float) -> Figure:
    """Drop of mean recall with its interval, in points, beside the paper's bound."""
    points = [_estimate(row, "drop") for row in rows]

    def draw(axes: Panel) -> None:
        look: Any = {"color": COLOURS[0], "marker": MARKERS[0], "linestyle": "none", "markersize": 6}
        _errors(axes, points, [place + 0.2 for place in range(len(rows))], **look)
        axes.axvline(0, color=MUTED, linewidth=1)
        axes.axvline(claim, color=COLOURS[1], linewidth=1.5, **DASHED)
        axes.annotate(f"paper: below {claim:g}", (claim, -0.42), (5, 0), textcoords="offset points", color=COLOURS[1], fontsize=9)
        _names(axes, [row["model"] for row in rows])
        axes.set_xlabel("Drop against the joint model (points)")
        axes.set_title("Recall lost by decomposing")

    said = "; ".join(
        f"{row['model']}: {one.value:.2f} points, interval {one.low:.2f} to {one.high:.2f}"
        for row, one in zip(rows, points, strict=True)
    )
    svg = page_svg("drop", f"Recall lost. {said}", 1.1 + 0.5 * len(rows), draw)
    return Figure(svg, f"Drop of mean recall in points with 95 % intervals; the dashed line is the paper's bound, {claim:g}.")


def gallery_figure(speed: Speed, joint: str, dual: str) -> Figure:
    """Time of one text query against the number of images, both axes logarithmic."""
    points = sorted(speed.gallery_curve, key=lambda point: point.n_images)
    sizes = [point.n_images for point in points]

    def draw(axes: Panel) -> None:
        times = [point.joint_seconds_per_query for point in points]
        axes.plot(sizes, times, color=COLOURS[1], marker=MARKERS[1], label=f"{joint}, extrapolated", **DASHED)
        times = [point.dual_ms_per_query / 1e3 for point in points]
        axes.plot(sizes, times, color=COLOURS[0], marker=MARKERS[0], label=dual)
        _logarithmic(axes)
        axes.set_xlabel("Images in the gallery")
        axes.set_ylabel("Time of one text query")
        axes.set_title("One query, images already embedded")
        axes.legend(loc="upper left", fontsize=9)

    last = points[-1]
    ratio = 1e3 * last.joint_seconds_per_query / last.dual_ms_per_query
    alone = f"{last.dual_ms_per_query:.3g} ms decomposed, {ratio:,.0f} times less than jointly"
    said = f"With {last.n_images:,} images one query takes {alone}."
    return Figure(page_svg("gallery", said, 3.6, draw), said + " Both axes are logarithmic.")


def rerank_figure(rows: Sequence[Mapping[str, str]]) -> Figure:
    """Mean recall against the time of all queries, a point for each number of candidates, and the joint model."""
    depths, whole = [row for row in rows if row["k"]], [row for row in rows if not row["k"]]

    def draw(axes: Panel) -> None:
        for number, (label, chosen) in enumerate((("Re-ranked", depths), ("Joint, all pairs", whole))):
            points = [_estimate(row, "mean_recall") for row in chosen]
            look: Any = {"color": COLOURS[2 - number], "marker": MARKERS[2 - number], "label": label, "capsize": 3}
            axes.errorbar(
                [float(row["seconds"]) for row in chosen], [one.value for one in points], yerr=error_bars(points), **look
            )
        places = [(float(row["seconds"]), float(row["mean_recall"])) for row in depths]
        number_points(axes, [float(row["k"]) for row in depths], places, MUTED)
        axes.set_xscale("log")
        times_on(axes.xaxis)
        axes.set_xlabel("Time of all queries (logarithmic)")
        axes.set_ylabel("Mean of the six recalls (%)")
        axes.set_title("Recall against time (number: candidates)")
        axes.legend(loc="lower right", fontsize=9)

    said = "; ".join(
        f"{float(row['k']):g} candidates: {float(row['mean_recall']):.1f} % in {float(row['seconds']):.1f} s" for row in depths
    )
    return Figure(
        page_svg("rerank", f"Re-ranking. {said}", 3.6, draw), "Mean recall with 95 % intervals against the time of all queries."
    )


def training_figures(journals: Mapping[str, Path]) -> list[Figure]:
    """Loss, and mean recall on the validation split, against the step, one line for each title."""
    lines = {title: read_journal(path) for title, path in journals.items()}

    def losses(axes: Panel) -> None:
        for number, (title, journal) in enumerate(lines.items()):
            steps, values = curve(journal, "loss")
            axes.plot(thinned(steps), smoothed(thinned(values)), color=COLOURS[number % len(COLOURS)], label=title)
        axes.set_ylabel("Loss of the run's own objective")
        axes.set_ylim(bottom=0)
        axes.set_title("Training loss, smoothed")
        _stepped(axes, lines)

    def recalls(axes: Panel) -> None:
        for number, (title, journal) in enumerate(lines.items()):
            look: Any = series(number) | {"label": title}
            axes.plot(*curve(journal, "val_mean_recall"), **look)
        axes.set_ylabel("Mean of the six recalls (%)")
        axes.set_title("Recall on the validation split")
        _stepped(axes, lines)

    last = {title: curve(journal, "val_mean_recall")[1] for title, journal in lines.items()}
    said = "; ".join(f"{title}: {values[-1]:.1f} %" for title, values in last.items() if values)
    height = 3.4 + 0.2 * len(lines)
    return [
        Figure(
            page_svg("loss", "Loss against the step of each training.", height, losses),
            "Loss of each training; objectives differ, so compare a line with itself.",
        ),
        Figure(
            page_svg("validation", f"Validation recall at the end. {said}", height, recalls),
            "Mean recall on the validation split; joint models are judged on fewer images.",
        ),
    ]


def ablation_figure(name: str, ablation: Ablation, table: Sequence[Mapping[str, str]]) -> Figure:
    """Mean recall with intervals along the axis of an ablation, from the rows of its table."""
    rows = [row for row in table if row["at"]]

    def draw(axes: Panel) -> None:
        for number, line in enumerate(dict.fromkeys(row["line"] for row in rows)):
            chosen = sorted((row for row in rows if row["line"] == line), key=lambda row: float(row["at"]))
            points = [_estimate(row, "mean_recall") for row in chosen]
            look: Any = series(number) | {"capsize": 3, "label": line or None}
            axes.errorbar([float(row["at"]) for row in chosen], [one.value for one in points], yerr=error_bars(points), **look)
        if ablation.logarithmic:
            axes.set_xscale("log")
        places = sorted({float(row["at"]) for row in rows})
        axes.set_xticks(places, [f"{place:,g}" for place in places])
        axes.set_xticks([], minor=True)
        axes.set_xlabel(ablation.axis or "")
        axes.set_ylabel("Mean of the six recalls (%)")
        axes.set_title(ablation.title)
        if any(row["line"] for row in rows):
            axes.legend(loc="best", fontsize=9)

    said = "; ".join(f"{row['choice']}: {float(row['mean_recall']):.1f} %" for row in rows)
    return Figure(page_svg(f"ablation-{name}", f"{ablation.title}. {said}", 3.6, draw), "Mean recall with 95 % intervals.")


def _estimate(row: Mapping[str, str], name: str) -> Estimate:
    return Estimate(float(row[name]), float(row[f"{name}_low"]), float(row[f"{name}_high"]))


def _errors(axes: Panel, points: Sequence[Estimate], heights: Sequence[float], **look: Any) -> None:
    axes.errorbar([one.value for one in points], heights, xerr=error_bars(points), elinewidth=2, **look)


def _names(axes: Panel, names: Sequence[str]) -> None:
    """Each row's name above its points: beside them it would leave no room on a phone."""
    for place, name in enumerate(names):
        axes.annotate(
            name,
            (0, place - 0.22),
            (2, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            color=INK,
            va="center",
            fontsize=9,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1},
        )
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks([])
    axes.grid(visible=False, axis="y")


def _logarithmic(axes: Panel) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    counts_on(axes.xaxis)
    times_on(axes.yaxis)


def _stepped(axes: Panel, lines: Mapping[str, object]) -> None:
    axes.set_xlabel("Step")
    axes.set_xlim(left=0)
    if lines:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=1, fontsize=9)
