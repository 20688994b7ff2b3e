"""The loss of the vectors of a batch over all processes: told apart by contrast, and drawn to the cosines of a control."""

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from jaxtyping import Float, Int64
from torch import Tensor, distributed
from torch.distributed.nn import functional

from vldeformer.inputs.batch import PairBatch
from vldeformer.models.dual import PairVectors
from vldeformer.objective.distillation import distillation_loss
from vldeformer.objective.retrieval import LossName, retrieval_loss
from vldeformer.training.grad_cache import Figures
from vldeformer.training.optimizer_settings import ControlDistillation


@dataclass(frozen=True)
class ControlVectors:
    """Unit vectors of the training set by another decomposed model; rows as in the manifest."""

    captions: Float[Tensor, "M D"]
    images: Float[Tensor, "N D"]
    settings: ControlDistillation

    def loss(
        self,
        captions: Float[Tensor, "B D"],
        images: Float[Tensor, "B D"],
        caption_rows: Int64[Tensor, " B"],
        image_rows: Int64[Tensor, " B"],
        temperature: float | Float[Tensor, ""],
    ) -> Float[Tensor, ""]:
        """Both directions of ``distillation_loss`` over a batch, summed: its cosines are drawn to those of the control.

        Args:
            captions: vectors of the model that learns.
            images: the same of the images of these captions.
            caption_rows: which captions of the training set they are.
            image_rows: which images; another pair of the same image is no candidate.
            temperature: divides the cosines of the model that learns.

        """
        ours = captions.float() @ images.float().T
        theirs = self.captions[caption_rows] @ self.images[image_rows].T
        own = torch.eye(len(ours), dtype=torch.bool, device=ours.device)
        valid = own | (image_rows[:, None] != image_rows[None, :])
        divisor = self.settings.temperature
        text_to_image = distillation_loss(ours, theirs, valid, temperature, divisor)
        return text_to_image + distillation_loss(ours.T, theirs.T, valid.T, temperature, divisor)


class ContrastSettings(Protocol):
    """What the loss of vectors needs of the settings of a training."""

    @property
    def loss_name(self) -> LossName:
        """Of ``retrieval_loss``."""
        ...

    @property
    def temperature(self) -> float:
        """Cosines are divided by it, unless one is learned."""
        ...

    @property
    def margin(self) -> float:
        """Of a triplet loss."""
        ...

    @property
    def negatives_scope(self) -> Literal["anchor", "batch"]:
        """Which pairs a hard negative counts against."""
        ...


def vector_loss(
    vectors: PairVectors, batch: PairBatch, settings: ContrastSettings, control: ControlVectors | None = None
) -> tuple[Tensor, Figures]:
    """The loss of this process's vectors among those of all processes, and what the journal says of it.

    With several captions of an image it is the mean over them, each being the image's only caption in turn: then captions of one
    image neither compete nor add to each other's denominator.
    """
    further = () if vectors.further_captions is None else vectors.further_captions.unbind(1)
    rounds = [gather_rows(captions) for captions in (vectors.captions, *further)]
    images, image_rows = gather_rows(vectors.images), gather_rows(batch.image_numbers)
    temperature = vectors.temperature_or(settings.temperature)
    hard_captions, hard_captions_valid = _gathered(vectors.hard_captions), _gathered(batch.hard_text_valid)
    hard_images, hard_images_valid = _gathered(vectors.hard_images), _gathered(batch.hard_visual_valid)
    losses = [
        retrieval_loss(
            settings.loss_name,
            captions,
            images,
            image_rows,
            temperature,
            settings.margin,
            hard_captions,
            hard_captions_valid,
            hard_images,
            hard_images_valid,
            settings.negatives_scope,
        )
        for captions in rounds
    ]
    value = _mean(losses)
    figures = {} if vectors.temperature is None else {"temperature": vectors.temperature.item()}
    if control is not None and batch.caption_rows is not None:
        rows = gather_rows(batch.caption_rows).unbind(1)
        soft = _mean(
            [
                control.loss(captions, images, caption_rows, image_rows, temperature)
                for captions, caption_rows in zip(rounds, rows, strict=True)
            ]
        )
        value, figures = value + control.settings.weight * soft, figures | {"control_loss": soft.item()}
    return value, figures


def _mean(losses: list[Tensor]) -> Tensor:
    return losses[0] if len(losses) == 1 else torch.stack(losses).mean()


def _gathered(rows: Tensor | None) -> Tensor | None:
    return None if rows is None else gather_rows(rows)


def gather_rows(tensor: Tensor) -> Tensor:
    """All processes' rows of a tensor, so that a contrastive batch spans the devices.

    Shapes are equal; the order is that of the whole batch: row i is of process i mod processes.

    The gradient flows back to each process; alone it is the identity.
    Every process computes the same whole loss, whose gradients DistributedDataParallel averages: the sum that the backward
    pass of all_gather makes is exactly undone by that mean.
    """
    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
        return tensor
    if not tensor.is_floating_point():
        parts = [torch.empty_like(tensor) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, tensor.contiguous())
    else:
        parts = list(functional.all_gather(tensor.contiguous()))
    return torch.stack(parts, 1).flatten(0, 1)
