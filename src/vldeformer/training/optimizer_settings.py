"""Settings that every training has, those of the pre-training, and what both trainings of a retrieval model have in common."""

from typing import Literal

from pydantic import Field

from vldeformer.section import Section


class OptimizerSettings(Section):
    """AdamW with linear warm-up and cosine decay; the gradient's norm is at most ``loop.CLIP_NORM``."""

    seed: int = Field(ge=0, description="seed of weights, batches, captions and dropout")
    steps: int = Field(ge=0, description="optimizer steps; 0 keeps the weights of the start")
    batch_images: int = Field(ge=2, description="images in a batch over all processes, each with one caption unless stated")
    learning_rate: float = Field(gt=0, description="highest learning rate")
    warmup_steps: int = Field(ge=0, description="steps of linear warm-up")
    weight_decay: float = Field(ge=0, description="decay of weights, not of biases and layer norms")
    checkpoint_steps: int = Field(ge=1, description="steps between checkpoints of a run that can be continued")


class PretrainSettings(OptimizerSettings):
    """Masked words + match / no match on pairs."""

    checkpoint: str | None = Field(
        description="import this instead: folder of an Oscar / VinVL checkpoint, or hub id or folder of a ViLT or VisualBERT; "
        "null: pre-train here"
    )
    split: Literal["pretrain", "train"] = Field(description="which images to learn from")
    contrastive_weight: float = Field(ge=0, description="weight of a contrastive loss of captions and images read alone; 0: none")


class ControlDistillation(Section):
    """Cosines of another decomposed model as soft targets: of every caption of a batch with every image, in both directions."""

    control: str = Field(description="experiment of a decomposed model, e.g. linear")
    weight: float = Field(gt=0, description="weight of this loss beside the other")
    temperature: float = Field(gt=0, description="divides the control's cosines before their softmax")


class RetrievalTraining(OptimizerSettings):
    """What joint and decomposed training have in common."""

    images: int | None = Field(ge=2, description="train on the first so many images of the split; null: all")
    validate_steps: int = Field(ge=1, description="steps between measurements on `val`; the best one is kept")
    validate_images: int = Field(ge=2, description="first images of `val` that are measured; joint models score all their pairs")
    patience: int | None = Field(
        ge=1, description="stop after so many measurements without a better one; null: all steps are done"
    )

    @property
    def needs_teacher(self) -> bool:
        """Whether the joint model takes part in the training."""
        return False

    @property
    def needs_composed(self) -> bool:
        """Whether composed negatives are read."""
        return False

    @property
    def control(self) -> str | None:
        """The experiment of another decomposed model that the training reads; None: it reads none."""
        return None
