"""The figures of the page of benchmarks, in the look of the report's, as SVG."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.ticker import FuncFormatter, NullFormatter
from page_rows import Row, table_rows, times_text

from vldeformer.artifact import whole_file
from vldeformer.report.drawing import COLOURS, GREY, MARKERS, Panel, counts_on, panels, times_on

Results = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Figure:
    """``ready``: whether what it shows was measured."""

    title: str
    ready: Callable[[Results], bool]
    plot: Callable[[Panel, Results], None]
    height: float = 4.2

    def draw(self, path: Path, results: Results) -> None:
        """Write it; the same bytes for the same results."""
        with panels(8, self.height) as (figure, (axes,)):
            self.plot(axes, results)
            axes.set_title(self.title)
            with whole_file(path) as temporary:
                figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": None})


def ratios(axes: Panel, results: Results) -> None:
    """A bar a row, how many times less it takes; a black line where it should reach."""
    rows = _drawn(results)
    places = range(len(rows))
    colours = [COLOURS[2] if row.met else COLOURS[1] for row, _ in rows]
    axes.barh(places, [found - 1 for _, (found, _) in rows], left=1, color=colours, height=0.6)
    for place, (_, (found, target)) in enumerate(rows):
        axes.plot([target, target], [place - 0.42, place + 0.42], color="black", linewidth=2.5)
        axes.annotate(times_text(found), (max(found, target), place), (6, 0), textcoords="offset points", va="center")
    axes.set_xscale("log")
    axes.set_xlim(0.8, 4 * max(max(found, target) for _, (found, target) in rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(places, [_short(row.work) for row, _ in rows])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("Times as fast as what it is measured against; black line: to be reached")


def _drawn(results: Results) -> list[tuple[Row, tuple[float, float]]]:
    return [(row, row.ratio) for row in table_rows(results) if row.ratio is not None]


def _short(work: str) -> str:
    """At most two lines."""
    words, lines = work.replace("`", "").split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 36:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines[:2]) + ("…" if len(lines) > 2 else "")


def steps(axes: Panel, results: Results) -> None:
    """Processor seconds of each step of the run."""
    rows = [row for row in results["stages"]["steps"] if row["share"] >= 0.002]
    axes.barh(range(len(rows)), [row["cpu_seconds"] for row in rows], color=COLOURS[0], height=0.6)
    for place, row in enumerate(rows):
        beside = f"{row['share']:.1%}, {row['jobs']} {'job' if row['jobs'] == 1 else 'jobs'}"
        axes.annotate(
            beside, (row["cpu_seconds"], place), (5, 0), textcoords="offset points", va="center", color=GREY, fontsize=9
        )
    axes.set_xlim(0, 1.25 * max(row["cpu_seconds"] for row in rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [row["step"] for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("Seconds of processor")


def gallery(axes: Panel, results: Results) -> None:
    """One text query against ever more images, by both models."""
    points = results["joint_against_decomposed"]["gallery_curve"]
    sizes = [point["n_images"] for point in points]
    joint, dual = [point["joint_seconds_per_query"] for point in points], [point["dual_ms_per_query"] / 1000 for point in points]
    axes.plot(sizes, joint, color=COLOURS[1], marker=MARKERS[1], label="Joint, extrapolated from a sample of pairs")
    axes.plot(sizes, dual, color=COLOURS[0], marker=MARKERS[0], label="Decomposed, images embedded before")
    axes.set_xscale("log")
    axes.set_yscale("log")
    counts_on(axes.xaxis)
    times_on(axes.yaxis)
    axes.set_xlabel("Images in the gallery")
    axes.set_ylabel("Time of a query")
    axes.legend(loc="upper left")


def nearest(axes: Panel, results: Results) -> None:
    """Recall against time of a query at the largest size; filled: ours, hollow: faiss alone, ringed: as it is set."""
    points = results["nearest"]["points"]
    rows = max(point["rows"] for point in points)
    for number, kind in enumerate(dict.fromkeys(point["kind"] for point in points)):
        for by, look in (("ours", {}), ("faiss", {"markerfacecolor": "none", "linestyle": ":", "linewidth": 1})):
            own = [point for point in points if (point["rows"], point["kind"], point["by"]) == (rows, kind, by)]
            own.sort(key=lambda point: point["p50_ms"])
            style: Any = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)], **look}
            label = kind if by == "ours" else f"{kind}, faiss alone"
            times, recalls = [point["p50_ms"] / 1000 for point in own], [100 * point["recall_at_10"] for point in own]
            if own:
                axes.plot(times, recalls, label=label, **style)
            for point in own:
                if point.get("own_settings"):
                    ring: Any = {"marker": "o", "markersize": 13, "markerfacecolor": "none", "color": style["color"]}
                    axes.plot([point["p50_ms"] / 1000], [100 * point["recall_at_10"]], **ring)
    axes.set_xscale("log")
    times_on(axes.xaxis)
    axes.set_xlabel(f"Median time of a query among {rows:,} vectors; ringed: as it is set")
    axes.set_ylabel("Recall@10 against exact (%)")
    axes.legend(loc="lower right", fontsize=8)


FIGURES = {
    "benchmarks_ratios": Figure("Measured against what is usual", lambda results: bool(_drawn(results)), ratios, 5.2),
    "benchmarks_gallery": Figure(
        "A text query against ever more images", lambda results: "joint_against_decomposed" in results, gallery
    ),
    "benchmarks_nearest": Figure(
        "Nearest neighbours: what is found, and how fast", lambda results: "nearest" in results, nearest
    ),
    "benchmarks_stages": Figure("What each step of the scenes run costs", lambda results: "stages" in results, steps),
}
"""Name of the file → figure, in the order of the page."""
