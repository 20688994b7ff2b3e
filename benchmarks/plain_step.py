"""The training step as one writes it first: rows padded to the longest that settings allow, each of four inputs in one pass.

Model, loss, optimizer and pairs are the project's own, so that loss and gradient can be compared with its step.
"""

import math
import time

import torch
from torch import Tensor, nn
from torch.nn import functional

from vldeformer.inputs.batch import PairBatch
from vldeformer.inputs.streams import PairStream
from vldeformer.models.backbone import Sequence
from vldeformer.models.dual import DualEncoder
from vldeformer.models.pooling import pool
from vldeformer.objective.retrieval import retrieval_loss
from vldeformer.training.loop import CLIP_NORM
from vldeformer.training.settings import DualTraining


def plain_vectors(model: DualEncoder, sequence: Sequence) -> Tensor:
    """(B, D) unit vectors of a padded sequence, all rows in one pass."""
    pooled = model.dropout(pool(model.backbone.encode(sequence), model.pooling))
    return functional.normalize(torch.tanh(pooled), dim=-1)


def plain_loss(model: DualEncoder, batch: PairBatch, settings: DualTraining) -> Tensor:
    """The loss of one batch with composed negatives, with its graph."""
    assert batch.hard_text is not None and batch.hard_visual is not None
    backbone = model.backbone
    captions = plain_vectors(model, backbone.text_sequence(batch.text))
    images = plain_vectors(model, backbone.visual_sequence(batch.visual))
    hard_captions = plain_vectors(model, backbone.text_sequence(batch.hard_text))
    hard_images = plain_vectors(model, backbone.visual_sequence(batch.hard_visual))
    hard = (hard_captions, batch.hard_text_valid, hard_images, batch.hard_visual_valid)
    numbers, scope = batch.image_numbers, settings.negatives_scope
    return retrieval_loss(settings.loss.kind, captions, images, numbers, settings.temperature, settings.margin, *hard, scope)


def plain_step(
    model: DualEncoder, optimizer: torch.optim.Optimizer, padded: PairStream, settings: DualTraining, step: int
) -> float:
    """Read the batch, when it is wanted; forward, backward, clip, update. Returns the seconds that it took to read.

    ``padded``: a stream whose readers pad to the settings' lengths. Raises ArithmeticError if the loss is not finite.
    """
    started = time.perf_counter()
    batch = padded.batch(step)
    read = time.perf_counter() - started
    loss = plain_loss(model, batch, settings)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    if not math.isfinite(loss.item()):
        raise ArithmeticError(f"the loss is {loss.item()} at step {step}")
    return read
