"""The steps of the workflow: which sections each may read, which steps come before it, and its VERSION."""

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vldeformer.planning.config import Settings

STEP_SECTIONS: dict[str, tuple[str, ...]] = {
    "fetch": ("dataset",),
    "prepare": ("dataset",),
    "features": ("dataset", "regions"),
    "import-features": ("regions",),
    "join-features": (),
    "vocabulary": ("vocabulary", "backbone"),
    "import-vocabulary": (),
    "pretrain": ("backbone", "pretrain", "runtime"),
    "import-weights": ("pretrain",),
    "negatives": ("backbone", "negatives"),
    "train": ("backbone", "train", "runtime"),
    "embed": ("runtime",),
    "gather": (),
    "score": ("evaluate", "runtime"),
    "score-oracle": (),
    "score-lexical": ("dataset",),
    "evaluate": ("evaluate",),
    "compositional-items": ("compositional",),
    "compositional": ("evaluate", "runtime"),
    "rerank": ("evaluate", "rerank", "runtime"),
    "speed": ("speed", "runtime"),
    "pair-time": ("speed", "runtime"),
    "record": (),
    "report": ("report",),
    "ablations": ("report",),
    "page": ("report",),
    "claims": (),
}
"""The sections that a step may read."""

STEP_INPUTS: dict[str, tuple[str, ...]] = {
    "fetch": (),
    "prepare": ("fetch",),
    "features": ("prepare",),
    "import-features": ("prepare",),
    "join-features": ("import-features",),
    "vocabulary": ("features",),
    "import-vocabulary": ("pretrain",),
    "pretrain": ("vocabulary",),
    "import-weights": ("vocabulary",),
    "negatives": ("features",),
    "train": ("pretrain", "negatives"),
    "embed": ("train",),
    "gather": ("embed",),
    "score": ("train",),
    "score-oracle": ("prepare",),
    "score-lexical": ("features",),
    "evaluate": ("embed", "score", "score-oracle", "score-lexical"),
    "compositional-items": ("fetch",),
    "compositional": ("compositional-items", "train"),
    "rerank": ("embed", "train"),
    "speed": ("train",),
    "pair-time": ("train",),
    "report": ("evaluate", "compositional", "rerank", "speed"),
    "record": ("evaluate", "compositional", "pair-time"),
    "ablations": ("record", "rerank", "speed"),
    "page": ("report", "ablations"),
    "claims": ("report", "ablations"),
}
"""The steps whose output a step reads; what those read themselves is left out."""

COMPARED_BY = {"report": "all", "page": "all", "ablations": "ablations"}
"""Steps whose section ``report`` is about several experiments → those of which target."""

JUDGED_BY = {"dual": "embed", "joint": "score", "oracle": "score-oracle", "lexical": "score-lexical"}
"""Kind of a model → the step that makes what its recall is measured on."""


@functools.cache
def step_version(step: str) -> int:
    """``VERSION`` of a step's module, read as text: planning a run imports no step."""
    source = Path(__file__).parents[1] / "steps" / f"{step.replace('-', '_')}.py"
    found = re.search(r"^VERSION = (\d+)$", source.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None, f"{source} has no line `VERSION = 1`"
    return int(found[1])


@functools.cache
def steps_up_to(step: str) -> tuple[str, ...]:
    """The steps before a step and itself, in the order in which they run."""
    before = [name for earlier in STEP_INPUTS[step] for name in steps_up_to(earlier)]
    return tuple(dict.fromkeys([*before, step]))


@functools.cache
def cumulative_sections(step: str) -> tuple[str, ...]:
    """Sections that a step and all the steps before it read, in the order of ``Settings``."""
    sections = {name for each in steps_up_to(step) for name in STEP_SECTIONS[each]}
    return tuple(name for name in Settings.model_fields if name in sections)


def section_values(settings: Settings, sections: Sequence[str]) -> dict[str, Any]:
    """Those sections as plain values, as they are in a step's file."""
    return {name: getattr(settings, name).model_dump(mode="json") for name in sections}
