"""Triplet losses: as released, with the next pair of the batch as negative, or with the hardest candidate.

Distances are Euclidean between unit vectors (p = 2), so between 0 and 2.
"""

import torch
from jaxtyping import Float, Int64
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor
from torch.nn import functional

from vldeformer.objective.candidates import Candidates


def rolled_triplet(queries: Float[Tensor, "Q D"], candidates: Candidates, margin: float) -> Float[Tensor, ""]:
    """Mean over triplets of max(0, margin + distance to the own reference − distance to a negative); 0 without a triplet.

    The negatives of query i are reference i − 1, as idealwhite/VLDeformer's released loss takes them, unless it is of the
    same image, and the composed negatives that the query meets.
    """
    own = torch.arange(len(queries), device=queries.device)
    wrong = candidates.wrong.clone()
    wrong[:, : candidates.references] &= own.roll(1)[:, None] == own[None, :]
    anchors, negatives = wrong.nonzero(as_tuple=True)
    return _triplet_loss(queries, candidates, margin, anchors, anchors, negatives)


def hardest_triplet(queries: Float[Tensor, "Q D"], candidates: Candidates, margin: float) -> Float[Tensor, ""]:
    """As ``rolled_triplet``, but of each query one triplet: its farthest right and its nearest wrong candidate.

    Batch-hard mining (arXiv 1703.07737), chosen here because the library's miner goes by labels and cannot leave out the
    negatives that were composed for another query. A query without a wrong candidate has no triplet.
    """
    with torch.no_grad():
        cosines = functional.normalize(queries) @ functional.normalize(candidates.vectors).T
        positives = cosines.masked_fill(~candidates.right, torch.inf).argmin(1)
        negatives = cosines.masked_fill(~candidates.wrong, -torch.inf).argmax(1)
    anchors = candidates.wrong.any(1).nonzero(as_tuple=True)[0]
    return _triplet_loss(queries, candidates, margin, anchors, positives[anchors], negatives[anchors])


def _triplet_loss(
    queries: Float[Tensor, "Q D"],
    candidates: Candidates,
    margin: float,
    anchors: Int64[Tensor, " triplets"],
    positives: Int64[Tensor, " triplets"],
    negatives: Int64[Tensor, " triplets"],
) -> Float[Tensor, ""]:
    loss = TripletMarginLoss(margin, distance=LpDistance(p=2, normalize_embeddings=True), reducer=MeanReducer())
    value: Tensor = loss(queries, indices_tuple=(anchors, positives, negatives), ref_emb=candidates.vectors)
    return value
