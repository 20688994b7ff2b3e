"""The three things that are trained: pre-training, the joint matcher, the decomposed encoder.

Each is a function of (model, step) that leaves the gradient of a batch in the model and returns the loss and figures for the
journal.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional

from vldeformer.data.manifest import Manifest
from vldeformer.evaluation.measures import mean_recall
from vldeformer.inputs.batch import PairBatch, TextInput
from vldeformer.inputs.streams import PairStream, Prefetcher
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.dual import DualEncoder, PairVectors
from vldeformer.models.joint import JointMatcher
from vldeformer.objective.matching import mask_words, mismatched, pretraining_loss
from vldeformer.objective.retrieval import retrieval_loss
from vldeformer.retrieval.item_vectors import embed
from vldeformer.retrieval.pair_scores import score_all
from vldeformer.retrieval.ranking import exact_ranks
from vldeformer.retrieval.reader import Reader
from vldeformer.seeding import named_seed
from vldeformer.training.grad_cache import Figures, GradCache
from vldeformer.training.joint_settings import JointTraining
from vldeformer.training.mining import Miner, RankedShares
from vldeformer.training.optimizer_settings import PretrainSettings
from vldeformer.training.settings import DualTraining
from vldeformer.training.teacher import Teacher, soft_target_loss
from vldeformer.training.vector_loss import ControlVectors, gather_rows, vector_loss

ALIGNMENT_TEMPERATURE = 0.05
MASK_RATIO = 0.3
"""Share of caption words that is masked, as in every experiment so far."""

Backward = Callable[[nn.Module, int], tuple[Tensor, Figures]]


def pretraining(stream: PairStream, words: WordPieces, settings: PretrainSettings, accelerator: Accelerator) -> Backward:
    """Masked words of all pairs of a batch; match / no match of half of them, beside as many mismatched ones.

    Words are masked in the pairs of the first task only. Were the matching pairs of the second task masked, a [MASK] would
    say that a pair matches and nothing else be learned; were all of them masked, half of what tells them apart would be hidden.
    With ``contrastive_weight`` captions and images are aligned before they are joined, as in ALBEF: a matcher alone does
    not take off from a few thousand photographs.
    """
    device, batches = accelerator.device, Prefetcher(stream)

    def backward(model: nn.Module, step: int) -> tuple[Tensor, Figures]:
        batch, waited = _timed_batch(batches, step)
        draw = _torch_generator(settings.seed, "pretraining", step, *stream.share)
        pairs = len(batch.image_numbers)
        maskable = batch.text.mask & (batch.text.ids != words.cls) & (batch.text.ids != words.sep)
        masked, chosen = mask_words(batch.text.ids, maskable, MASK_RATIO, words.mask, len(words), draw)
        captions, images, targets = mismatched(batch.image_numbers, 1, draw)
        # Rows 0 … of the matching and of the mismatched pairs.
        half = torch.cat([torch.arange(pairs // 2), pairs + torch.arange(pairs // 2)])
        captions, images, targets = captions[half], images[half], targets[half]
        ids = torch.cat([masked, batch.text.ids[captions]])
        text = TextInput(ids, torch.cat([batch.text.mask, batch.text.mask[captions]]))
        visual = batch.visual.select(torch.cat([torch.arange(pairs), images]))
        predict = torch.cat([chosen, torch.zeros_like(chosen[captions])])
        aligned = batch.to(device) if settings.contrastive_weight > 0 else None
        word_logits, match_logits, vectors = model(text.to(device), visual.to(device), predict.to(device), aligned)
        right = batch.text.ids[chosen]
        word_loss, match_loss = pretraining_loss(word_logits, right.to(device), match_logits[pairs:], targets.to(device))
        value, figures = word_loss + match_loss, {"word_loss": word_loss.item(), "match_loss": match_loss.item()}
        if aligned is not None:
            caption_vectors, image_vectors, numbers = map(gather_rows, (vectors.captions, vectors.images, aligned.image_numbers))
            contrast = retrieval_loss("infonce", caption_vectors, image_vectors, numbers, ALIGNMENT_TEMPERATURE)
            value, figures["contrastive_loss"] = value + settings.contrastive_weight * contrast, contrast.item()
        accelerator.backward(value)
        return value.detach(), figures | waited

    return backward


def joint_training(
    stream: PairStream,
    settings: JointTraining,
    accelerator: Accelerator,
    ranking: RankedShares | None = None,
    control: ControlVectors | None = None,
) -> Backward:
    """Match / no match on the target set: the retrieval fine-tuning of the early-interaction baseline.

    Args:
        stream: the pairs.
        settings: section ``train``.
        accelerator: the processes.
        ranking: gives the negatives of ``stream`` where the settings have a curriculum: then each pair has a wrong caption and a
            wrong image from there, in place of those of its batch.
        control: gives soft targets to the cosine of the model, if the settings ask for them.

    """
    device, batches = accelerator.device, Prefetcher(stream) if ranking is None else stream

    def backward(model: nn.Module, step: int) -> tuple[Tensor, Figures]:
        drawn = ranking is not None and ranking.prepare(step)
        batch, waited = _timed_batch(batches, step)
        captions, images, targets = _drawn(batch) if drawn else _mismatched(batch, settings, stream, step)
        batch, targets = batch.to(device), targets.to(device)
        logits, vectors = model(batch, captions.to(device), images.to(device))
        # The matching pairs weigh as much as the mismatched ones, however many of those there are.
        weights = torch.tensor([1.0, int((targets == 0).sum()) / len(batch)], device=device)
        value, figures = functional.cross_entropy(logits.float(), targets, weights), waited
        if vectors is not None and settings.cosine is not None:
            alone = dataclasses.replace(vectors, hard_captions=None, hard_images=None)
            contrast, its = vector_loss(alone, batch, settings.cosine, control)
            value, figures = value + contrast, {"match_loss": value.item(), "contrastive_loss": contrast.item()} | its | figures
        accelerator.backward(value)
        return value.detach(), figures

    return backward


Rows = tuple[Tensor, Tensor, Tensor]
"""Of the pairs to match: caption rows, image rows and targets (1 match, 0 no match), (P,) int64 each."""


def _mismatched(batch: PairBatch, settings: JointTraining, stream: PairStream, step: int) -> Rows:
    """The pairs of a batch and mismatched ones."""
    draw = _torch_generator(settings.seed, "joint", step, *stream.share)
    return mismatched(batch.image_numbers, settings.joint_negatives, draw)


def _drawn(batch: PairBatch) -> Rows:
    """The pairs of a batch, and each with a drawn caption and with a drawn image where there is one; see ``JointMatcher``."""
    assert batch.hard_text_valid is not None and batch.hard_visual_valid is not None
    own, behind = torch.arange(len(batch)), len(batch)
    captions, images = batch.hard_text_valid.nonzero()[:, 0], batch.hard_visual_valid.nonzero()[:, 0]
    rows = torch.cat([own, behind + captions, images]), torch.cat([own, captions, behind + images])
    return *rows, (torch.arange(len(rows[0])) < len(batch)).long()


def contrastive_training(
    stream: PairStream,
    settings: DualTraining,
    accelerator: Accelerator,
    state: dict[str, Any],
    teacher: Teacher | None = None,
    miner: Miner | None = None,
    control: ControlVectors | None = None,
) -> Backward:
    """The decomposition: contrastive over the batches of all processes, with hard negatives, in chunks if asked.

    ``state``: what a continued run needs to know beside its weights (see ``Task``). The ``teacher`` gives soft targets if
    ``distillation`` asks for them, and takes mined negatives that it holds for right out of the loss; so does the ``control``
    if ``control_distillation`` asks for it.
    """
    cache = GradCache(settings.chunk_images, accelerator, state)
    batches = Prefetcher(stream) if miner is None else stream
    distillation, limit = settings.distillation, settings.mined.limit if settings.mined else None

    def backward(model: nn.Module, step: int) -> tuple[Tensor, Figures]:
        if miner is not None:
            miner.prepare(accelerator.unwrap_model(model), step)
        batch, waited = _timed_batch(batches, step)
        batch = batch.to(accelerator.device)
        dropped: Figures = {}
        if miner is not None and teacher is not None and limit is not None:
            batch, dropped = _without_matches(batch, teacher, limit)

        def loss(vectors: PairVectors) -> tuple[Tensor, Figures]:
            value, figures = vector_loss(vectors, batch, settings, control)
            if teacher is None or distillation is None:
                return value, figures
            soft = soft_target_loss(teacher, vectors, batch, settings.temperature, distillation)
            return value + distillation.weight * soft, figures | {"distillation_loss": soft.item()}

        value, figures = cache.backward(model, batch, loss)
        return value, figures | waited | dropped

    return backward


def _without_matches(batch: PairBatch, teacher: Teacher, limit: float) -> tuple[PairBatch, Figures]:
    """The batch without the mined negatives that the teacher takes for matches, and the share of them."""
    assert batch.hard_text_valid is not None and batch.hard_visual_valid is not None
    captions, images = teacher.rejects(batch, limit)
    kept = batch.hard_text_valid & captions, batch.hard_visual_valid & images
    mined = int(batch.hard_text_valid.sum() + batch.hard_visual_valid.sum())
    share = 1 - int(kept[0].sum() + kept[1].sum()) / max(1, mined)
    return dataclasses.replace(batch, hard_text_valid=kept[0], hard_visual_valid=kept[1]), {"mined_dropped": share}


def dual_validation(manifest: Manifest, reader: Reader) -> Callable[[nn.Module], float]:
    """Mean of the six recalls of a decomposed encoder on ``manifest``, in percent."""

    def value(model: nn.Module) -> float:
        assert isinstance(model, DualEncoder)
        return mean_recall(exact_ranks(embed(model, manifest, reader)))

    return value


def joint_validation(manifest: Manifest, reader: Reader) -> Callable[[nn.Module], float]:
    """Mean of the six recalls of a joint matcher on all pairs of ``manifest``, in percent."""

    def value(model: nn.Module) -> float:
        assert isinstance(model, JointMatcher)
        return mean_recall(exact_ranks(score_all(model, manifest, reader)))

    return value


def _timed_batch(batches: PairStream | Prefetcher, step: int) -> tuple[PairBatch, Figures]:
    """The batch, and how long the model waited for it."""
    started = time.perf_counter()
    return batches.batch(step), {"data_seconds": time.perf_counter() - started}


def _torch_generator(*names: str | int) -> torch.Generator:
    return torch.Generator().manual_seed(named_seed(*names))
