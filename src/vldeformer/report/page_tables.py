"""The tables of the report as the page shows them, each number with the file and key that it came from.

They are read from NAME.csv, NAME.md and NAME.sources.json, so that the page says what the tables say and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vldeformer.data.sugarcrepe import SUBSETS
from vldeformer.errors import InputError
from vldeformer.evaluation.compositional_result import MEAN
from vldeformer.evaluation.measures import RECALLS
from vldeformer.report.compositional import subset_heading
from vldeformer.report.peers import RECALL_COLUMNS
from vldeformer.report.sources import Source, read_sources
from vldeformer.report.tables import ARROWS, Table, duration_text

Form = Callable[[str], str]


@dataclass(frozen=True)
class Column:
    """A column of the CSV file: its heading, and how a value is written. An interval beside it is written the same way."""

    name: str
    heading: str
    form: Form


@dataclass(frozen=True)
class Cell:
    """``value`` and ``interval`` as people read them; ``source``: file and key, or how it was computed."""

    value: str
    interval: str
    source: str


@dataclass(frozen=True)
class Row:
    """``anchor``: where the page tells the sources of this row. ``experiment``: empty where the row is of none."""

    title: str
    experiment: str
    cells: tuple[Cell, ...]
    anchor: str
    sources: Source


@dataclass(frozen=True)
class PageTable:
    """``headings`` of all columns, that of the rows' titles first."""

    name: str
    caption: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]


def decimals(digits: int) -> Form:
    """A number with so many digits after the point."""
    return lambda text: f"{float(text):,.{digits}f}"


def as_it_is(text: str) -> str:
    """The text itself."""
    return text


def _whole(text: str) -> str:
    return f"{float(text):,.0f}"


def _times(text: str) -> str:
    return f"{float(text):,.0f}×" if float(text) >= 100 else f"{float(text):,.1f}×"


def _seconds(text: str) -> str:
    return duration_text(1e3 * float(text))


RECALL = [
    *(Column(f"{way}_{name}", f"{title} {name}", decimals(1)) for way, title in ARROWS.items() for name in RECALLS),
    Column("mean_recall", "Mean recall", decimals(1)),
]
DROP = [
    Column("seeds", "Seeds", as_it_is),
    Column("baseline_mean_recall", "Joint mean recall", decimals(1)),
    Column("mean_recall", "Mean recall", decimals(1)),
    Column("drop", "Drop (points)", decimals(2)),
    Column("claim", "Paper: below", as_it_is),
    Column("verdict", "Claim here", as_it_is),
]
RERANK = [
    Column("pairs", "Pairs scored", _whole),
    Column("seconds", "Time", _seconds),
    Column("speedup", "Speed-up", _times),
    Column("query_speedup_extrapolated", "One query, largest gallery", _times),
    Column("mean_recall", "Mean recall", decimals(1)),
    Column("drop", "Drop (points)", decimals(2)),
]
COMPOSITIONAL = [Column(MEAN, "Mean", decimals(1)), *(Column(name, subset_heading(name), decimals(1)) for name in SUBSETS)]
PEERS = [
    Column("protocol", "Protocol", as_it_is),
    Column("kind", "Kind", as_it_is),
    *(Column(name, f"{ARROWS[way]} {recall}", decimals(1)) for name, (way, recall) in RECALL_COLUMNS.items()),
    Column("source", "Source", as_it_is),
]
ABLATION = [
    Column("at", "Place on the axis", lambda text: f"{float(text):,g}"),
    Column("seeds", "Seeds", _whole),
    Column("mean_recall", "Mean recall", decimals(1)),
    Column("gain", "Gain (points)", decimals(2)),
    Column("compositional", "Compositional (%)", decimals(1)),
    Column("compositional_gain", "Compositional gain (points)", decimals(2)),
    Column("seconds", "Whole test set", _seconds),
]


def read_table(
    path: Path, columns: Sequence[Column], title: str = "model", where: Mapping[str, str] | None = None, first: str = "Model"
) -> PageTable | None:
    """NAME.csv, or None if it was not made. ``title``: column of the rows' titles, headed ``first``; ``where``: only such rows.

    Columns that the file has not, or that are empty, are left out. Raises InputError if it is not as the report writes it.
    """
    if not path.is_file():
        return None
    try:
        frame = _frame(path)
        sources = read_sources(path)
        caption = path.with_suffix(".md").read_text(encoding="utf-8").splitlines()[0].strip("*")
        kept = pd.Series(True, index=frame.index)
        for column, value in (where or {}).items():
            kept &= frame[column] == value
        chosen = frame[kept]
        shown = [column for column in columns if column.name in chosen and (chosen[column.name] != "").any()]
        rows = tuple(
            _row(path, number, row, shown, title, sources[number])
            for number, row in zip(chosen.index, _records(chosen), strict=True)
        )
    except (KeyError, ValueError, IndexError, FileNotFoundError) as error:
        raise InputError(f"{path}: expected a table as `vldeformer report` writes it ({error}); make the report again") from None
    return PageTable(path.stem, caption, (first, *(column.heading for column in shown)), rows)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of NAME.csv as texts; none if it was not made."""
    return _records(_frame(path)) if path.is_file() else []


def _frame(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _records(frame: pd.DataFrame) -> list[dict[str, str]]:
    return [{str(name): str(value) for name, value in row.items()} for row in frame.to_dict("records")]


def _row(path: Path, number: int, row: Mapping[str, str], columns: Sequence[Column], title: str, source: Source) -> Row:
    cells = []
    for column in columns:
        files, key = source.of(column.name)
        told = f"{files[0]}, key {key}" if key is not None and files else "; ".join([*files, source.how])
        value, low, high = (row.get(f"{column.name}{end}", "") for end in ("", "_low", "_high"))
        between = " to " if low.startswith("-") else "–"
        interval = f"{column.form(low)}{between}{column.form(high)}" if low and high else ""
        cells.append(Cell(column.form(value) if value else "", interval, told))
    name = f"{float(row[title]):g}" if title == "k" and row[title] else row[title]
    return Row(name or "all pairs, joint model", row.get("experiment", ""), tuple(cells), f"{_place(path)}-{number}", source)


def _place(path: Path) -> str:
    """A name of the table that no other has on the page: a run and its ablations both have a table of recall."""
    inside = "ablations-" if path.parent.parent.name == "ablations" else ""
    return f"source-{inside}{path.stem}"


def plain_table(table: Table) -> PageTable:
    """A table that the report would write, all rows of which come from one file, as it is shown."""
    titles, *values = (table.shown[name].tolist() for name in table.shown.columns)
    files = dict.fromkeys(file for source in table.sources for file in source.files)
    source = Source(tuple(files), {}, table.caption)
    told = "; ".join(files)
    rows = [
        Row(title, "", tuple(Cell(value, "", told) for value in cells), f"source-{table.name}-{number}", source)
        for number, (title, *cells) in enumerate(zip(titles, *values, strict=True))
    ]
    return PageTable(table.name, table.caption, tuple(table.shown.columns), tuple(rows))
