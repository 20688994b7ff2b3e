"""Unpacking ZIP files that come from somebody else: nothing leaves its folder, nothing is larger than it may be."""

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from vldeformer.errors import InputError

MOST_GROWTH = 20
"""Times its own size that an archive may unpack to. Captions grow 5 times, photographs not at all, a bomb a thousand times."""

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What zipfile raises for a damaged archive, for a compression that it does not know, and for a member with a password."""


def unpack(archive: Path, member: str, target: Path) -> None:
    """Unpack one file, or one folder (``member`` ends in ``/``), to ``target``, which must not exist; whole or not at all.

    Hidden files are left out. The CRC of each file is checked. Raises InputError naming archive and file if one is damaged, is
    a link, or points outside (wherever it stands in the archive), or if the whole would grow more than MOST_GROWTH times.
    """
    # Its name is always the same, so that what a killed run left is deleted and not kept for ever.
    partial = archive.with_name(f"{archive.name}.unpacked")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as bundle:
            chosen = _chosen(archive, bundle, member)
            for info, below in tqdm(chosen, desc=archive.name, unit="file", mininterval=2, disable=None):
                _write(archive, bundle, info, partial / below)
        target.parent.mkdir(parents=True, exist_ok=True)
        (partial if member.endswith("/") else partial / chosen[0][1]).rename(target)
    except DAMAGED as error:
        raise InputError(f"{archive}: expected a whole ZIP file, it is damaged ({error}); delete it, fetch again") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _chosen(archive: Path, bundle: zipfile.ZipFile, member: str) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """The files to unpack, with their paths below the target."""
    chosen: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for info in bundle.infolist():
        path = PurePosixPath(info.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in info.filename.split("/")[0]:
            raise InputError(f"{archive}: file {info.filename!r} points outside its folder; do not use this archive")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise InputError(f"{archive}: file {info.filename!r} is a link; do not use this archive")
        if member.endswith("/") and info.filename.startswith(member):
            below = path.relative_to(member)
        elif info.filename == member:
            below = PurePosixPath(path.name)
        else:
            continue
        if info.is_dir() or any(part.startswith(".") for part in below.parts):
            continue
        if below in chosen:
            raise InputError(f"{archive}: file {info.filename!r} comes twice; do not use this archive")
        chosen[below] = info
    if not chosen:
        raise InputError(f"{archive}: expected {member} in it, found none; the archive has changed")
    size, most = sum(info.file_size for info in chosen.values()), MOST_GROWTH * archive.stat().st_size
    if size > most:
        raise InputError(f"{archive}: would unpack to {size:,} bytes, more than {most:,}; do not use this archive")
    return [(info, below) for below, info in chosen.items()]


def _write(archive: Path, bundle: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # `zipfile` reads no more than the size that the archive states, and checks the CRC at its end.
    with bundle.open(info) as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file, 1 << 20)
    if path.stat().st_size != info.file_size:
        raise InputError(f"{archive}: file {info.filename!r} is shorter than it says; delete the archive, fetch again")
