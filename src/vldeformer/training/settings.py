"""Settings of the two trainings: pre-training of the backbone and training of a retrieval model."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from vldeformer.models.settings import Pooling
from vldeformer.section import Section


def _one_expectation(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError:
        raise ValueError("a number of images of at least 1, 'auto' or null") from None


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
    """Training of a joint matcher or of a decomposed encoder on the target set's `train` split.

    A key that begins "dual:" or "joint:" is read by that kind only; for the others it has a fixed value, whatever the files say,
    so that a change of it trains nothing that does not read it.
    """

    kind: Literal["joint", "dual", "oracle"] = Field(
        description="joint: the early-interaction baseline; dual: decomposed; oracle: reads the scene, is not trained"
    )
    start: Literal["pretrained", "scratch"] = Field(description="weights of the pre-training or random weights")
    start_share: float = Field(
        gt=0,
        le=1,
        description="dual, pretrained: the start is so much of the pre-trained matrices and the rest of random ones, which frees "
        "it to learn (shrink and perturb, Ash and Adams 2020); 1: the pre-trained weights",
    )
    images: int | None = Field(ge=2, description="train on the first so many images of the split; null: all")
    validate_steps: int = Field(ge=1, description="steps between measurements on `val`; the best one is kept")
    validate_images: int = Field(ge=2, description="first images of `val` that are measured; joint models score all their pairs")
    patience: int | None = Field(
        ge=1, description="stop after so many measurements without a better one; null: all steps are done"
    )
    pooling: Pooling = Field(
        description="dual: cls or sep, the first or last state; mean of the states, mean_all over the padding too as in the "
        "released code; mean_max, mean and maximum side by side"
    )
    pooling_dropout: float = Field(ge=0, lt=1, description="dual: dropout of the pooled state")
    shared_weights: bool = Field(description="dual: captions and images are read by one backbone, or each by a copy of its own")
    loss: Literal["infonce", "triplet", "triplet_hard", "multi_similarity", "sigmoid"] = Field(
        description="dual: InfoNCE in both directions; triplet as released (the batch rolled by one) or with the hardest of the "
        "batch; multi-similarity; sigmoid of every pair"
    )
    temperature: float = Field(gt=0, description="dual: cosines are divided by it in infonce and sigmoid")
    learn_temperature: bool = Field(description="dual: the temperature is a weight that starts there, or stays as it is")
    margin: float = Field(gt=0, description="dual: of the triplet losses, a Euclidean distance of unit vectors")
    hard_negatives: Literal["none", "text", "image", "both", "mined"] = Field(
        description="dual: which composed negatives enter the loss; mined: none, but the hardest of the training set"
    )
    negatives_scope: Literal["anchor", "batch"] = Field(
        description="dual: a hard negative counts against its own anchor only, or against every pair of the batch"
    )
    mine_epochs: int = Field(ge=1, description="dual, mined: epochs after which the hardest are looked up again")
    mine_depth: int = Field(ge=1, description="dual, mined: so many of the hardest are kept of each anchor and drawn from")
    mine_limit: float | None = Field(
        description="dual, mined: log-odds of a match by the joint model from which a candidate counts as right and is dropped; "
        "null: none is dropped"
    )
    distillation_weight: float = Field(ge=0, description="dual: weight of the joint model's scores as soft targets; 0: none")
    distillation_temperature: float = Field(gt=0, description="dual: divides the joint model's log-odds before their softmax")
    distillation_candidates: int = Field(
        ge=1,
        description="dual: hardest other captions and images of the batch that the joint model scores for each anchor; each "
        "process looks among its own share of the batch, so with distillation two processes are not one with twice the batch",
    )
    chunk_images: Annotated[Annotated[int, Field(ge=1)] | Literal["auto"] | None, WrapValidator(_one_expectation)] = Field(
        description="dual: images whose gradient is in memory at a time, by gradient caching; auto: found from the memory that "
        "is free, on which dropout then depends, so that two such runs may differ; null: the whole batch"
    )
    joint_negatives: int = Field(
        ge=1, description="joint: mismatched pairs for each matching one, half with another caption, half with another image"
    )
    joint_layers: int | None = Field(
        ge=1,
        description="joint: top layers that see both caption and image, those below read them apart; null: all layers; 0 would "
        "be the decomposed model, kind dual",
    )

    @property
    def needs_teacher(self) -> bool:
        """Whether the joint model takes part in the training."""
        filtered = self.hard_negatives == "mined" and self.mine_limit is not None
        return self.distillation_weight > 0 or filtered

    @property
    def reads_temperature(self) -> bool:
        """Whether a temperature plays a part."""
        return self.loss in TEMPERED or self.distillation_weight > 0

    @property
    def needs_composed(self) -> bool:
        """Whether composed negatives are read."""
        return self.hard_negatives not in ("none", "mined")

    @model_validator(mode="before")
    @classmethod
    def _only_what_is_read(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("kind") not in ("joint", "dual", "oracle"):
            return values
        fixed = {name: value for kind, keys in READ_BY.items() if kind != values["kind"] for name, value in keys.items()}
        return {name: fixed.get(name, value) for name, value in values.items()}

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if self.hard_negatives == "mined" and self.negatives_scope == "batch":
            raise ValueError(
                "negatives_scope anchor where hard_negatives is mined, got batch: a mined caption is right for its own image, "
                "which may be in the batch"
            )
        if self.learn_temperature and not self.reads_temperature:
            raise ValueError(
                f"learn_temperature false where neither loss ({' or '.join(TEMPERED)}) nor distillation reads a temperature, "
                f"got true with loss {self.loss}"
            )
        return self


TEMPERED = ("infonce", "sigmoid")
"""The losses that read a temperature."""

READ_BY: dict[str, dict[str, Any]] = {
    "dual": {
        "start_share": 1.0,
        "pooling": "mean",
        "pooling_dropout": 0.0,
        "shared_weights": True,
        "loss": "infonce",
        "temperature": 1.0,
        "learn_temperature": False,
        "margin": 1.0,
        "hard_negatives": "none",
        "negatives_scope": "anchor",
        "mine_epochs": 1,
        "mine_depth": 1,
        "mine_limit": None,
        "distillation_weight": 0.0,
        "distillation_temperature": 1.0,
        "distillation_candidates": 1,
        "chunk_images": None,
    },
    "joint": {"joint_negatives": 1, "joint_layers": None},
}
"""Kind → the keys that it alone reads, with the value that they have for the other kinds."""
