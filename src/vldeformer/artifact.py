"""Files appear whole or not at all, are on the disk when they have their names, and are compared with their digests when read."""

import codecs
import contextlib
import fcntl
import json
import os
import re
import shutil
import tempfile
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from vldeformer.durable import name_file, name_folder, recover
from vldeformer.errors import InputError
from vldeformer.folder_lock import check_unlocked, folder_lock
from vldeformer.stored_digests import DIGESTS, check_bytes, check_stored, seal, sealed, unsealed

RECORD = "provenance.json"
"""Where a stage says beside its output how it was made."""
WRITTEN_BY_STAGES = {RECORD, DIGESTS, "encoder.json", "ids.json", "photographs.json", "parts.json"}
"""Every folder that a stage writes holds one of these files."""
TEMPORARY = ".tmp"
"""Ending of what is not whole yet: .NAME.xxxxxxxx.tmp beside NAME."""
NUMPY, ZIP, PICKLE = "a NumPy array (.npy)", "a zip archive (such as .npz or .pt)", "a pickle"
STARTS = {b"\x93NUMPY": NUMPY, b"PK": ZIP, b"\x80": PICKLE}
"""First bytes of a file → what it looks like."""
ARRAY_ERRORS = (ValueError, TypeError, SyntaxError, OverflowError, tokenize.TokenError)
"""What NumPy raises of a file that is no array or whose header is damaged."""


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; it takes the name ``path`` only if the block ends without an error.

    What killed processes left of the same file is removed. Raises InputError as ``check_file`` does.
    """
    check_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    handle, temporary = _held_file(path)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        name_file(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """The same for a folder: an older one of that name is replaced only when the new one is complete, with its ``digests.json``.

    Raises InputError as ``check_replaceable`` does.
    """
    check_replaceable(path)
    with folder_lock(path):
        recover(path)
        _remove_leftovers(path)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=TEMPORARY, dir=path.parent))
        try:
            yield temporary
            finish_folder(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def whole_parts(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder; at the end what is in it replaces what has the same names in ``folder``, and the rest stays.

    Records come last: until then there is none, so that none tells of half a folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder):
        made = folder / "parts"
        _remove_leftovers(made)
        temporary = Path(tempfile.mkdtemp(prefix=f".{made.name}.", suffix=TEMPORARY, dir=folder))
        try:
            yield temporary
            items = sorted(temporary.iterdir(), key=lambda item: (item.name.endswith(RECORD), item.name))
            for item in items:
                if item.name.endswith(RECORD):
                    (folder / item.name).unlink(missing_ok=True)
            for item in items:
                if item.is_dir():
                    recover(folder / item.name)
                    name_folder(item, folder / item.name)
                else:
                    name_file(item, folder / item.name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def finish_folder(made: Path, path: Path) -> None:
    """Give a folder that is complete its digests and its name; whoever calls it holds the folder's lock.

    A folder in which a killed run goes on is named by this alone: a kill leaves it, or the result.
    """
    seal(made)
    os.chmod(made, 0o777 & ~_umask())
    recover(path)
    name_folder(made, path)


def finish_part(part: Path, path: Path, stores: Sequence[str] = ()) -> None:
    """The same of a folder in which killed runs went on, so that digests in it may be of older content.

    Args:
        part: the folder.
        path: its name when it is complete.
        stores: folders in it that get a list of digests of their own, as they can be used alone.

    """
    for older in part.rglob(DIGESTS):
        older.unlink()
    for name in stores:
        seal(part / name)
    finish_folder(part, path)


def discard(folder: Path, made: Path) -> None:
    """Delete a folder at once: a kill leaves nothing of it but what the next writing of ``made``, beside it, removes."""
    name = tempfile.mktemp(prefix=f".{made.name}.", suffix=TEMPORARY, dir=folder.parent)
    os.replace(folder, name)
    shutil.rmtree(name)


def _held_file(path: Path) -> tuple[int, Path]:
    """A new temporary file and its open handle, which holds a lock: so others see that somebody writes it."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=TEMPORARY, dir=path.parent)
        with contextlib.suppress(OSError):  # a file system without locks: what is left there is kept
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if Path(name).exists():  # not taken for a leftover before it was locked
            return handle, Path(name)
        os.close(handle)


