"""An index as a table of ids, paths and vectors for other programs: a Parquet file, or a table of LanceDB.

LanceDB is what takes over where one machine ends: its tables may lie in an object store and are searched by many machines.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vldeformer.artifact import check_file, whole_file
from vldeformer.errors import InputError
from vldeformer.search.index import SearchIndex

LANCE_TABLE = "images"


def export_parquet(index: SearchIndex, out: Path) -> int:
    """Write ``id`` (string), ``path`` (string or null) and ``vector`` (D float32 of unit length); returns the number of rows.

    The file's metadata names the model and its sha256. Raises InputError if ``out`` is a folder.
    """
    check_file(out)
    with whole_file(out) as temporary, pq.ParquetWriter(temporary, _schema(index)) as writer:
        for batch in _batches(index):
            writer.write_batch(batch)
    return len(index)


def export_lance(index: SearchIndex, out: Path) -> int:
    """Write the same rows into the table ``images`` of the LanceDB database ``out``; returns their number.

    A table of that name is replaced when all rows are written. Raises InputError if lancedb is not installed.
    """
    try:
        import lancedb
    except ModuleNotFoundError:
        raise InputError("lancedb is not installed; pip install 'vldeformer[lance]'") from None
    rows = pa.RecordBatchReader.from_batches(_schema(index), _batches(index))
    lancedb.connect(str(out)).create_table(LANCE_TABLE, rows, mode="overwrite")
    return len(index)


def _schema(index: SearchIndex) -> Any:
    known = index.description
    made_by = {"model": known.model, "model_sha256": known.model_sha256}
    columns = [("id", pa.string()), ("path", pa.string()), ("vector", pa.list_(pa.float32(), known.width))]
    return pa.schema(columns, metadata=made_by)


def _batches(index: SearchIndex) -> Iterator[Any]:
    schema = _schema(index)
    for ids, vectors in index.parts():
        paths = [None if path is None else str(path) for path in map(index.path, ids)]
        flat = pa.array(np.ascontiguousarray(vectors).ravel(), pa.float32())
        columns = [pa.array(ids, pa.string()), pa.array(paths, pa.string())]
        rows = pa.FixedSizeListArray.from_arrays(flat, index.description.width)
        yield pa.record_batch([*columns, rows], schema=schema)
