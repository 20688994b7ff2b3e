"""The record that a step wrote next to its output: where it is, what it holds, and what it says in words."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from vldeformer.artifact import RECORD, read_json
from vldeformer.errors import InputError
from vldeformer.evaluation.experiment_record import provenance_in
from vldeformer.stored_digests import record_path

REPORTED = "report.provenance.json"
"""The record of a folder that holds what several stages wrote: it names the ``outputs`` that it is of."""
NEAR = 3
"""A record is looked for in a folder and in those just above it: train/provenance.json is that of train/model/weights too."""


class Input(BaseModel):
    """What a step read, and the digest that it had then."""

    model_config = ConfigDict(frozen=True, extra="allow")

    path: str
    sha256: str


class StepRecord(BaseModel):
    """What is read of a record. What an older one lacks is None, and said to be not recorded."""

    model_config = ConfigDict(frozen=True)

    inputs: dict[str, Input]
    code: dict[str, Any] | None = None
    settings: Any = None
    packages: dict[str, Any] | None = None
    python: Any = None
    machine: dict[str, Any] | None = None
    finished: Any = None
    wall_seconds: Any = None
    command: list[Any] | None = None

    @classmethod
    def load(cls, path: Path) -> "StepRecord":
        """Read a record. Raises InputError naming the file if it is something else."""
        value = provenance_in(path) or read_json(path)
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors()[0]
            problem = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
            raise InputError(f"{path}: expected the record of a stage, got something else ({problem}); make it again") from None

    def code_in_words(self) -> str:
        """Version, commit, whether the tree was dirty, and the digest of the sources, as far as they are known."""
        code = self.code
        if not code:
            return "code not recorded"
        words = f"code {code.get('version') or 'of no version'}"
        words += f" at {code['commit'][:12]}" if code.get("commit") else ", commit not recorded"
        words += {True: " with uncommitted changes", False: " (clean)", None: ""}[code.get("dirty")]
        return words + (f", sources {code['sha256'][:12]}" if code.get("sha256") else "")

    def time_in_words(self) -> str:
        """How long a stage took and when it was done."""
        return f"{self.wall_seconds} s, finished {self.finished}" if self.finished else "time not recorded"

    def packages_in_words(self) -> str:
        """Python and packages with their versions."""
        packages = ", ".join(f"{name} {version}" for name, version in sorted((self.packages or {}).items()) if version)
        return f"Python {self.python or 'not recorded'}, packages {packages or 'not recorded'}"

    def machine_in_words(self) -> str:
        """Processor, cores, memory, GPUs and system."""
        machine = self.machine or {}
        memory = f"{machine['memory_mib']:,} MiB" if machine.get("memory_mib") else "memory not recorded"
        gpus = ", ".join(machine["gpus"]) or "no GPU" if "gpus" in machine else "GPU not recorded"
        cores = f"{machine['cores']} cores" if machine.get("cores") else "cores not recorded"
        return f"{machine.get('processor') or 'CPU not recorded'}, {cores}, {memory}, {gpus}, {machine.get('system') or ''}"


def find_record(path: Path) -> Path | None:
    """In a file (the record of an experiment), next to it, or in the folder or the nearest one above it that a stage wrote."""
    if provenance_in(path) is not None:
        return path
    if path.suffix and record_path(path).is_file():
        return record_path(path)
    for folder in [path, *path.parents][:NEAR]:
        if (folder / RECORD).is_file():
            return folder / RECORD
        if (folder / REPORTED).is_file() and _is_output(path, folder):
            return folder / REPORTED
    return None


def _is_output(path: Path, folder: Path) -> bool:
    record = read_json(folder / REPORTED)
    outputs = record.get("outputs", []) if isinstance(record, dict) else []
    return path == folder or path.relative_to(folder).parts[0] in outputs
