"""What happened at each step: one JSON line, readable while the run goes on."""

import json
import resource
import sys
from pathlib import Path
from typing import Any

import torch

from vldeformer.artifact import whole_file


class Journal:
    """Appends lines to a file. A continued run first drops the lines of steps that it will do again."""

    def __init__(self, path: Path, done_steps: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = []
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
                # The last line of a killed run may be cut short.
                if line.endswith("\n") and json.loads(line)["step"] <= done_steps:
                    kept.append(line)
        with whole_file(path) as temporary:
            temporary.write_text("".join(kept), encoding="utf-8")
        self._path = path

    def write(self, **values: Any) -> None:
        """One line; ``step`` counts finished steps from 1."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")


def peak_memory_mib(device: torch.device) -> float:
    """The most memory held so far, MiB: of a GPU by torch's tensors, else by this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)  # bytes there, KiB elsewhere
