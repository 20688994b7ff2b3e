"""Gradient caching: the gradient of a batch of any size in the memory of a chunk (GradCache, Gao et al. 2021, arXiv 2101.06983).

A contrastive loss needs the vectors of the whole batch, but not the activations that they came from. So the vectors are made
without a graph, the loss gives the gradient of each, and every chunk is encoded again, with a graph, to carry its part of that
gradient on to the weights. A chunk has a seed of its own, so that dropout is the same both times.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal

import psutil
import torch
from accelerate import Accelerator
from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size
from torch import Tensor, nn

from vldeformer.errors import InputError
from vldeformer.inputs.batch import PairBatch
from vldeformer.models.dual import PairVectors
from vldeformer.seeding import named_seed

PROBE_IMAGES = 4
SHARE_OF_FREE_MEMORY = 0.5

Figures = dict[str, float]
VectorLoss = Callable[[PairVectors], tuple[Tensor, Figures]]


class GradCache:
    """Backward passes in chunks of so many images, each process its own; None: the whole batch at once.

    ``auto``: on a GPU the whole batch, halved whenever memory runs out; on a CPU what ``images_that_fit`` says. What was
    found is kept in ``state``, so that a continued run has the chunks, and with them the dropout, of one that was never killed.
    """

    def __init__(self, chunk_images: int | Literal["auto"] | None, accelerator: Accelerator, state: dict[str, Any]) -> None:
        if chunk_images == "auto" and accelerator.num_processes > 1:
            raise InputError(
                f"train.chunk_images: expected a number or null with {accelerator.num_processes} processes, whose chunks must "
                "be the same, got auto; run one process with auto to find a number"
            )
        self.asked, self.accelerator, self.state = chunk_images, accelerator, state

    def backward(self, model: nn.Module, batch: PairBatch, loss: VectorLoss) -> tuple[Tensor, Figures]:
        """Leave the gradient of ``loss`` of the batch's vectors in ``model``; return its value and figures."""
        while True:
            size = self._chunk_images(model, batch)
            try:
                return backward_in_chunks(model, batch, size, loss, self.accelerator)
            except RuntimeError as error:
                if self.asked != "auto" or size == 1 or not should_reduce_batch_size(error):
                    raise
            # Not before the exception is gone: it holds the activations.
            model.zero_grad(set_to_none=True)
            clear_device_cache(garbage_collection=True)
            self.state["chunk_images"] = (size + 1) // 2

    def _chunk_images(self, model: nn.Module, batch: PairBatch) -> int:
        if self.asked != "auto":
            return self.asked or len(batch)
        if "chunk_images" not in self.state:
            on_cpu = self.accelerator.device.type == "cpu"
            self.state["chunk_images"] = min(len(batch), images_that_fit(model, batch)) if on_cpu else len(batch)
        return int(self.state["chunk_images"])


def backward_in_chunks(
    model: nn.Module, batch: PairBatch, chunk_images: int, loss: VectorLoss, accelerator: Accelerator
) -> tuple[Tensor, Figures]:
    """Leave the gradient of ``loss(model(batch))`` in ``model``; with one chunk this is the plain step.

    The gradient is that of the chunks encoded one after the other, each with its seed, and joined before the loss.
    """
    chunks = [batch.part(first, first + chunk_images) for first in range(0, len(batch), chunk_images)]
    seeds = chunk_seeds(torch.initial_seed(), len(chunks))
    if len(chunks) == 1:
        value, figures = loss(_encode(model, batch, seeds[0]))
        accelerator.backward(value)
        return value.detach(), figures
    with torch.no_grad():
        parts = [_encode(model, chunk, seed) for chunk, seed in zip(chunks, seeds, strict=True)]
    vectors = joined(parts)
    leaves = _tensors(vectors)
    for leaf in leaves.values():
        leaf.requires_grad_()
    value, figures = loss(vectors)
    accelerator.backward(value)
    first = 0
    for chunk, seed in zip(chunks, seeds, strict=True):
        last = chunk is chunks[-1]
        with contextlib.nullcontext() if last else accelerator.no_sync(model):
            again = _tensors(_encode(model, chunk, seed))
            outputs, gradients = [], []
            for name, leaf in leaves.items():
                # A weight that the loss reads, such as a temperature, is no row of the batch: it is counted once.
                if leaf.grad is not None and again[name].requires_grad and (leaf.ndim > 0 or last):
                    outputs.append(again[name])
                    gradients.append(leaf.grad if leaf.ndim == 0 else leaf.grad[first : first + len(chunk)])
            torch.autograd.backward(outputs, gradients)
        first += len(chunk)
    return value.detach(), figures


def chunk_seeds(seed: int, chunks: int) -> list[int]:
    """Seeds of dropout of the chunks of a step whose own seed is ``seed``; the first chunk has that one."""
    return [seed, *(named_seed("chunk", seed, number) for number in range(1, chunks))]


def joined(parts: Sequence[PairVectors]) -> PairVectors:
    """The vectors of consecutive chunks as those of one batch; what is no row of a batch is taken from the first."""
    values = [_tensors(part) for part in parts]
    whole = {
        name: tensor.detach() if tensor.ndim == 0 else torch.cat([value[name] for value in values])
        for name, tensor in values[0].items()
    }
    return dataclasses.replace(parts[0], **whole)


def images_that_fit(model: nn.Module, batch: PairBatch) -> int:
    """So many images that what autograd keeps of them fills half of the memory that is free now (at least 1).

    Measured on a few images of ``batch``; the other half is for gradients, the optimizer and the loss.
    """
    probe = batch.part(0, PROBE_IMAGES)
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        vectors = model(probe)  # held until all is counted: freed memory would be given out again
    bytes_an_image = max(1, sum(kept.values()) // len(probe))
    del vectors
    return max(1, int(SHARE_OF_FREE_MEMORY * psutil.virtual_memory().available) // bytes_an_image)


def _encode(model: nn.Module, batch: PairBatch, seed: int) -> PairVectors:
    torch.manual_seed(seed)
    vectors: PairVectors = model(batch)
    return vectors


def _tensors(vectors: PairVectors) -> dict[str, Tensor]:
    values = {field.name: getattr(vectors, field.name) for field in dataclasses.fields(vectors)}
    return {name: value for name, value in values.items() if isinstance(value, Tensor)}
