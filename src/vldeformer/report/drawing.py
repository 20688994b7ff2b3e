"""How all figures are drawn: as SVG and PNG with the same bytes for the same numbers, and as SVG inside the page.

This is the one file that imports matplotlib. The colours are those of Okabe and Ito, which readers with any colour vision can
tell apart; each colour has its own marker.
"""

import html
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from vldeformer.artifact import whole_file
from vldeformer.evaluation.measures import Estimate

Panel = Axes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
INK, GREY, LINE, PAPER = "#1a1a1a", "#5f6368", "#e3e5e8", "#ffffff"
PAGE_COLOURS = {INK: "var(--ink)", GREY: "var(--muted)", LINE: "var(--line)", PAPER: "var(--paper)"} | {
    colour.lower(): f"var(--series-{number})" for number, colour in enumerate(COLOURS)
}
"""Colour in a figure → the variable that replaces it inside the page, which is light or dark."""
NEAR_POINTS = 1.4
"""Ratio of two neighbours on a logarithmic axis below which a number does not fit between them."""
SAME_POINT = 1.03
"""Ratio of two neighbours on a logarithmic axis below which they are drawn as one point."""
LETTERS_PER_INCH = 11
PANEL_INCHES, PAGE_INCHES, LEGEND_ROW_INCHES = 5.0, 4.6, 0.2
STYLE: Any = {  # a plain dictionary; matplotlib's type for it spells out every key there is
    "svg.hashsalt": "vldeformer",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "lines.linewidth": 2,
}
DASHED: Any = {"linestyle": (0, (4, 2)), "markerfacecolor": PAPER}
"""How extrapolated numbers are drawn."""


@dataclass(frozen=True)
class Plot:
    """One panel: ``draw`` draws into empty axes; described: what a screen reader says."""

    draw: Callable[[Axes], None]
    described: str


@dataclass(frozen=True)
class Chart:
    """A figure of the report. As a file its panels form a row; on the page each panel is a picture by itself.

    height: of a panel in inches, without the legend.
    """

    name: str
    title: str
    caption: str
    height: float
    plots: tuple[Plot, ...]

    def save(self, folder: Path) -> None:
        """Write NAME.svg and NAME.png."""
        width = PANEL_INCHES * len(self.plots) if len(self.plots) > 1 else 7.2
        with _drawn(self.plots, width, self.height) as figure:
            figure.suptitle(self.title, fontsize=11)
            for suffix, metadata in (("svg", {"Date": None, "Creator": None}), ("png", {"Software": None})):
                with whole_file(folder / f"{self.name}.{suffix}") as temporary:
                    figure.savefig(temporary, format=suffix, metadata=metadata, dpi=160)

    def page_svgs(self) -> list[str]:
        """Each panel as ``<svg>`` for a page: text is text, colours are those of the page, and its width is that of its place."""
        return [self._page_svg(plot, f"{self.name}-{number}") for number, plot in enumerate(self.plots)]

    def _page_svg(self, plot: Plot, name: str) -> str:
        with _drawn((plot,), PAGE_INCHES, self.height, STYLE | {"svg.fonttype": "none"}) as figure:
            written = io.StringIO()
            figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
        text = written.getvalue()
        text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
        text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)  # ids are unique on the page
        text = re.sub(r"#[0-9a-fA-F]{6}\b", lambda found: PAGE_COLOURS.get(found[0].lower(), found[0]), text)
        text = text.replace("'DejaVu Sans'", "var(--sans)")
        head = f'<svg role="img" aria-label="{html.escape(plot.described)}" viewBox='
        return re.sub(r"<svg[^>]*?viewBox=", lambda _: head, text, count=1)


