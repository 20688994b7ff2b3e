"""All figures of a run, each a view of its ``RunReport``. A model has the same colour in all of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from vldeformer.evaluation.measured_files import GalleryPoint, Speed
from vldeformer.evaluation.measures import RECALLS, Estimate
from vldeformer.evaluation.result import DIRECTIONS
from vldeformer.evaluation.run_facts import COMPARED, AblationResult, Choice, Reranking
from vldeformer.evaluation.run_report import RunReport
from vldeformer.report.drawing import (
    DASHED,
    GREY,
    Chart,
    Panel,
    Plot,
    counts_on,
    error_bars,
    name_rows,
    number_points,
    series,
    times_on,
)
from vldeformer.report.table import ARROWS

RERANKED = "reranked"
SIX_RECALLS = "Mean of the six recalls (%)"


def charts_of(report: RunReport) -> Iterator[Chart]:
    """Every figure that the run has."""
    if report.speed is not None:  # the ablations' record has no speed, and its recalls are shown row by row
        yield recall_chart(report)
        yield gallery_chart(report, report.speed)
    if report.training:
        yield training_chart(report)
    if report.reranking is not None and report.speed is not None:
        yield rerank_chart(report, report.reranking, report.speed)
    for ablation in report.ablations:
        if ablation.axis is not None:
            yield ablation_chart(ablation)
        if any(choice.seconds for choice in ablation.choices):
            yield cost_chart(ablation)


def look(report: RunReport, experiment: str) -> dict[str, Any]:
    """Colour and marker of a model: the main one is first, then the joint one and the re-ranked one."""
    trained = (one.experiment for one in report.training)
    order = dict.fromkeys((report.main, report.baseline, RERANKED, *report.titles, *trained))
    return series(list(order).index(experiment))


def recall_chart(report: RunReport) -> Chart:
    """R@1, R@5 and R@10 with intervals on the pairs that all models share, a panel for each direction."""
    found = report.under(COMPARED)

    def plot(way: str) -> Plot:
        def draw(axes: Panel) -> None:
            for number, name in enumerate(RECALLS):
                points = [one.of(way)[name] for one in found]
                heights = [place + 0.14 * (number - 1) + 0.2 for place in range(len(found))]
                bars: dict[str, Any] = {"linestyle": "none", "markersize": 5, "elinewidth": 2, **series(number)}
                axes.errorbar([one.value for one in points], heights, xerr=error_bars(points), label=name, **bars)
            name_rows(axes, [f"{report.titles[one.experiment]}: mean {one.mean_recall.value:.1f}" for one in found])
            axes.set_xlim(-2, 102)
            axes.set_xlabel("Recall (%)")
            axes.set_title(ARROWS[way])

        said = "; ".join(f"{report.titles[one.experiment]}: R@1 {one.of(way)['R@1'].value:.1f} %" for one in found)
        return Plot(draw, f"{ARROWS[way]}. {said}")

    title = f"Recall on {report.dataset}: {found[0].n_images:,} images, {found[0].n_captions:,} captions"
    caption = f"Recall at 1, 5 and 10 in percent with {report.confidence:.0%} intervals, and the mean of the six recalls."
    return Chart("recalls", title, caption, 1.0 + 0.5 * len(found), tuple(plot(way) for way in DIRECTIONS))


def training_chart(report: RunReport) -> Chart:
    """Loss, and mean recall on the validation split, against the step."""
    trained = [(one, report.titles.get(one.experiment, one.experiment)) for one in report.training]

    def losses(axes: Panel) -> None:
        for one, title in trained:
            colour = look(report, one.experiment)["color"]
            axes.plot(one.steps, one.losses, color=colour, alpha=0.25, linewidth=1)
            axes.plot(one.steps, smoothed(one.losses), color=colour, label=title)
        axes.set_ylabel("Loss of the run's own objective")
        axes.set_ylim(bottom=0)
        axes.set_title("Training loss (bold: smoothed)")
        _stepped(axes)

    def recalls(axes: Panel) -> None:
        for one, title in trained:
            axes.plot(one.val_steps, one.val_recalls, label=title, **look(report, one.experiment))
        axes.set_ylabel(SIX_RECALLS)
        axes.set_title("Recall on the validation split")
        _stepped(axes)

    last = _said((title, one.val_recalls[-1]) for one, title in trained if one.val_recalls)
    caption = "Objectives differ, so compare a loss with itself; joint models are validated on fewer images."
    plots = Plot(losses, "Loss against the step of each training."), Plot(recalls, f"Validation recall at the end. {last}")
    return Chart("training", "", caption, 3.8, plots)


def gallery_chart(report: RunReport, speed: Speed) -> Chart:
    """Time of one text query against the number of images, both axes logarithmic."""
    points = sorted(speed.gallery_curve, key=lambda point: point.n_images)
    joint = [point.joint_seconds_per_query for point in points]
    said = ""
    if points:
        size, slow, fast = points[-1].n_images, joint[-1], points[-1].dual_ms_per_query / 1e3
        ratio = f"{slow / fast:,.0f} times"
        said = f"With {size:,} images one query takes {1e3 * fast:.3g} ms decomposed, {ratio} less than jointly. "

    def draw(axes: Panel) -> None:
        _query_times(axes, report, points, joint, f": extrapolated from {speed.sampled_pairs:,} pairs", ": measured")
        axes.set_title("One text query, images already embedded")
        if points:
            arrow = {"arrowstyle": "<->", "color": GREY, "shrinkA": 5, "shrinkB": 5}
            axes.annotate("", (size, fast), (size, slow), arrowprops=arrow)
            middle: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "va": "center", "weight": "bold"}
            axes.annotate(ratio, (size, (slow * fast) ** 0.5), (-6, 0), **middle)

    return Chart("gallery_time", "", said + "Both axes are logarithmic.", 3.8, (Plot(draw, said or "No times were measured."),))


def rerank_chart(report: RunReport, found: Reranking, speed: Speed) -> Chart:
    """Mean recall against the time of all queries, a point for each k; one text query against the gallery's size."""
    main = next(depth for depth in found.depths if depth.k == found.main_depth)
    joint = report.recall(report.baseline, COMPARED)

    def recall(axes: Panel) -> None:
        means = [depth.mean_recall for depth in found.depths]
        seconds = [depth.seconds for depth in found.depths]
        _means(axes, seconds, means, label="Re-ranked", **look(report, RERANKED))
        tops = list(zip(seconds, (mean.high for mean in means), strict=True))
        number_points(axes, [depth.k for depth in found.depths], tops, GREY)
        axes.margins(y=0.12)
        if joint is not None:
            own = look(report, report.baseline)
            title = report.titles[report.baseline]
            _means(axes, [found.joint_seconds()], [joint.mean_recall], label=title, linestyle="none", **own)
            axes.axhline(joint.mean_recall.value, color=own["color"], linestyle=DASHED["linestyle"], linewidth=1)
        axes.set_xscale("log")
        times_on(axes.xaxis)
        axes.set_xlabel("Time of all queries")
        axes.set_title("Recall against time (number: candidates)")

    def query(axes: Panel) -> None:
        points = sorted(speed.gallery_curve, key=lambda point: point.n_images)
        both, label = [main.query_seconds(point) for point in points], f"Re-ranked, {main.k} candidates"
        axes.plot([point.n_images for point in points], both, label=label, **look(report, RERANKED), **DASHED)
        _query_times(axes, report, points, [found.joint_query_seconds(point.n_images) for point in points])
        axes.set_title("One text query (dashed: extrapolated)")

    said = "; ".join(f"{one.k} candidates: {one.mean_recall.value:.1f} % in {one.seconds:.1f} s" for one in found.depths)
    size = f"{found.n_images:,} images and {found.n_captions:,} captions"
    caption = f"Mean recall with intervals against the time of all queries of {size}. Times are on logarithmic axes."
    described = f"With {main.k} candidates a query takes {main.query_ms:.3g} ms more than without re-ranking."
    return Chart("rerank", "", caption, 3.8, (Plot(recall, f"Re-ranking. {said}"), Plot(query, described)))


