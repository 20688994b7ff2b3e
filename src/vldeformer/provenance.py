"""The record of how an artifact was made: ``provenance.json`` in its folder, ``NAME.provenance.json`` next to a file NAME.json,
and ``report.provenance.json`` in a folder of results. ``vldeformer provenance`` follows these records down to the raw data.
"""

import hashlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from vldeformer.artifact import write_json
from vldeformer.content_digest import digest
from vldeformer.runtime import processor_name
from vldeformer.stored_digests import RECORDED, file_digest, record_path

PACKAGES = (
    "accelerate",
    "numpy",
    "pillow",
    "pyarrow",
    "pytorch-metric-learning",
    "scikit-image",
    "scikit-learn",
    "scipy",
    "tokenizers",
    "torch",
    "transformers",
)
"""Those whose version can change a number."""


def provenance(settings: Mapping[str, Any], inputs: Mapping[str, Path], started: float) -> dict[str, Any]:
    """Settings (the seeds among them), digests of inputs, code, package versions, hardware and wall time (seconds).

    ``started`` is the value of ``time.monotonic()`` when the stage began. Contains times and machine names, so it is
    written next to an artifact and never inside a file that must be equal between runs.
    """
    return {
        "settings": dict(settings),
        "inputs": {name: {"path": str(path), "sha256": digest(path)} for name, path in inputs.items()},
        "code": _code(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "packages": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "machine": _machine(),
        "wall_seconds": round(time.monotonic() - started, 2),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write the record of a single file next to it, with the digest of the file, which is compared when it is read."""
    write_json(record_path(path), {**record, RECORDED: {path.name: file_digest(path)}})


def by_place(paths: Sequence[Path]) -> dict[str, Path]:
    """Inputs named by folder and name, as decomposed/test; those that share these by their whole paths."""
    names = [f"{path.parent.name}/{path.stem}" for path in paths]
    return {name if names.count(name) == 1 else str(path): path for name, path in zip(names, paths, strict=True)}


def _machine() -> dict[str, Any]:
    """``memory_mib``: of the machine; ``gpus``: those that torch sees, none where the stage did not load it."""
    torch = sys.modules.get("torch")
    count = torch.cuda.device_count() if torch is not None else 0
    return {
        "system": platform.platform(),
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "memory_mib": psutil.virtual_memory().total >> 20,
        "gpus": [torch.cuda.get_device_name(number) for number in range(count)] if torch is not None else [],
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _code() -> dict[str, Any]:
    """``sha256``: of the package's source files, which differs between trees with uncommitted changes."""
    package = Path(__file__).parent
    sources = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        sources.update(f"{file.relative_to(package).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    code: dict[str, Any] = {"commit": None, "dirty": None, "version": _version("vldeformer"), "sha256": sources.hexdigest()}
    try:
        commit, changes = (_git(package, *words) for words in (("rev-parse", "HEAD"), ("status", "--porcelain")))
    except (OSError, subprocess.CalledProcessError):
        return code
    return code | {"commit": commit, "dirty": bool(changes)}


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
