"""All processes' rows, with gradient, so that a contrastive batch spans the devices."""

import torch
from torch import Tensor, distributed
from torch.distributed.nn import functional


def gather_rows(tensor: Tensor) -> Tensor:
    """Concatenate a tensor over processes (equal shapes). The gradient flows back to each; alone it is the identity.

    Every process computes the same whole loss, whose gradients DistributedDataParallel averages: the sum that the backward
    pass of all_gather makes is exactly undone by that mean.
    """
    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
        return tensor
    if not tensor.is_floating_point():
        parts = [torch.empty_like(tensor) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, tensor.contiguous())
        return torch.cat(parts)
    return torch.cat(list(functional.all_gather(tensor.contiguous())))