def _remove_leftovers(path: Path) -> None:
    """Delete what killed processes left of a file or folder: a folder's lock is held, of a file nobody holds the lock."""
    leftover = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}{re.escape(TEMPORARY)}")
    for item in path.parent.iterdir():
        if not leftover.fullmatch(item.name):
            continue
        if item.is_dir():
            shutil.rmtree(item, ignore_errors=True)
            continue
        with contextlib.suppress(OSError), item.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            item.unlink()


def check_file(path: Path) -> None:
    """Raises InputError if a file that is to be written is a folder. What takes long to make asks before it begins."""
    if path.is_dir():
        raise InputError(f"{path}: expected the name of a file to write, got a folder; name a file in it")


def check_result(path: Path, beside: str) -> None:
    """Raises InputError if a result is to be written to what is not the name of a .json file; ``beside``: what goes beside it."""
    if path.suffix != ".json" or path.is_dir():
        raise InputError(f"{path}: expected the name of a file that ends in .json; {beside} go beside it")


def check_replaceable(path: Path) -> None:
    """Raises InputError if another process writes the folder, or if writing it would replace something that no step has written.

    Steps call it before long work.
    """
    check_unlocked(path)
    if not path.exists():
        return
    names = {item.name for item in path.iterdir() if not item.name.startswith(".")} if path.is_dir() else {path.name}
    if names and not names & WRITTEN_BY_STAGES:
        raise InputError(
            f"{path}: expected a new or empty folder, or one to replace that was written here; it holds other things"
        )


def write_json(path: Path, value: Any, seal_it: bool = False) -> None:
    """Write ``value`` as sorted, indented UTF-8 JSON: the same value always gives the same bytes.

    Args:
        path: the file.
        value: what JSON can hold.
        seal_it: with a digest of itself among its keys (``value`` is an object): of a file that stands alone.

    """
    written = sealed(value) if seal_it else value
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(written, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read JSON. Raises InputError naming the file if it is missing, cut short, not JSON or not what was written here."""
    try:
        content = path.read_bytes()
        value = json.loads(content.decode("utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: expected a JSON file, found none") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: expected JSON, got something else ({error}); it may be cut short") from None
    check_bytes(path, content)
    return unsealed(value, path)


def read_texts(path: Path) -> list[str]:
    """Read a JSON list of texts, as ids and words are. Raises InputError naming the file if it is something else."""
    value = read_json(path)
    if not isinstance(value, list):
        raise InputError(f"{path}: expected a list of texts, got {str(value)[:60]}")
    for row, text in enumerate(value):
        if not isinstance(text, str):
            raise InputError(f"{path}: expected a list of texts, got {str(text)[:60]} in place {row}")
    return value


def map_array(path: Path) -> np.ndarray:
    """Memory-map a .npy file for reading. Raises InputError naming the file if it is missing, cut short or something else."""
    try:
        array: np.ndarray = np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError:
        raise InputError(f"{path}: expected an array file, found none") from None
    except ARRAY_ERRORS:
        # NumPy's own words run over several lines or advise to load the file unsafely.
        found = kind_of_file(path)
        came = "one that is damaged, cut short or of Python objects; make it again" if found == NUMPY else found
        raise InputError(f"{path}: expected a NumPy array file (.npy), got {came}") from None
    return array


def load_array(path: Path) -> np.ndarray:
    """The same, read into memory; it is what was written here, or was not written here."""
    array = map_array(path)
    check_stored(path)
    return np.array(array)


def kind_of_file(path: Path) -> str:
    """What an existing file looks like by its first bytes, in words for a message."""
    with path.open("rb") as file:
        start = file.read(512)
    for mark, kind in STARTS.items():
        if start.startswith(mark):
            return kind
    if not start:
        return "an empty file"
    printed = codecs.getincrementaldecoder("utf-8")("replace").decode(start).translate({9: " ", 10: " ", 13: " ", 0xFEFF: " "})
    return "a text file" if printed.isprintable() and "\N{REPLACEMENT CHARACTER}" not in printed else "another kind of file"


def write_array_header(file: BinaryIO, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    """Start a .npy file whose numbers, in C order, are written behind it as they come."""
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
