"""One process at a time writes a folder; the lock of a process that died is free."""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from vldeformer.errors import InputError

_held: set[Path] = set()
"""Lock files that this process holds: a step locks the folder that it replaces at its end."""


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder for writing during the block. The same process may take the lock again inside the block.

    Raises InputError if another process writes the folder.
    """
    path = _lock_file(folder)
    if path in _held:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path, folder) as file:
        file.write(f"{os.getpid()} {socket.gethostname()}\n")
        file.flush()
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)
            path.unlink(missing_ok=True)


def check_unlocked(folder: Path) -> None:
    """Raises InputError if another process writes the folder. Steps call it before long work."""
    path = _lock_file(folder)
    if path in _held:
        return
    with contextlib.suppress(FileNotFoundError, PermissionError), path.open("r+", encoding="utf-8") as file:
        _take(file, folder)


def _lock_file(folder: Path) -> Path:
    """Beside the folder, because the folder itself is replaced."""
    return folder.parent.resolve() / f".{folder.name}.lock"


def _locked(path: Path, folder: Path) -> TextIO:
    """The open lock file, locked. A file that another process has just removed locks nothing: then the next one is taken."""
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            _take(file, folder)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    file.truncate(0)
                    return file
        except BaseException:
            file.close()
            raise
        file.close()


def _take(file: TextIO, folder: Path) -> None:
    try:
        # A lock of POSIX, not of flock: a forked child does not keep it when its parent dies.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        pid, _, host = file.read().strip().partition(" ")
        where = f" on {host}" if host and host != socket.gethostname() else ""
        raise InputError(f"{folder}: process {pid or '?'}{where} is writing this folder; wait for it or stop it") from None
