"""Making an index and changing it: images are added shard by shard, so that a killed command goes on where it was.

What is known is not read again: running the command once more adds what is new and replaces what has changed.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import PIL.Image

from vldeformer.content_digest import digest
from vldeformer.data.photograph_files import is_utf8
from vldeformer.encoder import Encoder, load
from vldeformer.errors import InputError
from vldeformer.models.importing import files_of
from vldeformer.retrieval.item_vectors import Progress, silent
from vldeformer.search.file_checksums import file_checksum
from vldeformer.search.images import ImageSource, Listed, open_images
from vldeformer.search.index_state import IndexState
from vldeformer.search.layout import (
    CONTENTS,
    DESCRIPTION,
    SHARDS,
    Contents,
    Description,
    StructureEntry,
    StructureKind,
    locked,
    read_description,
    read_shard,
    write_section,
    write_shard,
)
from vldeformer.search.photograph_vectors import encode_listed
from vldeformer.search.structure import build_structure, choose_structure
from vldeformer.stored_digests import file_digest

SHARD_IMAGES = 2_048
BLANK_SIDE = 64  # pixels of the picture that a model is tried with
UNCOVERED_SHARE = 0.1
"""New rows, as a share of those that a structure covers, from which on it is built anew."""

Started = Callable[[int], Progress]
"""Called with the number of images that are to be read; gives what is told of each batch."""


@dataclass(frozen=True)
class Skipped:
    """An image that could not be read, and why."""

    id: str
    problem: str


@dataclass(frozen=True)
class IndexReport:
    """What a run did.

    images: what the index holds now; removed: those taken out because they are gone, if that was asked for, or because their file
    changed into one that cannot be read; gone: indexed images that are no longer there and were kept. skipped: images that are
    there and could not be read now; an indexed one that the system does not hand over (no permission, a disk that is not mounted)
    stays in the index as it was, and is tried again by the next run.
    """

    images: int
    added: int
    replaced: int
    removed: int
    gone: int
    skipped: tuple[Skipped, ...]
    structure: StructureKind
    built: bool


def index_images(
    model: str | Path,
    images: str | Path,
    out: str | Path,
    structure: Literal["auto"] | StructureKind | None = None,
    prune: bool = False,
    device: Literal["cpu", "cuda"] = "cpu",
    started: Started = lambda total: silent,
) -> IndexReport:
    """Make the index ``out`` of the photographs or the store at ``images``, or add to it what is new there.

    structure None: as before, at first ``auto``, by the rule of ``choose_structure``. prune: take out what is no longer there.
    Raises InputError if the index is of another version, model or source, if another command is writing it, if the model cannot
    read such images, or if a path is not UTF-8; nothing is written then.
    """
    images, out = Path(images), Path(out)
    if out.exists() and not (out / DESCRIPTION).is_file() and (not out.is_dir() or _foreign(out)):
        raise InputError(f"{out}: expected a new or empty folder, or an index to add to; it holds other things")
    source, encoder = open_images(images, outside=out), load(model, device)
    listed = source.listed()
    if not listed:
        raise InputError(f"{images}: expected images, found none")
    for name in (images.resolve(), out.resolve()):
        if not is_utf8(str(name)):
            raise InputError(f"{str(name)!a}: expected a path in UTF-8, got other bytes; rename it")
    path = Path(model)
    wanted = Description(
        model=str(path.resolve()) if path.exists() else str(model),
        model_sha256=digest(files_of(model)),
        width=encoder.model.embedding_size,
        images=os.path.relpath(images.resolve(), out.resolve()),
        images_kind=source.kind,
    )
    _check_readable(encoder, source, listed)
    with locked(out):
        known = _described(out, wanted)
        before = IndexState.of(out, known)
        failed = [one for one in listed if one.problem is not None and one.id in before.rows]
        kept = {one.id for one in failed}
        pending = [one for one in listed if one.id not in kept and not before.has(one)]
        _drop_uncommitted(out, before.contents)
        contents, added, replaced, lost, progress = before.contents, 0, 0, 0, started(len(pending))
        if structure is not None:
            contents = contents.model_copy(update={"wanted": structure})
        for start in range(0, len(pending), SHARD_IMAGES):
            found = encode_listed(encoder, source, pending[start : start + SHARD_IMAGES], progress)
            failed += found.failed
            if not found.read and not found.damaged:
                continue
            entry = write_shard(out, f"{len(contents.shards):06}", found.read, found.vectors, found.damaged)
            old, unreadable = before.rows_of(found.read), before.rows_of(found.damaged)
            contents = _without(contents.model_copy(update={"shards": (*contents.shards, entry)}), [*old, *unreadable])
            write_section(out / CONTENTS, contents)
            added, replaced, lost = added + len(found.read) - len(old), replaced + len(old), lost + len(unreadable)
        gone = before.missing_in(listed)
        if prune:
            contents = _without(contents, gone)
        contents, built = _structured(out, known.width, contents)
        write_section(out / CONTENTS, contents)
        _drop_uncommitted(out, contents)
        after = IndexState.of(out, known)
    names = {one.id for one in listed}
    problems = {name: one.problem for name, one in after.skipped.items() if name in names}
    problems |= {one.id: one.problem for one in failed}
    return IndexReport(
        images=len(after.rows),
        added=added,
        replaced=replaced,
        removed=lost + (len(gone) if prune else 0),
        gone=0 if prune else len(gone),
        skipped=tuple(Skipped(name, str(problem)) for name, problem in sorted(problems.items())),
        structure=contents.structure.kind if contents.structure else "flat",
        built=built,
    )


def remove_images(index: str | Path, ids: Iterable[str]) -> int:
    """Take images out of an index; returns how many it holds then. Raises InputError, and removes none, if one is not in it."""
    if isinstance(ids, str):
        raise InputError(f"ids: expected a list of ids, got one str; give [{ids!r}]")
    index = Path(index)
    known = read_description(index)
    with locked(index):
        before, names = IndexState.of(index, known), list(ids)
        unknown = [name for name in names if name not in before.rows]
        if unknown:
            others = f" ({len(unknown) - 1} more are not)" if len(unknown) > 1 else ""
            raise InputError(f"{index}: image {unknown[0]!r} is not in the index{others}; nothing was removed")
        contents, _ = _structured(index, known.width, _without(before.contents, [before.rows[name] for name in names]))
        write_section(index / CONTENTS, contents)
        _drop_uncommitted(index, contents)
    return contents.rows - len(contents.removed)


def _check_readable(encoder: Encoder, source: ImageSource, listed: Sequence[Listed]) -> None:
    """Raises InputError if the model cannot read such images."""
    if source.kind in ("regions", "pixels"):
        encoder.transform(source[listed[0].id])  # a store is of one kind: what its first image says holds for all
    else:
        encoder.transform(PIL.Image.new("RGB", (BLANK_SIDE, BLANK_SIDE)))


def _without(contents: Contents, rows: Sequence[int]) -> Contents:
    return contents.model_copy(update={"removed": tuple(sorted({*contents.removed, *rows}))})


def _described(folder: Path, wanted: Description) -> Description:
    """The description in ``folder``, written if there is none."""
    if not (folder / DESCRIPTION).is_file():
        write_section(folder / CONTENTS, Contents())
        write_section(folder / DESCRIPTION, wanted)
        return wanted
    known = read_description(folder)
    if known.model_sha256 != wanted.model_sha256:
        raise InputError(f"{folder}: made by another model, {known.model}; give that one or index into a new folder")
    if (known.images, known.images_kind) != (wanted.images, wanted.images_kind):
        place = (folder.resolve() / known.images).resolve()
        raise InputError(f"{folder}: it is an index of {place}; give that as --images or index into a new folder")
    return known


def _structured(folder: Path, width: int, contents: Contents) -> tuple[Contents, bool]:
    """Contents with the structure that they should have, and whether it was built now."""
    kind = choose_structure(contents.rows) if contents.wanted == "auto" else contents.wanted
    old = contents.structure
    if kind == "flat" or not contents.rows:
        return contents.model_copy(update={"structure": None}), old is not None
    if old is not None and old.kind == kind and contents.rows - old.rows <= UNCOVERED_SHARE * old.rows:
        return contents, False
    parts = [read_shard(folder, entry, width).vectors for entry in contents.shards]
    name = f"{kind}-{contents.rows}.faiss"
    build_structure(folder / name, kind, parts)
    path = folder / name
    held = StructureEntry(kind=kind, file=name, rows=contents.rows, sha256=file_digest(path), xxh3=file_checksum(path))
    return contents.model_copy(update={"structure": held}), True


def _drop_uncommitted(folder: Path, contents: Contents) -> None:
    """Delete what a killed run left, and structures that were replaced."""
    kept = {entry.name for entry in contents.shards}
    for path in (folder / SHARDS).glob("*") if (folder / SHARDS).is_dir() else ():
        if path.name not in kept and path.is_dir():  # a desktop may have put a file of its own there
            shutil.rmtree(path)
    for path in folder.glob("*.faiss*"):
        if contents.structure is None or path.name != contents.structure.file:
            path.unlink()
    for path in folder.glob(".*.json.*"):
        path.unlink()


def _foreign(folder: Path) -> bool:
    return any(path.name != CONTENTS and not path.name.startswith(".") for path in folder.iterdir())
