"""Which references and composed negatives a query is told apart from: the same answer for every contrastive loss.

Captions of one image are all right for it, and composed negatives are wrong for whoever meets them.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

Scope = Literal["anchor", "batch"]


@dataclass(frozen=True)
class Candidates:
    """References, then the valid composed negatives. What is neither right nor wrong for a query does not count for it."""

    vectors: Float[Tensor, "N D"]
    right: Bool[Tensor, "Q N"]
    wrong: Bool[Tensor, "Q N"]
    references: int
    """How many of the N are references; the others are composed."""

    def pairs(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Query and column of each right, then of each wrong candidate, as pytorch-metric-learning takes them."""
        rights, wrongs = self.right.nonzero(as_tuple=True), self.wrong.nonzero(as_tuple=True)
        return rights[0], rights[1], wrongs[0], wrongs[1]


def gather_candidates(
    references: Float[Tensor, "B D"],
    image_numbers: Int64[Tensor, " B"],
    hard: Float[Tensor, "B D"] | None = None,
    hard_valid: Bool[Tensor, " B"] | None = None,
    scope: Scope = "batch",
) -> Candidates:
    """The candidates of B queries, query i being the other half of the pair of reference i.

    A reference is right for the queries of its image and wrong for the others. ``hard[i]`` is the negative composed for query
    i (left out where ``hard_valid[i]`` is false): wrong for every query (scope ``batch``) or for query i alone (``anchor``).
    """
    right = image_numbers[:, None] == image_numbers[None, :]
    if hard is None or hard_valid is None:
        return Candidates(references, right, ~right, len(references))
    owners = hard_valid.nonzero(as_tuple=True)[0]
    met = torch.ones((len(right), len(owners)), dtype=torch.bool, device=right.device)
    if scope == "anchor":
        met = owners[None, :] == torch.arange(len(right), device=right.device)[:, None]
    return Candidates(
        torch.cat([references, hard[owners]]),
        torch.cat([right, torch.zeros_like(met)], 1),
        torch.cat([~right, met], 1),
        len(references),
    )
