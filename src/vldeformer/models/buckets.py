"""Rows of like length are read together: captions of a batch differ by a factor of four, and padding costs as much as words."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Int64
from torch import Tensor

MOST_BUCKETS = 4
FEWEST_ROWS = 16
"""In a bucket: smaller ones would cost more in calls than they save in padding."""


def buckets_by_length(lengths: Int64[Tensor, " B"]) -> tuple[Int64[Tensor, " rows"], ...]:
    """Row numbers of at most ``MOST_BUCKETS`` parts of a batch, the shortest rows first; one part if all are of one length."""
    number = max(1, min(MOST_BUCKETS, len(lengths) // FEWEST_ROWS))
    if number == 1 or lengths.min() == lengths.max():
        return (torch.arange(len(lengths), device=lengths.device),)
    return lengths.argsort(stable=True).tensor_split(number)


def buckets_by_tokens(lengths: Int64[Tensor, " B"], tokens: int) -> tuple[Int64[Tensor, " rows"], ...]:
    """Row numbers of parts of a batch with about ``tokens`` tokens each, the shortest rows first; a part may be one long row."""
    ordered, rows = lengths.sort(stable=True)
    before = ordered.cumsum(0) - ordered
    parts = math.ceil(int(ordered.sum()) / tokens)
    counts = (before * parts // ordered.sum().clamp(min=1)).unique_consecutive(return_counts=True)[1]
    split: tuple[Tensor, ...] = rows.split(counts.tolist())
    return split


def read_by_length(
    lengths: Int64[Tensor, " B"], read: Callable[[Int64[Tensor, " rows"]], Tensor], tokens: int | None = None
) -> Tensor:
    """What ``read`` makes of the rows of each bucket, as one tensor in the order of the batch.

    ``tokens``: read so many at once, where padding costs nothing; None: few buckets, of which each costs a little padding.
    """
    buckets = buckets_by_length(lengths) if tokens is None else buckets_by_tokens(lengths, tokens)
    if len(buckets) == 1 and tokens is None:  # the rows are in their order
        return read(buckets[0])
    return torch.cat([read(rows) for rows in buckets])[torch.cat(buckets).argsort()]
