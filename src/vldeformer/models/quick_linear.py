"""Linear layers of models that are trained on a CPU: oneDNN multiplies, forward and backward.

PyTorch gives float32 products to MKL, which uses half the width of an AMD processor's vector units.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


def quicken(model: nn.Module) -> None:
    """Replace the linear layers of ``model`` in place; weights and their names stay."""
    if not torch.backends.mkldnn.is_available():
        return
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if type(layer) is nn.Linear:
                setattr(parent, name, QuickLinear.of(layer))


class QuickLinear(nn.Linear):
    """``nn.Linear``; on a CPU in float32 by oneDNN."""

    @classmethod
    def of(cls, layer: nn.Linear) -> "QuickLinear":
        """With the parameters of ``layer`` themselves."""
        quick = cls(layer.in_features, layer.out_features, layer.bias is not None, device="meta")
        quick.weight, quick.bias = layer.weight, layer.bias
        return quick.train(layer.training)

    def forward(self, input: Float[Tensor, "*B I"]) -> Float[Tensor, "*B O"]:
        """As ``nn.Linear``; the last bits may differ."""
        if input.device.type != "cpu" or input.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
            return super().forward(input)
        product: Tensor = _Product.apply(input.flatten(0, -2), self.weight, self.bias)  # type: ignore[no-untyped-call]
        return product.view(*input.shape[:-1], -1)


class _Product(torch.autograd.Function):
    """``rows @ weight.T + bias``."""

    @staticmethod
    def forward(context: Any, rows: Float[Tensor, "N I"], weight: Float[Tensor, "O I"], bias: Tensor | None) -> Tensor:
        context.save_for_backward(rows, weight)
        return _multiply(rows, weight, bias)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,), (rows, weight) = gradients, context.saved_tensors
        of_rows = _multiply(gradient, weight.T) if context.needs_input_grad[0] else None
        of_weight = _multiply(gradient.T, rows.T) if context.needs_input_grad[1] else None
        return of_rows, of_weight, gradient.sum(0) if context.needs_input_grad[2] else None


def _multiply(left: Float[Tensor, "N I"], right: Float[Tensor, "O I"], bias: Tensor | None = None) -> Float[Tensor, "N O"]:
    product: Tensor = torch.ops.mkldnn._linear_pointwise(left.contiguous(), right, bias, "none", [], "none")
    return product
