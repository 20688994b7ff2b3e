"""Losses over all candidates of a query at once, from pytorch-metric-learning: InfoNCE and multi-similarity.

SupConLoss with MeanReducer equals InfoNCE when every image occurs once in a batch; with two captions of one image it counts
both as right. NTXentLoss is the same formula at cubic cost.
"""

from jaxtyping import Float
from pytorch_metric_learning.distances import CosineSimilarity
from pytorch_metric_learning.losses import MultiSimilarityLoss, SupConLoss
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor

from vldeformer.objective.candidates import Candidates

RIGHT_SCALE, WRONG_SCALE, THRESHOLD = 2.0, 50.0, 0.5
"""Alpha, beta and lambda of multi-similarity, of which its paper says that they serve every data set (arXiv 1904.06627)."""


def info_nce(queries: Float[Tensor, "Q D"], candidates: Candidates, temperature: float | Float[Tensor, ""]) -> Float[Tensor, ""]:
    """Mean over queries of −log softmax(cosine / temperature) of the right candidates; 0 if no query has a wrong one."""
    loss = SupConLoss(distance=CosineSimilarity(), reducer=MeanReducer())
    loss.temperature = temperature  # the library only divides by it, so a tensor gets its gradient
    value: Tensor = loss(queries, indices_tuple=candidates.pairs(), ref_emb=candidates.vectors)
    return value


def multi_similarity(queries: Float[Tensor, "Q D"], candidates: Candidates) -> Float[Tensor, ""]:
    """Mean over queries of log(1 + Σ exp(−α (s − λ))) / α over right and log(1 + Σ exp(β (s − λ))) / β over wrong candidates."""
    loss = MultiSimilarityLoss(RIGHT_SCALE, WRONG_SCALE, THRESHOLD, distance=CosineSimilarity(), reducer=MeanReducer())
    value: Tensor = loss(queries, indices_tuple=candidates.pairs(), ref_emb=candidates.vectors)
    return value