def ablation_chart(ablation: AblationResult) -> Chart:
    """Mean recall with intervals along the axis of an ablation, one line for each name of a line."""
    lines = dict.fromkeys(one.line for one in ablation.choices if one.at is not None)
    placed = sorted(((one.at, one) for one in ablation.choices if one.at is not None), key=lambda each: each[0])

    def draw(axes: Panel) -> None:
        for number, line in enumerate(lines):
            points = [(at, one) for at, one in placed if one.line == line]
            means = [one.mean_recall for _, one in points]
            _means(axes, [at for at, _ in points], means, label=line, **series(number))
        if ablation.logarithmic:
            axes.set_xscale("log")
        places = sorted({at for at, _ in placed})
        axes.set_xticks(places, [f"{place:,g}" for place in places])
        axes.set_xticks([], minor=True)
        axes.set_xlabel(ablation.axis or "")
        axes.set_title(ablation.title)

    described = f"{ablation.title}. {_choices(one for _, one in placed)}"
    return Chart(ablation.name, "", "Mean recall with intervals.", 3.6, (Plot(draw, described),))


def cost_chart(ablation: AblationResult) -> Chart:
    """Mean recall with intervals against the time for the whole test set."""
    timed = [(one, one.seconds.value) for one in ablation.choices if one.seconds is not None]

    def draw(axes: Panel) -> None:
        for number, (one, seconds) in enumerate(timed):
            _means(axes, [seconds], [one.mean_recall], label=one.title, **series(number))
        axes.set_xscale("log")
        times_on(axes.xaxis)
        axes.margins(x=0.1, y=0.1)
        axes.set_xlabel("Time for the whole test set (extrapolated)")
        axes.set_title(f"{ablation.title}: accuracy against cost")

    described = f"{ablation.title}, accuracy against cost. {_choices(one for one, _ in timed)}"
    caption = "Mean recall with intervals; time is on a logarithmic axis."
    return Chart(f"{ablation.name}_cost", "", caption, 3.6, (Plot(draw, described),))


