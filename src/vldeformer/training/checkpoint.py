"""The state of a run that can be continued: everything that the next step depends on, in one file that appears whole."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vldeformer.artifact import whole_file
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
