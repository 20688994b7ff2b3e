"""A user's captions: a CSV file with a header, or JSONL, one photograph and its caption or captions a line.

What each column may be called is in ``COLUMNS``; ``docs/your-own-data.md`` shows both layouts.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vldeformer.data.records import check_characters
from vldeformer.errors import InputError

COLUMNS = {
    "image": ("image", "file", "filename", "file_name", "image_file", "path", "photo"),
    "caption": ("caption", "captions", "text", "sentence"),
    "split": ("split",),
}
"""Meaning → names that a column (CSV) or key (JSONL) may have, in any case; all others are left unread."""

SPLITS = {"train": "train", "val": "val", "validation": "val", "valid": "val", "dev": "val", "test": "test"}


@dataclass(frozen=True)
class CaptionLine:
    """One line (``number`` counts from 1): a photograph's path below its folder, what is said of it, its split if given."""

    number: int
    image: str
    captions: tuple[str, ...]
    split: str | None


def read_caption_lines(path: Path, with_split: bool) -> Iterator[CaptionLine]:
    """The lines of a .csv or .jsonl file. ``with_split``: each must say its split; else none may.

    Raises InputError naming file and line if it is missing, not UTF-8, not CSV or JSON objects, has other columns or
    one of them twice, or has a path that leaves the photographs' folder.
    """
    kinds = {".csv": _read_csv, ".jsonl": _read_jsonl}
    if path.suffix.lower() not in kinds:
        raise InputError(f"{path}: expected a file that ends in .csv or .jsonl; save the captions as one of them")
    try:
        for number, row in kinds[path.suffix.lower()](path):
            yield _line(f"{path}: line {number}", number, row, with_split)
    except FileNotFoundError:
        raise InputError(f"{path}: expected the captions file, found none; check dataset.raw_dir and dataset.captions") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected text in UTF-8 ({error}); save it as UTF-8") from None


def _line(where: str, number: int, row: Mapping[str, Any], with_split: bool) -> CaptionLine:
    if with_split and "split" not in row:
        raise InputError(f"{where}: expected a split; add a column `split`, or set the shares dataset.split: val, test, seed")
    if not with_split and "split" in row:
        raise InputError(
            f"{where}: a split is given here and shares in dataset.split; set dataset.split to null, or drop the column"
        )
    missing = [meaning for meaning in ("image", "caption") if meaning not in row]
    if missing:
        names = ", ".join(COLUMNS[missing[0]])
        raise InputError(f"{where}: expected the {missing[0]}, under one of the names {names}; found {', '.join(row) or 'none'}")
    captions = row["caption"] if isinstance(row["caption"], list) else [row["caption"]]
    for value in (row["image"], *captions, *([row["split"]] if with_split else [])):
        if not isinstance(value, str):
            raise InputError(f"{where}: expected text, got {value!r}; put it in quotes")
        check_characters(where, value)
    image = row["image"].strip().replace("\\", "/").removeprefix("./")
    if not image or image.startswith("/") or ".." in image.split("/"):
        raise InputError(f"{where}: expected a path below the photographs' folder, got {row['image']!r}")
    split = row["split"].strip().lower() if with_split else None
    if split is not None and split not in SPLITS:
        raise InputError(f"{where}: expected split train, val or test, got {row['split']!r}")
    texts = tuple(" ".join(caption.split()) for caption in captions)
    return CaptionLine(number, image, texts, None if split is None else SPLITS[split])


def _read_csv(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, meaning → cell) of each row; a row may be several lines long."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows, number = csv.reader(file, strict=True), 1
        try:
            header = next((row for row in rows if row), [])
            columns = _columns(f"{path}: line {max(rows.line_num, 1)}", header)
            number = rows.line_num + 1
            for row in rows:
                if row and len(row) != len(header):
                    found = f"expected {len(header)} columns, got {len(row)}"
                    raise InputError(f"{path}: line {number}: {found}; put a caption that has a comma in it in double quotes")
                if row:
                    yield number, {meaning: row[column] for meaning, column in columns.items()}
                number = rows.line_num + 1
        except csv.Error as error:
            raise InputError(f"{path}: line {number}: expected CSV, got an error: {error}; check the quotes") from None


def _columns(where: str, header: list[str]) -> dict[str, int]:
    """Meaning → column."""
    names = [name.strip().lower() for name in header]
    for mark, what in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and mark in header[0]:
            raise InputError(f"{where}: columns are separated by {what}; save the file with commas (CSV UTF-8, comma delimited)")
    columns = _named(where, [(name, column) for column, name in enumerate(names)])
    for meaning in ("image", "caption"):
        if meaning not in columns:
            expected = f"expected a column for the {meaning}, named one of {', '.join(COLUMNS[meaning])}"
            raise InputError(f"{where}: {expected}; found {', '.join(header) or 'an empty file'}")
    return columns


def _named(where: str, values: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Meaning → value, from (column name, value), of which a name may come twice."""
    found = {}
    for meaning, names in COLUMNS.items():
        given = [(name, value) for name, value in values if name in names]
        if len(given) > 1:
            raise InputError(f"{where}: {' and '.join(name for name, _ in given)} both name the {meaning}; rename or delete one")
        if given:
            found[meaning] = given[0][1]
    return found


def _read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, meaning → value) of each line that is not empty."""
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            where = f"{path}: line {number}"
            try:
                value = json.loads(line, object_pairs_hook=tuple)  # a dict would keep the last of two values of one key
            except (ValueError, RecursionError) as error:
                raise InputError(f"{where}: expected one JSON object a line, got an error: {error}") from None
            if not isinstance(value, tuple):
                raise InputError(f"{where}: expected a JSON object like {{'image': …, 'caption': …}}, got {line.strip()[:60]}")
            yield number, _named(where, [(name.lower(), content) for name, content in value])
