"""The joint model as a teacher of the decomposed one: its scores of the hard candidates of a batch, as soft targets.

It reads the batch that the decomposed model has read, padded and cut as that one reads it, and learns nothing itself.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from vldeformer.inputs.batch import PairBatch, TextInput, VisualInput
from vldeformer.models.dual import PairVectors
from vldeformer.models.joint import JointMatcher
from vldeformer.objective.distillation import distillation_loss
from vldeformer.runtime import RuntimeSettings, arithmetic
from vldeformer.training.settings import Distillation

PAIRS_AT_ONCE = 512


@dataclass(frozen=True)
class Teacher:
    """A joint matcher in eval mode, on the device of the training."""

    matcher: JointMatcher
    runtime: RuntimeSettings

    def log_odds(
        self, text: TextInput, visual: VisualInput, text_rows: Int64[Tensor, " P"], visual_rows: Int64[Tensor, " P"]
    ) -> Float[Tensor, " P"]:
        """Log-odds of a match of each pair of rows."""
        scores = []
        for captions, images in zip(text_rows.split(PAIRS_AT_ONCE), visual_rows.split(PAIRS_AT_ONCE), strict=True):
            with torch.no_grad(), arithmetic(self.runtime):
                scores.append(self.matcher.score(text.select(captions), visual.select(images)).float())
        return torch.cat(scores)

    def rejects(self, batch: PairBatch, limit: float) -> tuple[Bool[Tensor, " B"], Bool[Tensor, " B"]]:
        """Which hard captions and hard images of a batch are taken for wrong: log-odds below ``limit``."""
        assert batch.hard_text is not None and batch.hard_visual is not None
        own = torch.arange(len(batch), device=batch.image_numbers.device)
        captions = self.log_odds(batch.hard_text, batch.visual, own, own) < limit
        return captions, self.log_odds(batch.text, batch.hard_visual, own, own) < limit


def soft_target_loss(
    teacher: Teacher, vectors: PairVectors, batch: PairBatch, temperature: float, settings: Distillation
) -> Float[Tensor, ""]:
    """Both directions of ``distillation_loss`` over this process's batch, summed.

    Candidates of an anchor are its own pair, the hardest others of the batch by the cosines of the moment, and its hard negative
    if it has one. Captions of one image are no candidates of each other's image.

    Args:
        teacher: the joint model.
        vectors: (B, D) of the decomposed model, with its learned temperature if it has one.
        batch: the B pairs that both models read.
        temperature: divides the cosines, unless ``vectors`` has a learned one.
        settings: number of the hardest others, and the joint model's temperature.

    """
    student_temperature = vectors.temperature_or(temperature)
    same = batch.image_numbers[:, None] == batch.image_numbers[None, :]
    cosines = vectors.captions.float() @ vectors.images.float().T
    own = torch.arange(len(same), device=same.device)
    matching = teacher.log_odds(batch.text, batch.visual, own, own)
    count = min(settings.candidates, len(same) - 1)

    def directed(by_anchor: Tensor, caption_anchors: bool, hard: Tensor | None, hard_valid: Tensor | None) -> Tensor:
        others = by_anchor.detach().masked_fill(same, -torch.inf).topk(count, dim=1)
        anchors, chosen = own.repeat_interleave(count), others.indices.flatten()
        pairs = (anchors, chosen) if caption_anchors else (chosen, anchors)
        mismatched = teacher.log_odds(batch.text, batch.visual, *pairs).view_as(others.indices)
        scores = torch.cat([matching[:, None], mismatched], 1)
        student = torch.cat([by_anchor.diagonal()[:, None], by_anchor.gather(1, others.indices)], 1)
        valid = torch.cat([torch.ones_like(same[:, :1]), others.values.isfinite()], 1)
        if hard is not None and hard_valid is not None:
            text, visual = (batch.text, batch.hard_visual) if caption_anchors else (batch.hard_text, batch.visual)
            assert text is not None and visual is not None
            anchor_vectors = vectors.captions if caption_anchors else vectors.images
            scores = torch.cat([scores, teacher.log_odds(text, visual, own, own)[:, None]], 1)
            student = torch.cat([student, (anchor_vectors.float() * hard.float()).sum(1, keepdim=True)], 1)
            valid = torch.cat([valid, hard_valid[:, None]], 1)
        return distillation_loss(student, scores, valid, student_temperature, settings.temperature)

    text_to_image = directed(cosines, True, vectors.hard_images, batch.hard_visual_valid)
    return text_to_image + directed(cosines.T, False, vectors.hard_captions, batch.hard_text_valid)
