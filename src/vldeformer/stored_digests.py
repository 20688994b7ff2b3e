"""Which bytes a file had when it was written: ``digests.json`` in a folder, the record of a single file, a key in a JSON file.

All three are sha256. What has none, because an older version wrote it, is read as it is; ``vldeformer verify`` says so.
"""

import functools
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vldeformer.errors import InputError

DIGESTS = "digests.json"
"""In a folder that was written here: name of each file below it → sha256; of a folder in it with a list, that list's."""
REST = "sha256_of_rest"
"""Key of a sealed JSON object: sha256 of all its other keys."""
RECORDED = "files"
"""Key in the record of single files: name → sha256."""
NEAR = 3
"""The list of a file is in its folder or in one of those just above it."""
EDITED = "README.md"
"""The card of a model is for people to edit and has no digest."""
AGAIN = "make it again, or bring the file back as it was written"


def file_digest(file: Path) -> str:
    """sha256 of a file's content."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def seal(folder: Path) -> None:
    """Write ``digests.json`` into a folder that is complete, and bring the lists of folders below it up to date.

    A file whose digest a list holds already is not read again.
    """
    known = folder / DIGESTS
    before = _listed(known) if known.is_file() else {}
    found: dict[str, str] = {}
    for file in _own_files(folder):
        name = file.relative_to(folder).as_posix()
        if file.name == DIGESTS:
            seal(file.parent)
        found[name] = before.get(name) or file_digest(file)
    text = json.dumps(dict(sorted(found.items())), indent=1, ensure_ascii=False) + "\n"
    known.write_text(text, encoding="utf-8")


def digests_below(folder: Path) -> dict[str, str]:
    """Name → sha256 of every file below a folder."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file_digest(file) for file in files}


def _own_files(folder: Path) -> Iterator[Path]:
    """Files that the folder's list names: all below it but hidden ones, those of folders with a list, and what people edit."""
    for item in sorted(folder.iterdir()):
        if item.name.startswith("."):
            continue
        if item.is_dir():
            inner = item / DIGESTS
            yield from (inner,) if inner.is_file() else _own_files(item)
        elif item.name not in (DIGESTS, EDITED):
            yield item


def listed(folder: Path) -> dict[str, str] | None:
    """Name → sha256 of the files of a folder; None: it has no list. Raises InputError if the list is damaged."""
    path = folder / DIGESTS
    return _listed(path) if path.is_file() else None


def recorded(path: Path) -> str | None:
    """The sha256 that a file had when it was written; None: nothing says. Raises InputError if what says so is damaged."""
    for folder in path.parents[:NEAR]:
        names = _cached(folder / DIGESTS)
        if names is not None:
            return names.get(path.relative_to(folder).as_posix())
    if path.name.endswith("provenance.json"):
        return None
    return (_cached(record_path(path)) or {}).get(path.name)


def record_path(path: Path) -> Path:
    """Where the record of a single file stands: tokenizer.json → tokenizer.provenance.json."""
    return path.with_name(f"{path.stem}.provenance.json")


def check_stored(path: Path) -> None:
    """Raises InputError if the file has not the bytes that were written. It reads the whole file."""
    if (expected := recorded(path)) is not None and path.is_file() and file_digest(path) != expected:
        raise damaged(path)


def check_bytes(path: Path, content: bytes) -> None:
    """The same where the content has been read already."""
    if (expected := recorded(path)) is not None and hashlib.sha256(content).hexdigest() != expected:
        raise damaged(path)


def damaged(path: Path) -> InputError:
    """The error that names a file whose bytes have changed."""
    return InputError(f"{path}: its content is not what was written here (another sha256): it was changed or damaged; {AGAIN}")


def sealed(value: dict[str, Any]) -> dict[str, Any]:
    """A JSON object with the digest of itself."""
    return value | {REST: _digest_of(value)}


def unsealed(value: Any, path: Path) -> Any:
    """JSON as it was before ``sealed``. Raises InputError naming the file if it is another."""
    if not isinstance(value, dict) or REST not in value:
        return value
    rest = {name: item for name, item in value.items() if name != REST}
    if value[REST] != _digest_of(rest):
        raise damaged(path)
    return rest


def _digest_of(value: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _cached(path: Path) -> dict[str, str] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _read(path, (found.st_mtime_ns, found.st_ino, found.st_size))


@functools.lru_cache(maxsize=256)
def _read(path: Path, state: tuple[int, int, int]) -> dict[str, str]:
    return _listed(path)


def _listed(path: Path) -> dict[str, str]:
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise InputError(f"{path}: expected JSON, got something else; it may be cut short: {AGAIN}") from None
    names = value if path.name == DIGESTS else (value.get(RECORDED, {}) if isinstance(value, dict) else {})
    if not isinstance(names, dict) or not all(isinstance(item, str) for item in names.values()):
        raise InputError(f"{path}: expected names of files and their sha256, got {str(names)[:60]}; {AGAIN}")
    return names
