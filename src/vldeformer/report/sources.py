"""Where the numbers of a table came from: NAME.sources.json next to NAME.csv, row by row, and the way back from one cell.

A cell is either a value in a file, named by its key (``i2t/intervals/R@1/0``: keys and places on the way down), or computed from
files, in the way that ``how`` says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from vldeformer.artifact import read_json, write_json
from vldeformer.errors import InputError

NAMING = 3  # first columns of a table, which name its rows
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Source:
    """Files behind a row; ``keys``: column → key in the first of them; ``how`` the other columns were computed from them all.

    beside: column → (files, key or None) of numbers from other files. made: record among the files → commit and processor.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    files: tuple[str, ...] = ()
    keys: dict[str, str] = field(default_factory=dict)
    how: str = ""
    beside: dict[str, tuple[tuple[str, ...], str | None]] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)

    def of(self, column: str) -> tuple[tuple[str, ...], str | None]:
        """Files behind a column, and the key in the only or first of them; None: computed from them all."""
        if column in self.beside:
            files, key = self.beside[column]
            return tuple(files), key
        return (self.files[:1], self.keys[column]) if column in self.keys else (self.files, None)

    def described(self, column: str) -> str:
        """The file and key of a column, or the files and how it was computed."""
        files, key = self.of(column)
        return f"{files[0]}, key {key}" if files and key is not None else "; ".join([*files, self.how])


class Cell(NamedTuple):
    """A number of a table and where it came from."""

    value: Any
    source: Source


class _Sources(BaseModel):
    """NAME.sources.json."""

    rows: list[Source]


def sources_path(table: Path) -> Path:
    """NAME.csv → NAME.sources.json."""
    return table.with_name(f"{table.stem}.sources.json")


def write_sources(table: Path, sources: Sequence[Source], made: Mapping[str, str] = NOTHING) -> None:
    """Write NAME.sources.json next to NAME.csv. ``made``: record → commit and processor, for the rows that read it."""
    rows = []
    for source in sources:
        read = dict.fromkeys([*source.files, *(file for files, _ in source.beside.values() for file in files)])
        row = asdict(source) | {"made": {file: made[file] for file in read if file in made}}
        rows.append({name: value for name, value in row.items() if name != "made" or value})
    write_json(sources_path(table), {"rows": rows}, seal_it=True)


def find_cell(table: Path, row: Sequence[str], column: str) -> Cell:
    """The cell of NAME.csv in ``column`` and in the one row that has all texts of ``row`` among its first cells.

    Raises InputError naming what there is if the file, the row or the column is not there, or several rows are meant.
    """
    try:
        frame = pd.read_csv(table, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise InputError(f"{table}: expected a table (.csv) of `vldeformer report`, found none") from None
    except ValueError as error:
        raise InputError(f"{table}: expected a table (.csv) of `vldeformer report`, got something else ({error})") from None
    if column not in frame.columns:
        raise InputError(f"{table}: no column {column!r}; there are {', '.join(frame.columns)}")
    found = [number for number, cells in enumerate(frame.values.tolist()) if set(row) <= set(cells[:NAMING])]
    if len(found) != 1:
        wanted = " and ".join(repr(text) for text in row)
        there = "; ".join(" ".join(cells[:NAMING]) for cells in frame.iloc[found or slice(None)].values.tolist()[:12])
        problem = f"{len(found)} rows hold" if found else "no row holds"
        raise InputError(f"{table}: {problem} {wanted}; name texts that only one row has of: {there}")
    sources = read_sources(table)
    if len(sources) != len(frame):
        problem = f"expected {len(frame)} rows as in {table.name}, got {len(sources)}"
        raise InputError(f"{sources_path(table)}: {problem}; make the report again")
    return Cell(frame[column][found[0]], sources[found[0]])


def read_sources(table: Path) -> list[Source]:
    """Where the rows of NAME.csv came from. Raises InputError if NAME.sources.json is missing or wrong."""
    path = sources_path(table)
    if not path.is_file():
        raise InputError(f"{path}: expected where the numbers of {table.name} came from, found no file; make the report again")
    try:
        return _Sources.model_validate(read_json(path)).rows
    except ValidationError as error:
        first = error.errors()[0]
        place = "/".join(map(str, first["loc"])) or "the file"
        problem = f"expected where the numbers of {table.name} came from, got something else ({place}: {first['msg']})"
        raise InputError(f"{path}: {problem}; make the report again") from None


def value_in(file: Path, key: str) -> Any:
    """The value at a key of a JSON file. Raises InputError if it is not there."""
    value = read_json(file)
    for part in key.split("/"):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise InputError(f"{file}: no value at {key!r}; it is not the file that the table was made from") from None
    return value
