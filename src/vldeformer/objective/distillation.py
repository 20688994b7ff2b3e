"""Distillation: the joint model's match scores as soft targets of the decomposed model.

Both models rank the same few candidates of an anchor, and the decomposed one is drawn to the other's distribution over them.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional


def distillation_loss(
    student: Float[Tensor, "B K"],
    teacher: Float[Tensor, "B K"],
    valid: Bool[Tensor, "B K"],
    student_temperature: float | Float[Tensor, ""],
    teacher_temperature: float,
) -> Float[Tensor, ""]:
    """KL(teacher ‖ student) over the valid candidates of each anchor, mean over the anchors that have any; 0 if none has.

    ``student``: cosines; ``teacher``: log-odds of a match, which get no gradient. Each is divided by its temperature before
    its softmax. One valid candidate alone says nothing and costs 0.
    """
    lowest = torch.finfo(torch.float32).min  # not −infinity: a row without a candidate would be NaN
    ours = (student.float() / student_temperature).masked_fill(~valid, lowest).log_softmax(1)
    theirs = (teacher.detach().float() / teacher_temperature).masked_fill(~valid, lowest).log_softmax(1)
    divergence = functional.kl_div(ours, theirs, reduction="none", log_target=True).masked_fill(~valid, 0.0).sum(1)
    return divergence.sum() / valid.any(1).sum().clamp(min=1)
