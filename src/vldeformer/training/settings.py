"""Settings of the training of a retrieval model: the section ``train``, and the decomposed model's part of it.

A key exists only where it has a meaning: ``train`` is one of three classes by ``kind``, and the loss and the hard negatives of
a decomposed model are classes by ``kind`` as well. Those of the joint model are in ``joint_settings``, what every training has in
``optimizer_settings``.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from vldeformer.models.settings import Pooling
from vldeformer.section import Section, unused
from vldeformer.training.joint_settings import JointTraining
from vldeformer.training.optimizer_settings import ControlDistillation, RetrievalTraining

if TYPE_CHECKING:  # settings are read without torch
    from vldeformer.objective.retrieval import LossName


def _one_expectation(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError:
        raise ValueError("a number of images of at least 1, 'auto' or null") from None


class SharedStart(Section):
    """A start between pre-trained and random weights (shrink and perturb, Ash and Adams 2020), which frees a model to learn."""

    share: float = Field(gt=0, lt=1, description="share of the pre-trained matrices in the start, the rest is random")


class TemperedLoss(Section):
    """Softmax over the candidates (InfoNCE), or a sigmoid of every pair (SigLIP); both directions are summed."""

    kind: Literal["infonce", "sigmoid"]
    temperature: float = Field(gt=0, description="cosines are divided by it")
    learn_temperature: bool = Field(description="the temperature is a weight that starts there, or a constant")


class TripletLoss(Section):
    """Triplets with the batch rolled by one as in the released code, or with the hardest negative of the batch (VSE++)."""

    kind: Literal["triplet", "triplet_hard"]
    margin: float = Field(gt=0, description="a Euclidean distance of unit vectors")


class MultiSimilarityLoss(Section):
    """The multi-similarity loss, with its published constants."""

    kind: Literal["multi_similarity"]


class NoNegatives(Section):
    """Only the other pairs of the batch are negatives."""

    kind: Literal["none"]


class ComposedTrainingNegatives(Section):
    """Composed captions, composed images, or both enter the loss."""

    kind: Literal["text", "image", "both"]
    scope: Literal["anchor", "batch"] = Field(
        description="a hard negative counts against its own anchor only, or against every pair of the batch"
    )


class MinedTrainingNegatives(Section):
    """The hardest captions and images of the training set; each counts against its own anchor only.

    A mined caption is right for its own image, which may be in the batch.
    """

    kind: Literal["mined"]
    epochs: int = Field(ge=1, description="epochs after which the hardest are looked up again")
    depth: int = Field(ge=1, description="so many of the hardest are kept of each anchor and drawn from")
    limit: float | None = Field(
        description="log-odds of a match by the joint model from which a candidate counts as right and is dropped; null: none is"
    )


class Distillation(Section):
    """Scores of the joint model as soft targets."""

    weight: float = Field(gt=0, description="weight of this loss beside the other")
    temperature: float = Field(gt=0, description="divides the joint model's log-odds before their softmax")
    candidates: int = Field(
        ge=1,
        description="hardest other captions and images of the batch that the joint model scores for each anchor; each process "
        "looks among its own share of the batch, so with distillation two processes are not one with twice the batch",
    )


def _start_tag(value: Any) -> str:
    return "shared" if isinstance(value, dict | SharedStart) else "named"


Start = Annotated[
    Annotated[Literal["pretrained", "scratch"], Tag("named")] | Annotated[SharedStart, Tag("shared")], Discriminator(_start_tag)
]
Loss = Annotated[TemperedLoss | TripletLoss | MultiSimilarityLoss, Field(discriminator="kind")]
HardNegatives = Annotated[NoNegatives | ComposedTrainingNegatives | MinedTrainingNegatives, Field(discriminator="kind")]


class DualTraining(RetrievalTraining):
    """The decomposed encoder, trained by contrast on the target set's `train` split."""

    kind: Literal["dual"]
    start: Start = Field(
        description="weights of the pre-training, random weights (scratch), or `{share: 0.5}`, which is between the two"
    )
    pooling: Pooling = Field(
        description="cls or sep, the first or last state; mean of the states, mean_all over the padding too as in the released "
        "code; mean_max, mean and maximum side by side"
    )
    pooling_dropout: float = Field(ge=0, lt=1, description="dropout of the pooled state")
    shared_weights: bool = Field(description="captions and images are read by one backbone, or each by its own copy")
    captions_per_image: int = Field(
        default=1,
        ge=1,
        description="captions of an image in a step; the image is read once, and the loss is the mean over its captions",
        exclude_if=lambda value: value == 1,
    )
    loss: Loss = Field(description="what a mistake costs; its keys are those of its kind")
    hard_negatives: HardNegatives = Field(description="negatives beside the other pairs of the batch; keys by kind")
    distillation: Distillation | None = Field(description="null: the joint model's scores are not used")
    control_distillation: ControlDistillation | None = Field(
        default=None, description="null: no other decomposed model gives soft targets", exclude_if=unused
    )
    chunk_images: Annotated[Annotated[int, Field(ge=1)] | Literal["auto"] | None, WrapValidator(_one_expectation)] = Field(
        description="images whose gradient is in memory at a time, by gradient caching; auto: found from the memory that is "
        "free, on which dropout then depends, so that two such runs may differ; null: the whole batch"
    )

    @property
    def control(self) -> str | None:
        """The experiment that gives soft targets; None: there is none."""
        return None if self.control_distillation is None else self.control_distillation.control

    @property
    def start_share(self) -> float:
        """Share of the pre-trained matrices in the start, if the training starts from pre-trained weights."""
        return self.start.share if isinstance(self.start, SharedStart) else 1.0

    @property
    def mined(self) -> MinedTrainingNegatives | None:
        """How negatives are mined; None: they are not."""
        return self.hard_negatives if isinstance(self.hard_negatives, MinedTrainingNegatives) else None

    @property
    def needs_teacher(self) -> bool:
        """Whether the joint model takes part in the training."""
        return self.distillation is not None or (self.mined is not None and self.mined.limit is not None)

    @property
    def needs_composed(self) -> bool:
        """Whether composed negatives are read."""
        return isinstance(self.hard_negatives, ComposedTrainingNegatives)

    @property
    def loss_name(self) -> "LossName":
        """Kind of the loss."""
        return self.loss.kind

    @property
    def negatives_scope(self) -> Literal["anchor", "batch"]:
        """Which pairs a hard negative counts against."""
        return self.hard_negatives.scope if isinstance(self.hard_negatives, ComposedTrainingNegatives) else "anchor"

    @property
    def temperature(self) -> float:
        """The temperature, or where a learned one starts; 1 for a loss that reads none."""
        return self.loss.temperature if isinstance(self.loss, TemperedLoss) else 1.0

    @property
    def margin(self) -> float:
        """The margin; 1 for a loss that reads none."""
        return self.loss.margin if isinstance(self.loss, TripletLoss) else 1.0

    def architecture(self) -> dict[str, Any]:
        """Fields of the model's description that follow from these settings."""
        learned = isinstance(self.loss, TemperedLoss) and self.loss.learn_temperature
        return {
            "kind": self.kind,
            "pooling": self.pooling,
            "pooling_dropout": self.pooling_dropout,
            "shared_weights": self.shared_weights,
            "initial_temperature": self.temperature if learned else None,
        }

    @model_validator(mode="after")
    def _distillation_reads_a_temperature(self) -> Self:
        distilled = self.distillation is not None or self.control_distillation is not None
        if distilled and not isinstance(self.loss, TemperedLoss):
            raise ValueError(
                f"a loss with a temperature (infonce or sigmoid), which distillation reads too, or distillation null; "
                f"got loss.kind {self.loss.kind}"
            )
        return self


class OracleTraining(Section):
    """Reads the scene instead of the pixels; nothing is trained."""

    kind: Literal["oracle"]


class LexicalTraining(Section):
    """Compares words of tags and captions; nothing is trained."""

    kind: Literal["lexical"]


AnyTraining = JointTraining | DualTraining | OracleTraining | LexicalTraining
TrainSettings = Annotated[AnyTraining, Field(discriminator="kind")]
"""The settings section ``train``."""
