"""The Parquet file beside a result: one row for every query or item, from which the report resamples."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from vldeformer.artifact import whole_file
from vldeformer.errors import InputError
from vldeformer.stored_digests import damaged, file_digest

TABLE = "table_sha256"
"""Key of a result: sha256 of the table beside it."""


def write_columns(path: Path, columns: Mapping[str, Any]) -> dict[str, str]:
    """Write columns of equal length: sequences, NumPy arrays or those of Arrow. Returns what the result says of the file."""
    with whole_file(path) as temporary:
        pq.write_table(pa.table(columns), temporary)
        return {TABLE: file_digest(temporary)}


@contextlib.contextmanager
def columns_of(path: Path, result: Mapping[str, Any], what: str, again: str) -> Iterator[pa.Table]:
    """Yield the table; the block takes its columns from it.

    Args:
        path: the table.
        result: the JSON that it stands beside, which says which bytes it has.
        what: the columns are.
        again: what to do if they are not there.

    Raises:
        InputError: names the file if it is missing, cut short, no Parquet, another than was written, or lacks a column that the
            block takes.

    """
    try:
        table = pq.read_table(path)
        if TABLE in result and file_digest(path) != result[TABLE]:
            raise damaged(path)
        yield table
    except FileNotFoundError:
        raise InputError(f"{path}: expected the {what}, found no file; {again}") from None
    except (pa.ArrowException, OSError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: expected {what} in Parquet, got something else ({reason}); {again}") from None
