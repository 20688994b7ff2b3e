"""The files of an index and what they say; docs/search.md describes the format.

``contents.json`` alone says which shards, rows and structure belong to the index. It is replaced whole, and the files that it
names never change, so a reader that has opened an index keeps what it saw while a writer goes on.
"""

import contextlib
import errno
import fcntl
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pyarrow as pa
from pydantic import Field, ValidationError

from vldeformer.artifact import map_array, read_json, whole_folder, write_json
from vldeformer.errors import InputError
from vldeformer.search.images import Listed, SourceKind
from vldeformer.section import Section, expected_and_got

FORMAT = 1
DESCRIPTION, CONTENTS, SHARDS = "index.json", "contents.json", "shards"
AnySection = TypeVar("AnySection", bound=Section)
StructureKind = Literal["flat", "pq4", "sq8", "hnsw", "ivfpq"]


class Description(Section):
    """``index.json``: what does not change in the life of an index."""

    format: Literal[1] = 1
    model: str = Field(description="folder, file or hub id of the model")
    model_sha256: str
    width: int = Field(ge=1, description="D")
    images: str = Field(description="where the images are, relative to the index")
    images_kind: SourceKind


class ShardEntry(Section):
    """A folder below ``shards`` and the number of its vectors."""

    name: str
    rows: int = Field(ge=0)


class StructureEntry(Section):
    """A FAISS file over the first ``rows`` rows."""

    kind: StructureKind
    file: str
    rows: int = Field(ge=1)


class Contents(Section):
    """``contents.json``: what the index holds now. Rows are numbered through all shards; removed ones never come back."""

    shards: tuple[ShardEntry, ...] = ()
    removed: tuple[int, ...] = ()
    wanted: Literal["auto"] | StructureKind = "auto"
    structure: StructureEntry | None = None

    @property
    def rows(self) -> int:
        """Rows of all shards, the removed ones counted."""
        return sum(shard.rows for shard in self.shards)


@dataclass(frozen=True, eq=False)
class Shard:
    """vectors (n, D) float32 memory-mapped; items: their ids, sizes and times as a memory-mapped Arrow table."""

    vectors: np.ndarray
    items: Any
    skipped: list[dict[str, Any]]


def read_description(folder: Path) -> Description:
    """Raises InputError if there is no index in ``folder`` or one of another version."""
    path = folder / DESCRIPTION
    if not path.is_file():
        raise InputError(f"{folder}: expected an index, found no {DESCRIPTION}; make one with `vldeformer index`")
    value = read_json(path)
    version = value.get("format") if isinstance(value, dict) else None
    if version != FORMAT:
        raise InputError(f"{path}: format {version!r}, this version reads {FORMAT}; index the images again in a new folder")
    return _validated(Description, value, path)


def read_contents(folder: Path) -> Contents:
    """Raises InputError if the file is damaged."""
    return _validated(Contents, read_json(folder / CONTENTS), folder / CONTENTS)


def _validated(kind: type[AnySection], value: Any, path: Path) -> AnySection:
    try:
        return kind.model_validate_json(json.dumps(value))
    except ValidationError as error:
        first = error.errors()[0]
        what = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: {what} {expected_and_got(first)}; the index is damaged, make it again") from None


def write_section(path: Path, section: Section) -> None:
    """Replace a file of the index whole."""
    write_json(path, section.model_dump(mode="json"))


def write_shard(folder: Path, name: str, items: Sequence[Listed], vectors: np.ndarray, skipped: Sequence[Listed]) -> ShardEntry:
    """Write a shard whole; it belongs to the index when ``contents.json`` names it."""
    columns = {
        "id": pa.array([item.id for item in items], pa.string()),
        "size": pa.array([item.size for item in items], pa.int64()),
        "mtime_ns": pa.array([item.mtime_ns for item in items], pa.int64()),
    }
    with whole_folder(folder / SHARDS / name) as temporary:
        np.save(temporary / "vectors.npy", vectors)
        table = pa.table(columns)
        with pa.OSFile(str(temporary / "items.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        left_out = [{"id": one.id, "size": one.size, "mtime_ns": one.mtime_ns, "problem": one.problem} for one in skipped]
        write_json(temporary / "skipped.json", left_out)
    return ShardEntry(name=name, rows=len(items))


def read_shard(folder: Path, entry: ShardEntry, width: int) -> Shard:
    """Raises InputError naming the shard if its files are missing, damaged or of another length."""
    place = folder / SHARDS / entry.name
    vectors = _mapped(place / "vectors.npy") if entry.rows else np.empty((0, width), dtype=np.float32)
    try:
        items = pa.ipc.open_file(pa.memory_map(str(place / "items.arrow"))).read_all()
    except (OSError, pa.ArrowException) as error:
        if getattr(error, "errno", None) in (errno.EMFILE, errno.ENFILE, errno.EACCES):
            raise  # the file is well
        raise InputError(f"{place / 'items.arrow'}: missing or damaged; make the index again") from None
    if vectors.shape != (entry.rows, width) or vectors.dtype != np.float32 or len(items) != entry.rows:
        came = f"{vectors.dtype} of shape {vectors.shape} and {len(items)} ids"
        raise InputError(f"{place}: expected {entry.rows} float32 vectors of width {width}, got {came}; make the index again")
    return Shard(vectors, items, read_json(place / "skipped.json"))


def _mapped(path: Path) -> np.ndarray:
    """A .npy file as an array that holds no file open: NumPy's keeps one, and an index has a thousand shards.

    It is a plain array, too: np.memmap makes each slice a file object, which a query would pay for.
    """
    checked: Any = map_array(path)
    with pa.memory_map(str(path)) as file:
        return np.frombuffer(file.read_buffer(), checked.dtype, checked.size, checked.offset).reshape(checked.shape)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the index for writing; the system lets go of it if this process is killed. Raises InputError if another writes."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{folder}: another command is writing this index; wait until it ends, then run again") from None
        yield