@contextmanager
def _drawn(plots: Sequence[Plot], width: float, height: float, style: Any = STYLE) -> Iterator[Figure]:
    """The panels in a row with one legend below them for all labels."""
    with panels(width, height, columns=len(plots), style=style) as (figure, axes):
        for plot, panel in zip(plots, axes, strict=True):
            plot.draw(panel)
        handles: dict[str, Any] = {}
        for panel in axes:
            for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
                handles.setdefault(label, handle)
        if handles:
            letters = 7 + max(map(len, handles))
            columns = min(len(handles), max(1, int(width * LETTERS_PER_INCH / letters)))
            figure.set_size_inches(width, height + LEGEND_ROW_INCHES * -(-len(handles) // columns))
            figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=columns)
        yield figure


class Sheet(Figure):
    """A figure that a notebook shows although it is not registered with pyplot."""

    def _repr_png_(self) -> bytes:
        image = io.BytesIO()
        self.savefig(image, format="png")
        return image.getvalue()


@contextmanager
def panels(
    width: float, height: float, rows: int = 1, columns: int = 1, style: Any = STYLE
) -> Iterator[tuple[Sheet, tuple[Axes, ...]]]:
    """Yield a figure and its empty panels, row by row. The figure is not registered with pyplot.

    Args:
        width: of the figure in inches.
        height: of the figure in inches.
        rows: of panels.
        columns: of panels.
        style: matplotlib settings in force while the block runs.

    """
    with matplotlib.rc_context(style):
        figure = Sheet(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, tuple(figure.add_subplot(rows, columns, number + 1) for number in range(rows * columns))


def error_bars(estimates: Sequence[Estimate]) -> list[list[float]]:
    """(2, n) distances of the interval's ends below and above each value, as ``errorbar`` takes them."""
    return [[one.value - one.low for one in estimates], [one.high - one.value for one in estimates]]


def number_points(axes: Axes, numbers: Sequence[float], tops: Sequence[tuple[float, float]], colour: str) -> None:
    """Write each number above its point, at the top of the error bar, from left to right on a logarithmic x axis.

    If the next point is near, the number ends at its own point. Points in one place share a text.
    """
    texts: list[tuple[str, tuple[float, float]]] = []
    for number, top in zip(numbers, tops, strict=True):
        if texts and top[0] < texts[-1][1][0] * SAME_POINT:
            texts[-1] = (f"{texts[-1][0]}, {number:g}", texts[-1][1])
        else:
            texts.append((f"{number:g}", top))
    following = [x for _, (x, _) in texts[1:]] + [float("inf")]
    for (text, (x, y)), right in zip(texts, following, strict=True):
        shift, side = (3, "right") if right < x * NEAR_POINTS else (0, "center")
        axes.annotate(text, (x, y), (shift, 3), textcoords="offset points", ha=side, color=colour, fontsize=9)


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Write each row's name above its points, so that long names leave the panel its width. Row n is at y = n."""
    look: Any = {"va": "center", "fontsize": 9, "bbox": {"facecolor": PAPER, "edgecolor": "none", "pad": 1}}
    for place, name in enumerate(names):
        start = (0, place - 0.22)
        axes.annotate(name, start, (2, 0), xycoords=("axes fraction", "data"), textcoords="offset points", **look)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks([])
    axes.grid(visible=False, axis="y")


def series(number: int) -> dict[str, Any]:
    """Colour and marker of a series."""
    return {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}


def counts_on(axis: Axis) -> None:
    """Powers of ten as 1,000."""
    _labelled(axis, lambda value: f"{value:,.0f}")


def times_on(axis: Axis) -> None:
    """Powers of ten of seconds in the unit that suits: 100 µs, 10 ms, 1,000 s."""
    _labelled(axis, _duration)


def _labelled(axis: Axis, text: Callable[[float], str]) -> None:
    axis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))
    axis.set_minor_formatter(FuncFormatter(lambda value, _: text(value) if _is_needed(axis, value) else ""))


def _is_needed(axis: Axis, value: float) -> bool:
    """Whether a place between two powers of ten is labelled: 2 and 5, on an axis so short that it has few powers of ten."""
    low, high = axis.get_view_interval()
    return high < 100 * low and f"{value:e}"[0] in "25"


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size * 0.999:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds * 1e6:,.3g} µs"
