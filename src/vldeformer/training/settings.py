"""Settings of the two trainings: pre-training of the backbone and training of a retrieval model."""

from typing import Literal

from pydantic import Field

from vldeformer.section import Section


class OptimizerSettings(Section):
    """AdamW with linear warm-up and cosine decay."""

    seed: int = Field(ge=0, description="seed of weights, batches, captions and dropout")
    steps: int = Field(ge=0, description="optimizer steps; 0 keeps the weights of the start")
    batch_images: int = Field(ge=2, description="images in a batch over all processes, each with one caption")
    learning_rate: float = Field(gt=0, description="highest learning rate")
    warmup_steps: int = Field(ge=0, description="steps of linear warm-up")
    weight_decay: float = Field(ge=0, description="decay of weights, not of biases and layer norms")
    clip_norm: float = Field(gt=0, description="gradients are scaled down to this norm")
    checkpoint_steps: int = Field(ge=1, description="steps between checkpoints of a run that can be continued")


class PretrainSettings(OptimizerSettings):
    """Masked words + match / no match on pairs."""

    checkpoint: str | None = Field(
        description="import this instead: folder of an Oscar / VinVL checkpoint, or hub id or folder of a ViLT or VisualBERT; "
        "null: pre-train here"
    )
    split: Literal["pretrain", "train"] = Field(description="which images to learn from")
    mask_ratio: float = Field(gt=0, lt=1, description="share of caption words that is masked")
    contrastive_weight: float = Field(ge=0, description="weight of a contrastive loss of captions and images read alone; 0: none")


class TrainSettings(OptimizerSettings):
    """Training of a joint matcher or of a decomposed encoder on the target set's `train` split."""

    kind: Literal["joint", "dual", "oracle"] = Field(
        description="joint: the early-interaction baseline; dual: decomposed; oracle: reads the scene, is not trained"
    )
    start: Literal["pretrained", "scratch"] = Field(description="weights of the pre-training or random weights")
    images: int | None = Field(ge=2, description="train on the first so many images of the split; null: all")
    validate_steps: int = Field(ge=1, description="steps between measurements on `val`; the best one is kept")
    validate_images: int = Field(ge=2, description="first images of `val` that are measured; joint models score all their pairs")
    pooling: Literal["mean", "mean_all"] = Field(
        description="dual: mean of the states, `mean_all` over the padding too as in the released code"
    )
    pooling_dropout: float = Field(ge=0, lt=1, description="dual: dropout of the pooled state")
    temperature: float = Field(gt=0, description="dual: cosines are divided by it in the loss")
    hard_negatives: Literal["none", "text", "image", "both"] = Field(description="dual: which composed negatives enter the loss")
    negatives_scope: Literal["anchor", "batch"] = Field(
        description="dual: a composed negative counts against its own anchor only, or against every pair of the batch"
    )
    joint_negatives: int = Field(
        ge=1, description="joint: mismatched pairs for each matching one, half with another caption, half with another image"
    )
