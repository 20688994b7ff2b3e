"""Files appear whole or not at all, carry a digest, and say where they came from."""

import codecs
import contextlib
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import tokenize
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from vldeformer.errors import InputError

WRITTEN_BY_STAGES = {"provenance.json", "encoder.json", "ids.json", "photographs.json", "parts.json"}
"""Every folder that a stage writes holds one of these files."""
PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "scikit-learn", "pytorch-metric-learning")
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
    path.parent.mkdir(parents=True, exist_ok=True)
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
    """Raises InputError if a folder that is to be written would replace something that no stage has written.

    What takes long to make asks before it begins.
    """
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
    """sha256 of a file, or of a folder's files in the order of their relative names (hidden files left out)."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    total = hashlib.sha256()
    for file_path in sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")):
        if file_path.name != "provenance.json":
            total.update(f"{file_path.relative_to(path).as_posix()}\0{digest(file_path)}\n".encode())
    return total.hexdigest()


def provenance(settings: Mapping[str, Any], inputs: Mapping[str, Path], started: float) -> dict[str, Any]:
    """Where an artifact came from: settings, input digests, code version, packages, hardware and wall time (seconds).

    ``started`` is the value of ``time.monotonic()`` when the stage began. Contains times and machine names, so it is
    written beside an artifact and never inside a file that must be equal between runs.
    """
    return {
        "settings": dict(settings),
        "inputs": {name: {"path": str(path), "sha256": digest(path)} for name, path in inputs.items()},
        "code": _code_version(),
        "command": sys.argv,
        "packages": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "machine": {"system": platform.platform(), "processor": platform.processor(), "cores": os.cpu_count()},
        "wall_seconds": round(time.monotonic() - started, 2),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _code_version() -> dict[str, Any]:
    here = Path(__file__).parent
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
        dirty = subprocess.run(["git", "status", "--porcelain"], cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None, "version": _version("vldeformer")}
    return {"commit": commit.stdout.strip(), "dirty": bool(dirty.stdout.strip()), "version": _version("vldeformer")}


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
