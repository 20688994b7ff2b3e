"""The Parquet file beside a result: one row for every query or item, from which the report resamples."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from vldeformer.artifact import whole_file
from vldeformer.errors import InputError


def write_columns(path: Path, columns: Mapping[str, Any]) -> None:
    """Write columns of equal length: sequences, NumPy arrays or those of Arrow."""
    with whole_file(path) as temporary:
        pq.write_table(pa.table(columns), temporary)


@contextlib.contextmanager
def columns_of(path: Path, what: str, again: str) -> Iterator[pa.Table]:
    """Yield the table; the block takes its columns from it. ``what`` they are; ``again``: what to do if they are not there.

    Raises InputError naming the file if it is missing, cut short, no Parquet or lacks a column that the block takes.
    """
    try:
        yield pq.read_table(path)
    except FileNotFoundError:
        raise InputError(f"{path}: expected the {what}, found no file; {again}") from None
    except (pa.ArrowException, OSError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: expected {what} in Parquet, got something else ({reason}); {again}") from None
