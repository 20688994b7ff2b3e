"""All processes' rows, with gradient, so that a contrastive batch spans the devices."""

import torch
from torch import Tensor, distributed
from torch.distributed.nn import functional


def gather_rows(tensor: Tensor) -> Tensor:
    """A tensor's rows of all processes (equal shapes), in the order of the whole batch: row i is of process i mod processes.

    The gradient flows back to each process; alone it is the identity.
    Every process computes the same whole loss, whose gradients DistributedDataParallel averages: the sum that the backward
    pass of all_gather makes is exactly undone by that mean.
    """
    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
        return tensor
    if not tensor.is_floating_point():
        parts = [torch.empty_like(tensor) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, tensor.contiguous())
    else:
        parts = list(functional.all_gather(tensor.contiguous()))
    return torch.stack(parts, 1).flatten(0, 1)
