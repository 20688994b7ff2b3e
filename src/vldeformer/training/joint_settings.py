"""Settings of the training of the joint model, with its curriculum of negatives."""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from vldeformer.section import Section, unused
from vldeformer.training.optimizer_settings import ControlDistillation, RetrievalTraining


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


class Cosine(Section):
    """The cosine of the decomposed reading in the score of a match: captions and images are aligned beside the matching.

    Its loss is InfoNCE over the pairs of the batch, without hard negatives.
    """

    temperature: float = Field(gt=0, description="cosines are divided by it")
    captions_per_image: int = Field(ge=1, description="captions of an image that are aligned in a step; the first is matched too")
    control_distillation: ControlDistillation | None = Field(description="null: no decomposed model gives soft targets")

    @property
    def loss_name(self) -> Literal["infonce"]:
        """Of ``retrieval_loss``."""
        return "infonce"

    @property
    def margin(self) -> float:
        """InfoNCE reads none."""
        return 1.0

    @property
    def negatives_scope(self) -> Literal["anchor"]:
        """There are no hard negatives."""
        return "anchor"


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
    cosine: Cosine | None = Field(
        default=None,
        description="the cosine of caption and image as the decomposed model reads them adds to the score of a match; null: no",
        exclude_if=unused,
    )

    @property
    def captions_per_image(self) -> int:
        """Captions of an image in a step."""
        return 1 if self.cosine is None else self.cosine.captions_per_image

    @property
    def start_share(self) -> float:
        """The pre-trained weights are used as they are."""
        return 1.0

    @property
    def control(self) -> str | None:
        """The experiment that ranks the training set and gives soft targets; None: there is none."""
        return next(iter(self._controls), None)

    @property
    def _controls(self) -> list[str]:
        distilled = None if self.cosine is None else self.cosine.control_distillation
        return [part.control for part in (self.curriculum, distilled) if part is not None]

    def architecture(self) -> dict[str, Any]:
        """Fields of the model's description that follow from these settings."""
        return {
            "kind": self.kind,
            "pooling": "mean",
            "pooling_dropout": 0.0,
            "joint_layers": self.joint_layers,
            "cosine": self.cosine is not None,
        }

    @model_validator(mode="after")
    def _one_control(self) -> Self:
        if len(set(self._controls)) > 1:
            raise ValueError(f"one control for curriculum and cosine.control_distillation, got {' and '.join(self._controls)}")
        return self
