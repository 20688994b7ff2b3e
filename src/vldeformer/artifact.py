"""Files appear whole or not at all, and are known by a digest of their content."""

import codecs
import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from vldeformer.errors import InputError
from vldeformer.folder_lock import check_unlocked, folder_lock

RECORD = "provenance.json"
"""Where a stage says beside its output how it was made."""
WRITTEN_BY_STAGES = {RECORD, "encoder.json", "ids.json", "photographs.json", "parts.json"}
"""Every folder that a stage writes holds one of these files."""
REMEMBERED_BYTES = 64 << 20
"""From this size on a digest is kept beside what it is of."""
SETTLED_NS = 2_000_000_000
"""A file that changed less than this before it is read may change again within the resolution of its time."""
TOLD = {RECORD, "README.md"}
"""Files that tell of an artifact and are no part of it: its record, and the card of a model."""
NUMPY, ZIP, PICKLE = "a NumPy array (.npy)", "a zip archive (such as .npz or .pt)", "a pickle"
STARTS = {b"\x93NUMPY": NUMPY, b"PK": ZIP, b"\x80": PICKLE}
"""First bytes of a file → what it looks like."""
ARRAY_ERRORS = (ValueError, TypeError, SyntaxError, OverflowError, tokenize.TokenError)
"""What NumPy raises of a file that is no array or whose header is damaged."""


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; it takes the name ``path`` only if the block ends without an error.

    Raises InputError as ``check_file`` does.
    """
    check_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """The same for a folder: an older one of that name is replaced only when the new one is complete.

    Raises InputError as ``check_replaceable`` does.
    """
    check_replaceable(path)
    with folder_lock(path):
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            yield temporary
            os.chmod(temporary, 0o777 & ~_umask())
            if path.exists():
                shutil.rmtree(path)
            os.replace(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


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


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as sorted, indented UTF-8 JSON: the same value always gives the same bytes."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read JSON. Raises InputError naming the file if it is missing, cut short or not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: expected a JSON file, found none") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: expected JSON, got something else ({error}); it may be cut short") from None


def read_texts(path: Path) -> list[str]:
    """Read a JSON list of texts, as ids and words are. Raises InputError naming the file if it is something else."""
    value = read_json(path)
    if not isinstance(value, list):
        raise InputError(f"{path}: expected a list of texts, got {str(value)[:60]}")
    for row, text in enumerate(value):
        if not isinstance(text, str):
            raise InputError(f"{path}: expected a list of texts, got {str(text)[:60]} in place {row}")
    return value


def record_path(path: Path) -> Path:
    """Where the record of a single file stands: tokenizer.json → tokenizer.provenance.json."""
    return path.with_name(f"{path.stem}.provenance.json")


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
    """The same, read into memory."""
    return np.array(map_array(path))


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


def digest(path: Path) -> str:
    """sha256 of a file, or of a folder's files in the order of their relative names. Hidden files and those that tell of it
    (``TOLD``) are left out.

    What is large is read once: the digest is kept beside it, in ``.NAME.digest.json``, and holds as long as no file has come
    or gone and each has the size, number and times (ns) that it had.
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
        if file.name not in TOLD:
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
    own = {name: _file_digest(file) for name, file in files.items()}
    if path.is_file():
        return own[""]
    return hashlib.sha256("".join(f"{name}\0{sha256}\n" for name, sha256 in own.items()).encode()).hexdigest()


def _file_digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
