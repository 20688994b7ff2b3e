"""Making an index and changing it: images are added shard by shard, so that a killed command goes on where it was.

What is known is not read again: running the command once more adds what is new and replaces what has changed.
"""

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vldeformer.artifact import digest
from vldeformer.errors import InputError
from vldeformer.models.importing import files_of
from vldeformer.retrieval.encode import Progress, silent
from vldeformer.retrieval.encoder import load
from vldeformer.search.encoding import encode_listed
from vldeformer.search.images import Listed, open_images
from vldeformer.search.layout import (
    CONTENTS,
    DESCRIPTION,
    SHARDS,
    Contents,
    Description,
    StructureEntry,
    StructureKind,
    locked,
    read_contents,
    read_description,
    read_shard,
    write_section,
    write_shard,
)
from vldeformer.search.structure import build_structure, choose_structure

SHARD_IMAGES = 2_048
UNCOVERED_SHARE = 0.1
"""New and removed rows, as a share of those that a structure covers, from which on it is built anew."""

Started = Callable[[int], Progress]
"""Called with the number of images that are to be read; gives what is told of each batch."""


@dataclass(frozen=True)
class Skipped:
    """An image that could not be read, and why."""

    id: str
    problem: str


@dataclass(frozen=True)
class IndexReport:
    """What a run did. images: what the index holds now; gone: indexed images that are no longer there and were kept."""

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
    images: Path,
    out: Path,
    structure: Literal["auto"] | StructureKind | None = None,
    prune: bool = False,
    device: Literal["cpu", "cuda"] = "cpu",
    started: Started = lambda total: silent,
) -> IndexReport:
    """Make the index ``out`` of the photographs or the store at ``images``, or add to it what is new there.

    structure None: as before, at first ``auto``, by the rule of ``choose_structure``. prune: take out what is no longer there.
    Raises InputError if the index is of another version, model or source, if another command is writing it, or if the model
    cannot read such images; nothing is written then.
    """
    if out.exists() and not (out / DESCRIPTION).is_file() and (not out.is_dir() or _foreign(out)):
        raise InputError(f"{out}: expected a new or empty folder, or an index to add to; it holds other things")
    source, encoder = open_images(images, outside=out), load(model, device)
    listed = source.listed()
    if not listed:
        raise InputError(f"{images}: expected images, found none")
    path = Path(model)
    wanted = Description(
        model=str(path.resolve()) if path.exists() else str(model),
        model_sha256=digest(files_of(model)),
        width=encoder.model.embedding_size,
        images=os.path.relpath(images.resolve(), out.resolve()),
        images_kind=source.kind,
    )
    if source.kind != "folder":
        encoder.transform(source[listed[0].id])  # a store is of one kind: what its first image says holds for all
    with locked(out):
        known = _described(out, wanted)
        before = _Known.of(out, known)
        pending = [one for one in listed if not before.has(one)]
        _drop_uncommitted(out, before.contents)
        contents, added, progress = before.contents, 0, started(len(pending))
        if structure is not None:
            contents = contents.model_copy(update={"wanted": structure})
        for start in range(0, len(pending), SHARD_IMAGES):
            read, vectors, skipped = encode_listed(encoder, source, pending[start : start + SHARD_IMAGES], progress)
            entry = write_shard(out, f"{len(contents.shards):06}", read, vectors, skipped)
            replaced = [before.rows[one.id] for one in [*read, *skipped] if one.id in before.rows]
            removed = tuple(sorted({*contents.removed, *replaced}))
            contents = contents.model_copy(update={"shards": (*contents.shards, entry), "removed": removed})
            write_section(out / CONTENTS, contents)
            added += len(read)
        names = {one.id for one in listed}
        gone = [row for name, row in before.rows.items() if name not in names]
        if prune:
            contents = contents.model_copy(update={"removed": tuple(sorted({*contents.removed, *gone}))})
        replaced_now = len(contents.removed) - len(before.contents.removed) - (len(gone) if prune else 0)
        contents, built = _structured(out, known.width, contents)
        write_section(out / CONTENTS, contents)
        _drop_uncommitted(out, contents)
        after = _Known.of(out, known)
    return IndexReport(
        images=len(after.rows),
        added=added - replaced_now,
        replaced=replaced_now,
        removed=len(gone) if prune else 0,
        gone=0 if prune else len(gone),
        skipped=tuple(Skipped(name, str(one.problem)) for name, one in sorted(after.skipped.items())),
        structure=contents.structure.kind if contents.structure else "flat",
        built=built,
    )


def remove_images(index: Path, ids: Iterable[str]) -> int:
    """Take images out of an index; returns how many it holds then. Raises InputError, and removes none, if one is not in it."""
    known = read_description(index)
    with locked(index):
        before, names = _Known.of(index, known), list(ids)
        unknown = [name for name in names if name not in before.rows]
        if unknown:
            others = f" ({len(unknown) - 1} more are not)" if len(unknown) > 1 else ""
            raise InputError(f"{index}: image {unknown[0]!r} is not in the index{others}; nothing was removed")
        removed = tuple(sorted({*before.contents.removed, *(before.rows[name] for name in names)}))
        contents, _ = _structured(index, known.width, before.contents.model_copy(update={"removed": removed}))
        write_section(index / CONTENTS, contents)
        _drop_uncommitted(index, contents)
    return contents.rows - len(contents.removed)


@dataclass(frozen=True)
class _Known:
    """What an index knows: rows: the row of each image that can be found; skipped: images that could not be read."""

    contents: Contents
    rows: dict[str, int]
    read: dict[str, Listed]
    skipped: dict[str, Listed]

    @classmethod
    def of(cls, folder: Path, description: Description) -> "_Known":
        contents = read_contents(folder)
        removed, start = set(contents.removed), 0
        rows, read, skipped = dict[str, int](), dict[str, Listed](), dict[str, Listed]()
        for entry in contents.shards:
            shard = read_shard(folder, entry, description.width)
            for number, values in enumerate(shard.items.to_pylist(), start=start):
                skipped.pop(values["id"], None)
                if number not in removed:
                    rows[values["id"]], read[values["id"]] = number, Listed(**values)
            skipped |= {values["id"]: Listed(**values) for values in shard.skipped}
            start += entry.rows
        return cls(contents, rows, read, skipped)

    def has(self, one: Listed) -> bool:
        """Whether it was read or skipped as it is now."""
        known = self.read.get(one.id) or self.skipped.get(one.id)
        return known is not None and (known.size, known.mtime_ns) == (one.size, one.mtime_ns)


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
    return contents.model_copy(update={"structure": StructureEntry(kind=kind, file=name, rows=contents.rows)}), True


def _drop_uncommitted(folder: Path, contents: Contents) -> None:
    """Delete what a killed run left, and structures that were replaced."""
    kept = {entry.name for entry in contents.shards}
    for path in (folder / SHARDS).glob("*") if (folder / SHARDS).is_dir() else ():
        if path.name not in kept:
            shutil.rmtree(path)
    for path in folder.glob("*.faiss*"):
        if contents.structure is None or path.name != contents.structure.file:
            path.unlink()
    for path in folder.glob(".*.json.*"):
        path.unlink()


def _foreign(folder: Path) -> bool:
    return any(path.name != CONTENTS and not path.name.startswith(".") for path in folder.iterdir())
