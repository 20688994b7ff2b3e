"""What all figures are drawn with, as SVG and PNG with the same bytes for the same numbers; the one file that imports matplotlib.

Colours are Okabe and Ito's, told apart by readers with any colour vision, and each comes with a marker of its own.
"""

import html
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from vldeformer.artifact import whole_file
from vldeformer.evaluation.measures import Estimate

Panel = Axes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
GREY = "#5f6368"
NEAR_POINTS = 1.4
"""So many times as far on a logarithmic axis: a number would not fit between two points."""
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


class Sheet(Figure):
    """A figure that a notebook shows although pyplot does not know it."""

    def _repr_png_(self) -> bytes:
        image = io.BytesIO()
        self.savefig(image, format="png")
        return image.getvalue()


@contextmanager
def panels(
    width: float, height: float, rows: int = 1, columns: int = 1, style: Any = STYLE
) -> Iterator[tuple[Sheet, tuple[Axes, ...]]]:
    """A figure in inches with ``rows`` × ``columns`` panels, row by row, to draw into, in the project's style or another.

    Nothing is registered with pyplot, so nothing leaks from one figure to the next.
    """
    with matplotlib.rc_context(style):
        figure = Sheet(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, tuple(figure.add_subplot(rows, columns, number + 1) for number in range(rows * columns))


@contextmanager
def drawing(stem: Path, width: float, height: float, columns: int = 1) -> Iterator[tuple[Sheet, tuple[Axes, ...]]]:
    """A row of ``panels``; afterwards STEM.svg and STEM.png are written."""
    with panels(width, height, columns=columns) as (figure, axes):
        yield figure, axes
        for suffix, metadata in (("svg", {"Date": None, "Creator": None}), ("png", {"Software": None})):
            with whole_file(stem.with_name(f"{stem.name}.{suffix}")) as temporary:
                figure.savefig(temporary, format=suffix, metadata=metadata, dpi=160)


PAGE_COLOURS = {"#010101": "var(--ink)", "#020202": "var(--muted)", "#030303": "var(--line)", "#040404": "var(--paper)"} | {
    colour.lower(): f"var(--series-{number})" for number, colour in enumerate(COLOURS)
}
"""What is drawn in a figure of a page → the colour of the page that takes its place, light or dark."""
INK, MUTED, LINE, PAPER = tuple(PAGE_COLOURS)[:4]
PAGE_STYLE: Any = {
    "svg.fonttype": "none",
    "text.color": INK,
    "axes.titlecolor": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "grid.color": LINE,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
}


def page_svg(name: str, described: str, height: float, draw: Callable[[Axes], None]) -> str:
    """A panel 4.6 inches wide as an ``<svg>`` for a page: its text is text, its colours are the page's, it fills its place.

    name: starts the ids in it, so that no other panel has them; described: what a screen reader says.
    """
    with panels(4.6, height, style=STYLE | PAGE_STYLE) as (figure, (axes,)):
        draw(axes)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r"#[0-9a-fA-F]{6}\b", lambda found: PAGE_COLOURS.get(found[0].lower(), found[0]), text)
    text = text.replace("'DejaVu Sans'", "var(--sans)")
    head = f'<svg role="img" aria-label="{html.escape(described)}" viewBox='
    return re.sub(r"<svg[^>]*?viewBox=", lambda _: head, text, count=1)


def error_bars(estimates: Sequence[Estimate]) -> list[list[float]]:
    """How far each interval reaches below and above its value, as ``errorbar`` takes it."""
    return [[one.value - one.low for one in estimates], [one.high - one.value for one in estimates]]


def number_points(axes: Axes, numbers: Sequence[float], places: Sequence[tuple[float, float]], colour: str) -> None:
    """Each point's number beside it, on a logarithmic x axis from left to right; if the next is near, on the other side."""
    following = [x for x, _ in places[1:]] + [float("inf")]
    for number, (x, y), right in zip(numbers, places, following, strict=True):
        look: dict[str, Any] = {"xytext": (-5, 4), "ha": "right"} if right < x * NEAR_POINTS else {"xytext": (5, -11)}
        axes.annotate(f"{number:g}", (x, y), textcoords="offset points", color=colour, fontsize=9, **look)


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
    axis.set_minor_formatter(NullFormatter())


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size * 0.999:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds * 1e6:,.3g} µs"
