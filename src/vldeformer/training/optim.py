"""AdamW as the paper sets it, without decay of biases and layer norms, and its learning rate as a function of the step."""

import math

import torch
from torch import nn


def learning_rate(step: int, highest: float, warmup_steps: int, steps: int) -> float:
    """Rate of ``step`` (from 0): linear warm-up to ``highest``, then half a cosine down to zero at ``steps``."""
    if step < warmup_steps:
        return highest * (step + 1) / warmup_steps
    if step >= steps:
        return 0.0
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    return highest * 0.5 * (1 + math.cos(math.pi * progress))


def build_optimizer(model: nn.Module, weight_decay: float) -> torch.optim.AdamW:
    """AdamW over the trainable parameters; the learning rate is set before each step by the loop."""
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for parameter in model.parameters():
        if parameter.requires_grad:
            # Vectors are exactly the biases and the layer norms' gains.
            (decayed if parameter.ndim > 1 else plain).append(parameter)
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=0.0)
