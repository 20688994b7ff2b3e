"""The pairwise sigmoid loss of SigLIP (arXiv 2303.15343), which pytorch-metric-learning has not.

SigLIP learns the offset b of the scores. Here it is −1 / (2 temperature), so that a cosine of one half divides right from
wrong at any temperature: at 0.05 it is the −10 that SigLIP starts from.
"""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from vldeformer.objective.candidates import Candidates

THRESHOLD = 0.5


def sigmoid_pairs(
    queries: Float[Tensor, "Q D"], candidates: Candidates, temperature: float | Float[Tensor, ""]
) -> Float[Tensor, ""]:
    """Mean over queries of Σ −log sigmoid(± (cosine − 1/2) / temperature), + for right and − for wrong candidates."""
    cosines = functional.normalize(queries) @ functional.normalize(candidates.vectors).T
    scores = (cosines - THRESHOLD) / temperature
    losses = -functional.logsigmoid(scores.where(candidates.right, -scores))
    return losses.where(candidates.right | candidates.wrong, 0.0).sum(1).mean()
