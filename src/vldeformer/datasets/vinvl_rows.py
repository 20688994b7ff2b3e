"""A VinVL download as people have it on disk: a folder of features, the detector's predictions, and the rows of ids.

``features.tsv`` and ``predictions.tsv`` have no header and one image a row; ``imageid2idx.json`` says which row of the
features is whose; a ``.lineidx`` beside a TSV lists the bytes at which its rows start and may be missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vldeformer.artifact import read_json
from vldeformer.datasets.image_keys import image_id
from vldeformer.errors import InputError

READ_BYTES = 8 << 20


@dataclass(frozen=True)
class VinvlDownload:
    """One folder of a download; ``ids`` in the order of the rows of ``features``."""

    features: Path
    predictions: Path
    id_rows: Path
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TsvRow:
    """One row: its number (from 1), the bytes at which it starts and ends, the image's id, its second and last column.

    The last column is a view of the line: a copy of a megabyte would cost as much as decoding it.
    """

    path: Path
    number: int
    start: int
    end: int
    image_id: str
    second: bytes
    last: memoryview

    def error(self, message: str) -> InputError:
        """An InputError that names file, row and id."""
        return InputError(f"{self.path}: row {self.number}, image {self.image_id[:60]!r}: {message}")


def open_vinvl(folder: Path) -> VinvlDownload:
    """The files of ``folder``, or of its one subfolder that holds ``features.tsv`` (``model_0060000`` of a whole download).

    Raises InputError if a file is missing, or the ids are not one for every row.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: expected the folder of a VinVL download, found none")
    if not (folder / "features.tsv").is_file():
        found = sorted(path.parent for path in folder.glob("*/features.tsv"))
        if len(found) > 1:
            raise InputError(
                f"{folder}: expected one features.tsv, found {len(found)}; import {found[0]} and the others one by one"
            )
        folder = found[0] if found else folder
    for name in ("features.tsv", "predictions.tsv", "imageid2idx.json"):
        if not (folder / name).is_file():
            raise InputError(f"{folder / name}: expected this file of the VinVL download, found none")
    id_rows = folder / "imageid2idx.json"
    return VinvlDownload(folder / "features.tsv", folder / "predictions.tsv", id_rows, _ids_by_row(id_rows))


def _ids_by_row(path: Path) -> tuple[str, ...]:
    rows = read_json(path)
    if not isinstance(rows, dict) or not rows:
        raise InputError(f"{path}: expected a JSON object, image id → row, got {'another value' if rows else 'none'}")
    ids: dict[int, str] = {}
    seen: set[str] = set()
    for text, row in rows.items():
        name = image_id(text)
        if type(row) is not int or not 0 <= row < len(rows) or row in ids:
            raise InputError(f"{path}: image {text!r}: expected a row of its own from 0 to {len(rows) - 1}, got {row!r}")
        if name in seen:
            raise InputError(f"{path}: image {name!r} occurs twice; ids must be unique")
        seen.add(name)
        ids[row] = name
    return tuple(ids[row] for row in range(len(ids)))


def read_rows(path: Path, columns: int, start: int = 0, number: int = 1) -> Iterator[TsvRow]:
    """The rows of a TSV from byte ``start``, where row ``number`` begins, as they are read.

    Raises InputError, naming file and row, on fewer than ``columns`` columns, an id that is no text, or a ``.lineidx`` beside
    the file that says something else.
    """
    line_starts = _line_starts(path)
    with path.open("rb", buffering=READ_BYTES) as file:
        file.seek(start)
        for line in file:
            row = _row(path, number, start, line)
            first, last = line.find(b"\t"), line.rfind(b"\t")
            given = 1 + (first >= 0) + (last > first)
            if not row.image_id or given < columns:
                message = f"expected an id and at least {columns - 1} more columns, got {given} in all"
                raise row.error(f"{message}; the row may be cut short")
            if line_starts is not None and not (number <= len(line_starts) and line_starts[number - 1] == start):
                raise row.error(
                    f"starts at byte {start}, {_lineidx(path).name} says otherwise; delete that file, it is not needed"
                )
            yield row
            start, number = row.end, number + 1
    if line_starts is not None and number <= len(line_starts):
        listed = f"ends after row {number - 1}, {_lineidx(path).name} lists {len(line_starts)} rows"
        raise InputError(f"{path}: {listed}; the file may be cut short, download it again")


def _row(path: Path, number: int, start: int, line: bytes) -> TsvRow:
    end = len(line) - (2 if line.endswith(b"\r\n") else line.endswith(b"\n"))
    first, _, rest = line[:200].partition(b"\t")
    try:
        name = image_id(first.rstrip(b"\r\n").decode())
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: row {number}: expected an image id first, got other bytes ({error})") from None
    last = memoryview(line)[line.rfind(b"\t") + 1 : end]
    return TsvRow(path, number, start, start + len(line), name, rest.partition(b"\t")[0], last)


def _lineidx(path: Path) -> Path:
    return path.with_suffix(".lineidx")


def _line_starts(path: Path) -> np.ndarray | None:
    index = _lineidx(path)
    if not index.is_file():
        return None
    try:
        return np.array(index.read_bytes().split(), dtype=np.int64)
    except ValueError as error:
        raise InputError(f"{index}: expected one byte number a line ({error}); delete the file, it is not needed") from None