def smoothed(values: Sequence[float]) -> list[float]:
    """Mean of each value and its neighbours, a fortieth of the curve on either side."""
    reach = len(values) // 40
    windows = [values[max(0, middle - reach) : middle + reach + 1] for middle in range(len(values))]
    return [sum(window) / len(window) for window in windows]


def _means(axes: Panel, places: Sequence[Any], means: Sequence[Estimate], **given: Any) -> None:
    """Mean recalls with their intervals at these places of the x axis."""
    axes.errorbar(places, [one.value for one in means], yerr=error_bars(means), capsize=3, **given)
    axes.set_ylabel(SIX_RECALLS)


def _query_times(
    axes: Panel, report: RunReport, points: Sequence[GalleryPoint], joint: Sequence[float], of_joint: str = "", of_main: str = ""
) -> None:
    """Seconds of one text query of both models; the words after each title say how its times were found."""
    sizes = [point.n_images for point in points]
    own = [point.dual_ms_per_query / 1e3 for point in points]
    axes.plot(sizes, joint, label=report.titles[report.baseline] + of_joint, **look(report, report.baseline), **DASHED)
    axes.plot(sizes, own, label=report.titles[report.main] + of_main, **look(report, report.main))
    axes.set_xscale("log")
    axes.set_yscale("log")
    counts_on(axes.xaxis)
    times_on(axes.yaxis)
    axes.set_xlabel("Images in the gallery")
    axes.set_ylabel("Time of one text query")


def _said(values: Iterable[tuple[str, float]]) -> str:
    return "; ".join(f"{title}: {value:.1f} %" for title, value in values)


def _choices(choices: Iterable[Choice]) -> str:
    return _said((one.title, one.mean_recall.value) for one in choices)


def _stepped(axes: Panel) -> None:
    axes.set_xlabel("Step")
    axes.set_xlim(left=0)
