"""The learning rate as a pure function of the step."""

import math


def learning_rate(step: int, highest: float, warmup_steps: int, steps: int) -> float:
    """Rate of ``step`` (from 0): linear warm-up to ``highest``, then half a cosine down to zero at ``steps``."""
    if step < warmup_steps:
        return highest * (step + 1) / warmup_steps
    if step >= steps:
        return 0.0
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    return highest * 0.5 * (1 + math.cos(math.pi * progress))
