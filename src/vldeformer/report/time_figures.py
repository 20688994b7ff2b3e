"""The figures that show what a query costs: against the size of the gallery, and against the recall of re-ranking."""

from pathlib import Path
from typing import Any

from vldeformer.evaluation.result import RetrievalResult
from vldeformer.report.drawing import COLOURS, GREY, MARKERS, counts_on, drawing, error_bars, number_points, times_on
from vldeformer.report.rerank import Reranked, query_seconds
from vldeformer.report.settings import ReportSettings
from vldeformer.report.speed import Speed

DASHED: Any = {"linestyle": (0, (4, 2)), "markerfacecolor": "white"}


def save_gallery_time(stem: Path, speed: Speed, settings: ReportSettings) -> None:
    """Time of one text query against the number of images, both axes logarithmic. Writes STEM.svg and STEM.png."""
    points = sorted(speed.gallery_curve, key=lambda point: point.n_images)
    sizes = [point.n_images for point in points]
    joint, dual = [point.joint_seconds_per_query for point in points], [point.dual_ms_per_query / 1000 for point in points]
    with drawing(stem, width=7.2, height=4.6) as (figure, (axes,)):
        label = f"{settings.titles[settings.baseline]}: extrapolated from {speed.sampled_pairs:,} pairs"
        axes.plot(sizes, joint, color=COLOURS[1], marker=MARKERS[1], label=label, **DASHED)
        axes.plot(sizes, dual, color=COLOURS[0], marker=MARKERS[0], label=f"{settings.titles[settings.main]}: measured")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("Images in the gallery")
        axes.set_ylabel("Time of one text query")
        counts_on(axes.xaxis)
        times_on(axes.yaxis)
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


def save_rerank(stem: Path, found: Reranked, joint: RetrievalResult, speed: Speed, settings: ReportSettings) -> None:
    """Left: mean recall against the time of all queries, a point for each k; right: one text query against the gallery's size.

    Writes STEM.svg and STEM.png.
    """
    main, titles = found.main(), settings.titles
    with drawing(stem, width=10, height=4.6, columns=2) as (figure, (left, right)):
        seconds = [found.seconds(depth, speed) for depth in found.measured.depths]
        means = [found.results[depth.k].mean_recall for depth in found.measured.depths]
        look: dict[str, Any] = {"color": COLOURS[2], "marker": MARKERS[2]}
        left.errorbar(seconds, [mean.value for mean in means], yerr=error_bars(means), capsize=3, **look)
        places = [(x, mean.value) for x, mean in zip(seconds, means, strict=True)]
        number_points(left, [depth.k for depth in found.measured.depths], places, GREY)
        own = joint.mean_recall
        at = ([found.joint_seconds()], [own.value])
        left.errorbar(*at, yerr=error_bars([own]), color=COLOURS[1], marker=MARKERS[1], capsize=3)
        left.axhline(own.value, color=COLOURS[1], linestyle=DASHED["linestyle"], linewidth=1)
        left.set_xscale("log")
        left.set_xlabel(f"Time of all queries, {found.measured.n_images:,} images and {found.measured.n_captions:,} captions")
        left.set_ylabel("Mean of the six recalls (%)")
        left.set_title("Recall against time (number: candidates a query)")

        points = sorted(speed.gallery_curve, key=lambda point: point.n_images)
        sizes = [point.n_images for point in points]
        joint_times = [found.joint_query_seconds(size) for size in sizes]
        right.plot(sizes, joint_times, color=COLOURS[1], marker=MARKERS[1], label=titles[settings.baseline], **DASHED)
        both = [query_seconds(main, point) for point in points]
        right.plot(sizes, both, label=f"Re-ranked, {main.k} candidates", **look, **DASHED)
        dual = [point.dual_ms_per_query / 1e3 for point in points]
        right.plot(sizes, dual, color=COLOURS[0], marker=MARKERS[0], label=titles[settings.main])
        right.set_xscale("log")
        right.set_yscale("log")
        right.set_xlabel("Images in the gallery")
        right.set_title("One text query (dashed: extrapolated)")
        counts_on(right.xaxis)
        times_on(left.xaxis)
        times_on(right.yaxis)
        figure.legend(loc="outside lower center", ncols=3)
