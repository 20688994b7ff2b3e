"""The settings that decide an experiment's numbers: what its record keeps, and what a record must have to stand for it.

They are the sections and VERSIONs of the steps that make its results, without steps that it does not need: a raised VERSION of
``negatives`` changes no model that is trained without composed negatives.
"""

from collections.abc import Sequence
from typing import Any

from vldeformer.planning.config import Settings
from vldeformer.planning.step_sections import JUDGED_BY, STEP_SECTIONS, section_values, step_version
from vldeformer.training.optimizer_settings import RetrievalTraining


def recorded_settings(own: Settings, timed: bool) -> dict[str, Any]:
    """Settings of an experiment, whose teacher's and control's are left out.

    Args:
        own: of the experiment.
        timed: the time of a pair is measured.

    Returns:
        ``versions`` (step → VERSION) and the sections by name.

    """
    return _values(own, _steps_of(own) + (["pair-time"] if timed else []))


def model_settings(own: Settings) -> dict[str, Any]:
    """Settings of an experiment's model alone, such as a teacher."""
    return _values(own, _model_steps(own))


def reranked_settings(base: Settings, main: Settings) -> dict[str, Any]:
    """Settings of the re-ranked model: of the step ``rerank`` and of the main model (``dual``) without its control.

    Args:
        base: of the base experiment, which re-ranks.
        main: of the model that proposes.

    """
    return _values(base, ["rerank"]) | {"dual": _values(main, [*_model_steps(main), "embed"])}


def _values(own: Settings, steps: Sequence[str]) -> dict[str, Any]:
    sections = dict.fromkeys(name for step in steps for name in STEP_SECTIONS[step])
    return {"versions": {step: step_version(step) for step in steps}} | section_values(own, list(sections))


def _steps_of(own: Settings) -> list[str]:
    """The steps that make the results of an experiment. The vectors are the same in any number of jobs: no ``gather``."""
    if not isinstance(own.train, RetrievalTraining):
        seen = _visual_steps(own) if own.train.kind == "lexical" else []
        return [*_data_steps(own), *seen, JUDGED_BY[own.train.kind], "evaluate"]
    tested = ["compositional-items", "compositional"] if own.dataset.made_here else []
    return [*_model_steps(own), JUDGED_BY[own.train.kind], "evaluate", *tested]


def _data_steps(own: Settings) -> list[str]:
    return [*(["fetch"] if own.dataset.made_here else []), "prepare"]


def _visual_steps(own: Settings) -> list[str]:
    """The steps that make regions; none where pixels are read."""
    if own.backbone.reads == "pixels":
        return []
    joined = ["join-features"] if len(own.dataset.named_parts) > 1 else []
    return ["features"] if own.dataset.gives_pixels else ["import-features", *joined]


def _model_steps(own: Settings) -> list[str]:
    steps, train, imported = _data_steps(own), own.train, own.pretrain.checkpoint is not None
    if not isinstance(train, RetrievalTraining):
        return steps
    steps += _visual_steps(own)
    steps += ["import-weights", "import-vocabulary"] if imported else ["vocabulary"]
    steps += ["pretrain"] if train.start != "scratch" and not imported else []
    steps += ["negatives"] if train.needs_composed else []
    return [*steps, "train"]
