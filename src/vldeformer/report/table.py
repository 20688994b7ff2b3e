"""A table in all its forms: Markdown and LaTeX for people, CSV with unrounded numbers for programs, all from the same rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from vldeformer.artifact import whole_file
from vldeformer.evaluation.measured_files import Speed
from vldeformer.evaluation.measures import Estimate
from vldeformer.report.settings import READ_ELSEWHERE, READ_ELSEWHERE_NOTE
from vldeformer.report.sources import NOTHING, Source, write_sources

LATEX_ESCAPES = str.maketrans({character: f"\\{character}" for character in "&%$#_{}"})
Form = Callable[[Any], str]


@dataclass(frozen=True)
class Said:
    """A value of a cell with the text that people read, where the column's form does not fit."""

    value: Any
    text: str


@dataclass(frozen=True)
class Column:
    """name: in CSV, where an interval gets NAME_low and NAME_high; heading: for people, empty if the column is for CSV only."""

    name: str
    heading: str = ""
    form: Form = str
    in_csv: bool = True

    def text(self, value: Any) -> str:
        """A cell as people read it: ``89.2 [87.3, 90.8]``."""
        interval = f" [{self.form(value.low)}, {self.form(value.high)}]" if isinstance(value, Estimate) else ""
        return self.point(value) + interval

    def point(self, value: Any) -> str:
        """The same without the interval."""
        if value is None:
            return ""
        return value.text if isinstance(value, Said) else self.form(value.value if isinstance(value, Estimate) else value)


@dataclass(frozen=True)
class Row:
    """values: column → value, Estimate, Said or None; experiment: empty if the row is not of one experiment."""

    values: Mapping[str, Any]
    source: Source
    experiment: str = ""


@dataclass(frozen=True)
class Table:
    """The first column names the rows. Columns without any value are left out."""

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]

    def present(self) -> list[Column]:
        """Columns with at least one value."""
        return [one for one in self.columns if any(row.values.get(one.name) is not None for row in self.rows)]

    def shown_columns(self) -> list[Column]:
        """Columns for people; the first names the rows."""
        return [one for one in self.present() if one.heading]

    def shown(self) -> pd.DataFrame:
        """Texts as people read them."""
        columns = self.shown_columns()
        return pd.DataFrame([{one.heading: one.text(row.values.get(one.name)) for one in columns} for row in self.rows])

    def numbers(self) -> pd.DataFrame:
        """The same facts unrounded, the ends of an interval in their own columns."""
        columns = [one for one in self.present() if one.in_csv]
        cells: dict[str, list[Any]] = {}
        for one in columns:
            values = [row.values.get(one.name) for row in self.rows]
            cells[one.name] = [value.value if isinstance(value, Said | Estimate) else value for value in values]
            if any(isinstance(value, Estimate) for value in values):
                for end in ("low", "high"):
                    cells[f"{one.name}_{end}"] = [getattr(value, end, None) for value in values]
        return pd.DataFrame(cells, dtype=object)

    @property
    def about(self) -> str:
        """The caption, and what a mark behind titles means if there is one."""
        texts = [*(one.heading for one in self.columns), *(value for row in self.rows for value in row.values.values())]
        marked = any(isinstance(text, str) and text.endswith(READ_ELSEWHERE) for text in texts)
        return f"{self.caption} {READ_ELSEWHERE_NOTE}" if marked else self.caption

    def markdown(self) -> str:
        """A pipe table under its caption; numbers are aligned right."""
        shown = self.shown()
        align = ["left"] + ["right"] * (shown.shape[1] - 1)
        return f"**{self.about}**\n\n{shown.to_markdown(index=False, colalign=align, disable_numparse=True)}\n"

    def latex(self) -> str:
        """A booktabs table."""
        shown = self.shown()
        style = shown.style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis="columns")
        columns = "l" + "r" * (shown.shape[1] - 1)
        label = f"tab:{self.name.replace('_', '-')}"
        caption = self.about.translate(LATEX_ESCAPES)
        text: str = style.to_latex(hrules=True, column_format=columns, caption=caption, label=label, position_float="centering")
        return text

    def save(self, folder: Path, made: Mapping[str, str] = NOTHING) -> None:
        """Write NAME.md, NAME.csv, NAME.tex and NAME.sources.json.

        Args:
            folder: where.
            made: record → commit and processor, for the sources of the rows.

        """
        texts = {"md": self.markdown(), "csv": as_csv(self.numbers()), "tex": self.latex()}
        for suffix, text in texts.items():
            with whole_file(folder / f"{self.name}.{suffix}") as temporary:
                temporary.write_text(text, encoding="utf-8")
        write_sources(folder / f"{self.name}.csv", [row.source for row in self.rows], made)


READ_AS_MISSING = frozenset(
    "None NA N/A n/a nan NaN -nan -NaN NULL null <NA> #N/A #NA 1.#IND -1.#IND 1.#QNAN -1.#QNAN".split(" ")
) | {"#N/A N/A"}
"""Texts that `pandas.read_csv` takes for missing values."""


def as_csv(frame: pd.DataFrame) -> str:
    """CSV in which a text is a text: one that pandas would read as missing, such as None or NA, is in brackets."""
    kept = frame.copy()
    for name in frame.select_dtypes(exclude="number").columns:  # numbers keep their type, and so their digits
        texts = [f"({cell})" if isinstance(cell, str) and cell in READ_AS_MISSING else cell for cell in frame[name]]
        kept[name] = pd.Series(texts, frame.index, dtype=object)
    text: str = kept.to_csv(index=False, lineterminator="\n")
    return text


def decimals(digits: int) -> Form:
    """A number with so many digits after the point."""
    return lambda value: f"{value:.{digits}f}"


def whole(value: float) -> str:
    """A count: 5,000."""
    return f"{value:,.0f}"


def plain(value: float) -> str:
    """As few digits as it needs: 0.05, 1,000."""
    return f"{value:,g}"


def times(value: float) -> str:
    """A ratio: 3.4 times, 1,122 times."""
    return f"{value:,.0f} times" if value >= 100 else f"{value:.1f} times"


def speedup(speed: Speed) -> str:
    """With the lowest and the highest that its repeats allow: 1,122 [1,101, 1,150] times."""
    found = speed.estimate
    return times(speed.speedup) if found is None else f"{found.value:,.0f} [{found.low:,.0f}, {found.high:,.0f}] times"


def duration(seconds: float) -> str:
    """Three figures in the unit that suits: 0.412 ms, 12.3 s, 25.1 min, 3.40 h."""
    for unit, size in (("h", 3600.0), ("min", 60.0), ("s", 1.0)):
        if seconds >= size:
            return f"{seconds / size:#.3g} {unit}".replace(". ", " ")
    return f"{seconds * 1e3:#.3g} ms".replace(". ", " ")


def seeds_in_words(count: int) -> str:
    """How many seeds a number is the mean of."""
    return f"{count} seeds" if count > 1 else "1 seed"


ARROWS = {"i2t": "Image to text", "t2i": "Text to image"}
ONE, TWO = decimals(1), decimals(2)
MODEL, EXPERIMENT = Column("model", "Model"), Column("experiment")
MEAN_RECALL, DROP = Column("mean_recall", "Mean recall", ONE), Column("drop", "Drop (points)", TWO)
MEAN_RECALL_KEYS = {
    "mean_recall": "mean_recall",
    "mean_recall_low": "intervals/mean_recall/0",
    "mean_recall_high": "intervals/mean_recall/1",
}
"""Column → key in RESULT.json."""
TITLE_HOW = "a title of the settings report.titles"
