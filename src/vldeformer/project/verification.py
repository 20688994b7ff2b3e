"""Is what is stored what was written? Every file below a path is compared with its digest, and an index is looked through."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vldeformer.artifact import RECORD, WRITTEN_BY_STAGES, read_json
from vldeformer.errors import InputError
from vldeformer.evaluation.query_table import TABLE
from vldeformer.report.step_record import REPORTED
from vldeformer.search.layout import DESCRIPTION, Contents, Description, read_contents, read_description, read_shard
from vldeformer.stored_digests import DIGESTS, RECORDED, REST, check_stored, damaged, file_digest, listed, recorded

UNFINISHED = (".run", ".part")
"""Folders in which a killed run goes on: nothing is said of them."""


def faults_below(path: Path) -> Iterator[tuple[bool, str]]:
    """Look through an artifact, an index, a model, a file or a tree of them.

    Args:
        path: a file or folder.

    Yields:
        Whether it is a fault, and a line: what is wrong, or what has no digests to compare with.

    Raises:
        InputError: there is nothing at ``path``.

    """
    if not path.exists():
        raise InputError(f"{path}: expected an artifact, an index, a model or results, found none; name what is here")
    yield from _folder(path) if path.is_dir() else _file(path)


def _folder(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[tuple[bool, str]]:
    """``above``: files that the record of a folder above has named."""
    if folder.suffix in UNFINISHED:
        return
    if (folder / DESCRIPTION).is_file():
        yield from _index(folder)
        return
    if (folder / DIGESTS).is_file():
        yield from _listed_files(folder)
        return
    items = sorted(item for item in folder.iterdir() if not item.name.startswith("."))
    if any(item.name in WRITTEN_BY_STAGES for item in items):
        yield False, f"{folder}: has no digests: an older version wrote it"
        items = [item for item in items if item.is_dir()]
    if (folder / REPORTED).is_file():
        names = _json(folder / REPORTED).get(RECORDED, {})
        for name, sha256 in names.items():
            yield from _compared(folder / name, str(sha256))
        above = above | {folder / name for name in names}
    without = 0
    for item in items:
        if item.is_dir():
            yield from _folder(item, above)
            continue
        lines = [*_file(item)]
        yield from (line for line in lines if line[0])
        without += any(not line[0] for line in lines) and item not in above and not _beside_a_result(item)
    if without:
        yield False, f"{folder}: {without} files have no digests: an older version wrote them, or somebody else"


def _listed_files(folder: Path) -> Iterator[tuple[bool, str]]:
    """The files that a folder's list names; a list that it names is followed."""
    try:
        names = listed(folder) or {}
    except InputError as error:
        yield True, str(error)
        return
    for name, sha256 in names.items():
        yield from _compared(folder / name, sha256)
        if Path(name).name == DIGESTS and (folder / name).is_file():
            yield from _listed_files((folder / name).parent)


def _beside_a_result(path: Path) -> bool:
    """Whether a result of that name holds the digest of this table, or this is the record that holds a file's."""
    if path.name.endswith(RECORD):
        return bool(_json(path).get(RECORDED))
    result = path.with_name(f"{path.name.partition('.')[0]}.json")
    return path.suffix == ".parquet" and result.is_file() and TABLE in _json(result)


def _compared(path: Path, sha256: str) -> Iterator[tuple[bool, str]]:
    if not path.is_file():
        yield True, f"{path}: is missing, though it was written here"
    elif file_digest(path) != sha256:
        yield True, str(damaged(path))


def _file(path: Path) -> Iterator[tuple[bool, str]]:
    """A single file: by the list of its folder, its record, or its own seal."""
    try:
        known = recorded(path) is not None
        check_stored(path)
        if path.suffix == ".json":
            known = known or _is_sealed(path)
            if table := _json(path).get(TABLE):
                beside = [file for end in ("ranks", "items") if (file := path.with_name(f"{path.stem}.{end}.parquet")).is_file()]
                yield from itertools.chain(*(_compared(file, table) for file in beside))
    except InputError as error:
        yield True, str(error)
        return
    if not known:
        yield False, f"{path}: has no digest"


def _is_sealed(path: Path) -> bool:
    """Raises InputError if the file is sealed and not whole, or no JSON."""
    read_json(path)
    return f'"{REST}"'.encode() in path.read_bytes()


def _json(path: Path) -> dict[str, Any]:
    value = read_json(path)
    return value if isinstance(value, dict) else {}


def _index(folder: Path) -> Iterator[tuple[bool, str]]:
    """Description and contents, which shards, rows and structure they name, and every vector."""
    try:
        known, contents = read_description(folder), read_contents(folder)
    except InputError as error:
        yield True, str(error)
        return
    if contents.shards and contents.shards[0].sha256 is None:
        yield False, f"{folder}: has no digests: an older version wrote it"
    yield from _structure(folder, contents)
    for entry in contents.shards:
        yield from _shard(folder, known, contents, entry.name)


def _structure(folder: Path, contents: Contents) -> Iterator[tuple[bool, str]]:
    held = contents.structure
    if held is not None and not (folder / held.file).is_file():
        yield True, f"{folder / held.file}: is missing, though contents.json names it"
    elif held is not None and held.sha256 is not None:
        yield from _compared(folder / held.file, held.sha256)


def _shard(folder: Path, known: Description, contents: Contents, name: str) -> Iterator[tuple[bool, str]]:
    entry = next(one for one in contents.shards if one.name == name)
    place = folder / "shards" / name
    if entry.sha256 is not None:
        wrong = [*_compared(place / DIGESTS, entry.sha256), *_listed_files(place)] if place.is_dir() else []
        if wrong:
            yield from wrong
            return
    try:
        shard = read_shard(folder, entry, known.width)
        _ = shard.vectors
    except InputError as error:
        yield True, str(error)
