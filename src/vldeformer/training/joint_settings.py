"""Settings of the training of the joint model, with its curriculum of negatives."""

from typing import Any, Literal

from pydantic import Field, field_validator

from vldeformer.section import Section, unused
from vldeformer.training.optimizer_settings import RetrievalTraining


class Stage(Section):
    """A part of a training, up to the next one."""

    step: int = Field(ge=0, description="first step")
    share: float = Field(gt=0, le=1, description="share of the ranking, best first, that negatives are drawn from; 1: the batch")


class Curriculum(Section):
    """Negatives that get harder: of the whole training set, as the experiment ``control`` ranks it.

    What the control takes for better than the true one is left out: it likely matches.
    """

    control: str = Field(description="experiment of a decomposed model whose ranking is drawn from, e.g. linear_scratch_text")
    stages: list[Stage] = Field(min_length=1, description="from which step on which share is drawn from; the first from step 0")

    @field_validator("stages")
    @classmethod
    def _in_order_from_0(cls, stages: list[Stage]) -> list[Stage]:
        steps = [stage.step for stage in stages]
        if steps[0] != 0 or steps != sorted(set(steps)):
            raise ValueError(f"stages from step 0 on, each later than the one before, got steps {steps}")
        return stages


class JointTraining(RetrievalTraining):
    """The early-interaction baseline, trained on the target set's `train` split to recognise matching pairs."""

    kind: Literal["joint"]
    start: Literal["pretrained", "scratch"] = Field(description="weights of the pre-training or random weights")
    joint_negatives: int = Field(
        ge=1, description="mismatched pairs for each matching one, half with another caption, half with another image"
    )
    joint_layers: int | None = Field(
        ge=1,
        description="top layers that see both caption and image, those below read them apart; null: all layers; 0 would be the "
        "decomposed model, kind dual",
    )
    curriculum: Curriculum | None = Field(
        default=None, description="negatives of the whole training set; null: of the batch", exclude_if=unused
    )
    match_cosine: bool = Field(
        default=False,
        description="the cosine of the mean states of caption and image, read together, adds to the score of a match",
        exclude_if=unused,
    )

    @property
    def start_share(self) -> float:
        """The pre-trained weights are used as they are."""
        return 1.0

    @property
    def control(self) -> str | None:
        """The experiment that ranks the training set; None: there is none."""
        return None if self.curriculum is None else self.curriculum.control

    def architecture(self) -> dict[str, Any]:
        """Fields of the model's description that follow from these settings."""
        return {
            "kind": self.kind,
            "pooling": "mean",
            "pooling_dropout": 0.0,
            "joint_layers": self.joint_layers,
            "match_cosine": self.match_cosine,
        }
