"""What is named is on the disk: files and folders are handed to it before they get their names, and so are the names."""

import contextlib
import errno
import os
import shutil
from pathlib import Path

UNSUPPORTED = (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM)
"""What systems answer that cannot do it for a folder, or for a file of somebody else."""


def sync(path: Path) -> None:
    """Hand a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Hand a folder and all below it to the disk."""
    for place, _, names in os.walk(folder):
        for name in names:
            if (file := Path(place) / name).is_file() and not file.is_symlink():
                sync(file)
        sync(Path(place))


def name_file(temporary: Path, path: Path) -> None:
    """Give a complete file its name."""
    sync(temporary)
    os.replace(temporary, path)
    sync(path.parent)


def name_folder(temporary: Path, path: Path) -> None:
    """Give a complete folder its name. An older one goes aside first and is deleted last: ``recover`` undoes a kill between."""
    sync_tree(temporary)
    if path.exists():
        os.replace(path, _aside(path))
    os.replace(temporary, path)
    sync(path.parent)
    shutil.rmtree(_aside(path), ignore_errors=True)


def recover(path: Path) -> None:
    """Bring back the folder that a killed process had put aside, or delete it if the new one has its name."""
    aside = _aside(path)
    if not aside.exists():
        return
    if path.exists() and any(path.iterdir()):
        shutil.rmtree(aside)
        return
    with contextlib.suppress(FileNotFoundError):
        path.rmdir()
    os.replace(aside, path)


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")
