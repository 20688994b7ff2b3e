"""From a sequence of states to one vector."""

from jaxtyping import Float
from torch import Tensor

from vldeformer.models.backbone import Sequence
from vldeformer.models.settings import Pooling


def pool(encoded: Sequence, pooling: Pooling) -> Float[Tensor, "B H"]:
    """``mean`` of the states that are there; ``mean_all`` of all positions, padding included, as in the released code."""
    if pooling == "mean_all":
        return encoded.states.mean(1)
    mask = encoded.mask.unsqueeze(-1).to(encoded.states.dtype)
    return (encoded.states * mask).sum(1) / mask.sum(1).clamp(min=1)
