"""The three things that are trained, each as a loss of (model, step): pre-training, the joint matcher, the decomposed encoder."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vldeformer.data.manifest import Manifest
from vldeformer.evaluation.measures import mean_recall
from vldeformer.inputs.batch import TextInput
from vldeformer.inputs.collate import TextReader, VisualReader
from vldeformer.inputs.streams import PairStream
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.dual import DualEncoder, PairVectors
from vldeformer.models.joint import JointMatcher
from vldeformer.objective.contrastive import contrastive_loss
from vldeformer.objective.matching import mask_words, mismatched, pretraining_loss
from vldeformer.retrieval.encode import embed, score_pairs
from vldeformer.retrieval.ranking import exact_ranks
from vldeformer.runtime import RuntimeSettings
from vldeformer.seeding import named_seed
from vldeformer.training.gather import gather_rows
from vldeformer.training.settings import PretrainSettings, TrainSettings

ALIGNMENT_TEMPERATURE = 0.05

Loss = Callable[[nn.Module, int], tuple[Tensor, dict[str, float]]]


def pretraining(stream: PairStream, words: WordPieces, settings: PretrainSettings, device: torch.device) -> Loss:
    """Masked words of all pairs of a batch; match / no match of half of them, beside as many mismatched ones.

    Words are masked in the pairs of the first task only. Were the matching pairs of the second task masked, a [MASK] would
    say that a pair matches and nothing else be learned; were all of them masked, half of what tells them apart would be hidden.
    With ``contrastive_weight`` captions and images are aligned before they are joined, as in ALBEF: a matcher alone does
    not take off from a few thousand photographs.
    """

    def loss(model: nn.Module, step: int) -> tuple[Tensor, dict[str, float]]:
        batch = stream.batch(step)
        draw = _torch_generator(settings.seed, "pretraining", step, *stream.share)
        pairs = len(batch.image_numbers)
        maskable = batch.text.mask & (batch.text.ids != words.cls) & (batch.text.ids != words.sep)
        masked, chosen = mask_words(batch.text.ids, maskable, settings.mask_ratio, words.mask, len(words), draw)
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
            contrast = contrastive_loss(caption_vectors, image_vectors, numbers, ALIGNMENT_TEMPERATURE)
            value, figures["contrastive_loss"] = value + settings.contrastive_weight * contrast, contrast.item()
        return value, figures

    return loss


def joint_training(stream: PairStream, settings: TrainSettings, device: torch.device) -> Loss:
    """Match / no match on the target set: the retrieval fine-tuning of the early-interaction baseline."""

    def loss(model: nn.Module, step: int) -> tuple[Tensor, dict[str, float]]:
        batch = stream.batch(step)
        draw = _torch_generator(settings.seed, "joint", step, *stream.share)
        captions, images, targets = mismatched(batch.image_numbers, settings.joint_negatives, draw)
        logits = model(batch.text.select(captions).to(device), batch.visual.select(images).to(device))
        # The matching pairs weigh as much as the mismatched ones, however many of those there are.
        weights = torch.tensor([1.0, float(settings.joint_negatives)], device=device)
        return nn.functional.cross_entropy(logits.float(), targets.to(device), weights), {}

    return loss


def contrastive_training(stream: PairStream, settings: TrainSettings, device: torch.device) -> Loss:
    """The decomposition: contrastive over the batches of all processes, with composed hard negatives."""

    def loss(model: nn.Module, step: int) -> tuple[Tensor, dict[str, float]]:
        batch = stream.batch(step).to(device)
        vectors: PairVectors = model(batch)
        value = contrastive_loss(
            gather_rows(vectors.captions),
            gather_rows(vectors.images),
            gather_rows(batch.image_numbers),
            settings.temperature,
            _gathered(vectors.hard_captions),
            _gathered(batch.hard_text_valid),
            _gathered(vectors.hard_images),
            _gathered(batch.hard_visual_valid),
            settings.negatives_scope,
        )
        return value, {}

    return loss


def _gathered(rows: Tensor | None) -> Tensor | None:
    return None if rows is None else gather_rows(rows)


def dual_validation(
    manifest: Manifest, text: TextReader, visual: VisualReader, runtime: RuntimeSettings
) -> Callable[[nn.Module], float]:
    """Mean of the six recalls of a decomposed encoder on ``manifest``, in percent."""

    def value(model: nn.Module) -> float:
        assert isinstance(model, DualEncoder)
        return mean_recall(exact_ranks(embed(model, manifest, text, visual, runtime)))

    return value


def joint_validation(
    manifest: Manifest, text: TextReader, visual: VisualReader, runtime: RuntimeSettings
) -> Callable[[nn.Module], float]:
    """Mean of the six recalls of a joint matcher on all pairs of ``manifest``, in percent."""

    def value(model: nn.Module) -> float:
        assert isinstance(model, JointMatcher)
        return mean_recall(exact_ranks(score_pairs(model, manifest, text, visual, runtime)))

    return value


def _torch_generator(*names: str | int) -> torch.Generator:
    return torch.Generator().manual_seed(named_seed(*names))
