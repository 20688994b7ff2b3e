"""The digest of an artifact: which content a file or folder has, for records of what was read."""

import contextlib
import hashlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from vldeformer.artifact import RECORD, read_json, write_json
from vldeformer.errors import InputError
from vldeformer.stored_digests import DIGESTS, EDITED, file_digest

REMEMBERED_BYTES = 64 << 20
"""From this size on a digest is kept beside what it is of."""
SETTLED_NS = 2_000_000_000
"""A file that changed less than this before it is read may change again within the resolution of its time."""
METADATA_FILES = {RECORD, DIGESTS, EDITED}
"""Excluded from digests: the record of an artifact, the list of its files, and the card of a model."""


def digest(path: Path) -> str:
    """sha256 of a file, or of a folder's files in the order of their relative names.

    Hidden files and ``METADATA_FILES`` are left out. What is large is read once: the digest is kept beside it, in
    ``.NAME.digest.json``, and holds as long as no file has come or gone and each has the size, number and times (ns) that it had.
    """
    files = {"": path} if path.is_file() else dict(_files_below(path))
    before = time.time_ns()
    stamps = {name: _stamp(file) for name, file in files.items()}
    if sum(stamp[0] for stamp in stamps.values()) < REMEMBERED_BYTES:
        return _content_digest(path, files)
    kept = path.with_name(f".{path.name}.digest.json")
    remembered = _remembered(kept, stamps)
    if remembered is not None:
        return remembered
    total = _content_digest(path, files)
    changed = max(time_ns for stamp in stamps.values() for time_ns in stamp[2:])
    if before - changed > SETTLED_NS:  # else a second change could bear the same time
        with contextlib.suppress(OSError):  # a folder that may only be read: it is made again each time
            write_json(kept, {"files": stamps, "sha256": total})
    return total


def _files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        if file.name not in METADATA_FILES:
            yield file.relative_to(folder).as_posix(), file


def _stamp(file: Path) -> list[int]:
    """Size in bytes, number of the file, times of its last change of content and of anything (ns)."""
    stat = file.stat()
    return [stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns]


def _remembered(kept: Path, stamps: dict[str, list[int]]) -> str | None:
    with contextlib.suppress(InputError, OSError):
        value = read_json(kept)
        if isinstance(value, dict) and value.get("files") == stamps and isinstance(value.get("sha256"), str):
            return str(value["sha256"])
    return None


def _content_digest(path: Path, files: Mapping[str, Path]) -> str:
    own = {name: file_digest(file) for name, file in files.items()}
    if path.is_file():
        return own[""]
    return hashlib.sha256("".join(f"{name}\0{sha256}\n" for name, sha256 in own.items()).encode()).hexdigest()
