"""The files of an index and what they say; docs/search.md describes the format.

``contents.json`` alone says which shards, rows and structure belong to the index. It is replaced whole, and the files that it
names never change, so a reader that has opened an index keeps what it saw while a writer goes on.
"""

import contextlib
import errno
import fcntl
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import numpy as np
import pyarrow as pa
from pydantic import Field, ValidationError, model_validator

from vldeformer.artifact import read_json, whole_folder, write_json
from vldeformer.errors import InputError
from vldeformer.retrieval.vectors import LENGTH_TOLERANCE, check_vectors
from vldeformer.search.file_checksums import MappedFile, check_checksum, file_checksum, mapped_file
from vldeformer.search.images import Listed, SourceKind
from vldeformer.section import Section, expected_and_got
from vldeformer.stored_digests import DIGESTS, file_digest

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
    """A folder below ``shards`` and the number of its vectors. An index of an older version has no digests."""

    name: str = Field(pattern=r"^\d+$")
    rows: int = Field(ge=0)
    sha256: str | None = Field(default=None, description="of its digests.json")
    vectors_xxh3: str | None = Field(default=None, description="checksum of vectors.npy, compared in the first query")
    items_xxh3: str | None = Field(default=None, description="checksum of items.arrow, compared when the index is opened")


class StructureEntry(Section):
    """A FAISS file over the first ``rows`` rows."""

    kind: StructureKind
    file: str = Field(pattern=r"^[a-z0-9]+-\d+\.faiss$")
    rows: int = Field(ge=1)
    sha256: str | None = Field(default=None, description="of the file")
    xxh3: str | None = Field(default=None, description="checksum of the file, compared when the index is opened")


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

    @model_validator(mode="after")
    def _within_bounds(self) -> Self:
        """Raises ValueError, which pydantic reports, if a row or a shard is named that cannot be there."""
        if outside := [row for row in self.removed if not 0 <= row < self.rows]:
            raise ValueError(f"removed row {outside[0]} is none of {self.rows}")
        if self.structure is not None and self.structure.rows > self.rows:
            raise ValueError(f"the structure covers {self.structure.rows} rows of {self.rows}")
        if len({shard.name for shard in self.shards}) < len(self.shards):
            raise ValueError("a shard is named twice")
        return self


class Shard:
    """items: ids, sizes and times of the vectors as a memory-mapped Arrow table; skipped: what could not be read."""

    def __init__(self, place: Path, mapped: MappedFile, items: Any, skipped: list[dict[str, Any]], xxh3: str | None) -> None:
        self.place, self.items, self.skipped = place, items, skipped
        self._mapped, self._xxh3, self._checked = mapped, xxh3, False

    def __len__(self) -> int:
        return len(self.items)

    @property
    def vectors(self) -> np.ndarray:
        """(n, D) float32 memory-mapped.

        At the first use the checksum and the lengths of all are compared. Raises InputError naming the file or the row.
        """
        if not self._checked:
            path = self.place / "vectors.npy"
            self._mapped.compare(path, self._xxh3)
            found = self._mapped.array
            with np.errstate(over="ignore", invalid="ignore"):
                squares = np.vecdot(found, found)
            if not (np.abs(squares - 1) <= LENGTH_TOLERANCE).all():  # the few that may be wrong are looked at again, and named
                check_vectors(str(path), found, tuple(self.items.column("id").to_pylist()))
            self._checked = True
        return self._mapped.array


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
    write_json(path, section.model_dump(mode="json"), seal_it=True)


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
    place = folder / SHARDS / name
    vectors_xxh3, items_xxh3 = (file_checksum(place / file) for file in ("vectors.npy", "items.arrow"))
    sha256 = file_digest(place / DIGESTS)
    return ShardEntry(name=name, rows=len(items), sha256=sha256, vectors_xxh3=vectors_xxh3, items_xxh3=items_xxh3)


def read_shard(folder: Path, entry: ShardEntry, width: int) -> Shard:
    """Raises InputError naming the shard if its files are missing, damaged or of another length."""
    place = folder / SHARDS / entry.name
    vectors = mapped_file(place / "vectors.npy") if entry.rows else MappedFile(np.empty((0, width), dtype=np.float32), None)
    try:
        with pa.memory_map(str(place / "items.arrow")) as file:
            content = file.read_buffer()
        check_checksum(place / "items.arrow", content, entry.items_xxh3)
        items = pa.ipc.open_file(content).read_all()
    except (OSError, pa.ArrowException) as error:
        if getattr(error, "errno", None) in (errno.EMFILE, errno.ENFILE, errno.EACCES):
            raise  # the file is well
        raise InputError(f"{place / 'items.arrow'}: missing or damaged; make the index again") from None
    found = vectors.array
    if found.shape != (entry.rows, width) or found.dtype != np.float32 or len(items) != entry.rows:
        came = f"{found.dtype} of shape {found.shape} and {len(items)} ids"
        raise InputError(f"{place}: expected {entry.rows} float32 vectors of width {width}, got {came}; make the index again")
    return Shard(place, vectors, items, read_json(place / "skipped.json"), entry.vectors_xxh3)


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
