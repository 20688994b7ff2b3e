"""From a sequence of states to one vector."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from vldeformer.models.backbone import Sequence
from vldeformer.models.settings import Pooling


def pooled_size(hidden_size: int, pooling: Pooling) -> int:
    """Width D of what ``pool`` makes of states of width H."""
    return 2 * hidden_size if pooling == "mean_max" else hidden_size


def pool(encoded: Sequence, pooling: Pooling) -> Float[Tensor, "B D"]:
    """One vector a row from the states that are there; zeros if none is.

    ``cls`` and ``sep`` take the first and the last of them (of an image the last one is a region or patch), ``mean`` their
    mean, ``mean_max`` their mean and then their maximum, D = 2 H. ``mean_all`` is the mean of all positions, padding
    included, as in the released code.
    """
    states, mask = encoded.states, encoded.mask
    match pooling:
        case "mean_all":
            return states.mean(1)
        case "mean":
            return _mean(states, mask)
        case "mean_max":
            return torch.cat([_mean(states, mask), _maximum(states, mask)], 1)
        case "cls":
            return _at(mask.int().argmax(1), states, mask)
        case "sep":
            return _at(mask.shape[1] - 1 - mask.flip(1).int().argmax(1), states, mask)


def unit(pooled: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
    """The vector that retrieval compares: behind tanh, of unit length, float32."""
    return functional.normalize(torch.tanh(pooled.float()), dim=-1)


def _mean(states: Float[Tensor, "B S H"], mask: Bool[Tensor, "B S"]) -> Float[Tensor, "B H"]:
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)


def _maximum(states: Float[Tensor, "B S H"], mask: Bool[Tensor, "B S"]) -> Float[Tensor, "B H"]:
    highest = states.masked_fill(~mask.unsqueeze(-1), -torch.inf).amax(1)
    return highest.masked_fill(~mask.any(1, keepdim=True), 0.0)


def _at(places: Tensor, states: Float[Tensor, "B S H"], mask: Bool[Tensor, "B S"]) -> Float[Tensor, "B H"]:
    chosen = states[torch.arange(len(states), device=states.device), places]
    return chosen.masked_fill(~mask.any(1, keepdim=True), 0.0)
