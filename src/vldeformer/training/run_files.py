"""The files of a run in progress: the state that the next step depends on, and the journal, one JSON line a step."""

import io
import json
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vldeformer.artifact import whole_file
from vldeformer.durable import sync
from vldeformer.errors import InputError


@dataclass(frozen=True)
class RunState:
    """``key`` identifies settings and inputs: a state of another run is not continued.

    ``worse``: measurements on validation since the best one; ``task``: what the task itself remembers (``Task.state``).
    """

    key: str
    step: int
    model: dict[str, Any]
    optimizer: dict[str, Any]
    best_value: float
    best_step: int
    best_model: dict[str, Any] | None
    worse: int
    task: dict[str, Any]


def save_state(path: Path, state: RunState) -> None:
    """Write atomically: a kill leaves the older state."""
    # Through memory: on a full disk torch's own writer raises a RuntimeError about file positions.
    content = io.BytesIO()
    torch.save({name: getattr(state, name) for name in RunState.__dataclass_fields__}, content)
    if (journal := path.with_name("journal.jsonl")).is_file():
        sync(journal)  # its lines are on the disk before a state that goes on after them
    with whole_file(path) as temporary:
        temporary.write_bytes(content.getbuffer())


def load_state(path: Path, key: str) -> RunState | None:
    """The state of the run ``key``; None if there is none or it is of other settings. Raises InputError if it is corrupt."""
    if not path.exists():
        return None
    try:
        state = RunState(**torch.load(path, weights_only=True, map_location="cpu"))
    except Exception as error:  # torch raises many kinds for a cut or foreign file
        raise InputError(f"{path}: cannot read the saved run state ({error}); delete it to start anew") from None
    return state if state.key == key else None


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
