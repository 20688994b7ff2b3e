"""Layers that train faster on a CPU than PyTorch's own: the setting ``runtime.kernels: fast``.

Linear, on a processor by AMD: oneDNN multiplies, forward and backward. PyTorch gives float32 products to MKL, which uses half the
width of these vector units. On Intel, MKL is faster (docs/benchmarks.md, "A training step").
Dropout: a random number has 64 bits, and 16 of them decide about a value; PyTorch draws a number for each.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

CHANCES = 2**16
FEW_VALUES = 100_000
"""PyTorch is as fast below this number of values."""


def use_fast_layers(model: nn.Module) -> None:
    """Replace the linear layers and the dropouts of ``model`` in place; parameters and their names stay."""
    linear = onednn_is_faster()
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if linear and type(layer) is nn.Linear:
                setattr(parent, name, FastLinear.of(layer))
            elif type(layer) is nn.Dropout and not layer.inplace:
                setattr(parent, name, FastDropout(layer.p).train(layer.training))


def onednn_is_faster() -> bool:
    """Whether oneDNN multiplies float32 faster than PyTorch's own products on this processor, forward and backward."""
    processor = str(torch.cpu.get_capabilities().get("cpu_name", ""))
    return processor.startswith("AMD") and torch.backends.mkldnn.is_available()


class FastLinear(nn.Linear):
    """``nn.Linear``; on a CPU in float32 by oneDNN."""

    @classmethod
    def of(cls, layer: nn.Linear) -> "FastLinear":
        """With the parameters of ``layer`` themselves."""
        fast = cls(layer.in_features, layer.out_features, layer.bias is not None, device="meta")
        fast.weight, fast.bias = layer.weight, layer.bias
        return fast.train(layer.training)

    def forward(self, input: Float[Tensor, "*B I"]) -> Float[Tensor, "*B O"]:
        """As ``nn.Linear``; the last bits may differ."""
        if input.device.type != "cpu" or input.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
            return super().forward(input)
        product: Tensor = _Product.apply(input.flatten(0, -2), self.weight, self.bias)  # type: ignore[no-untyped-call]  # torch leaves it without types
        return product.view(*input.shape[:-1], -1)


class FastDropout(nn.Dropout):
    """``nn.Dropout``; on a CPU, of many values, by 16 bits for each: ``p`` becomes a multiple of 2⁻¹⁶."""

    def forward(self, input: Tensor) -> Tensor:
        """Input of any shape → the same; the generator is PyTorch's own, so that its seed and its state decide."""
        dropped = round(self.p * CHANCES)
        plain = input.device.type != "cpu" or not input.is_floating_point() or input.numel() < FEW_VALUES
        if plain or not self.training or not 0 < dropped < CHANCES:
            return super().forward(input)
        drawn = torch.empty(-(-input.numel() // 4), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
        kept = (drawn[: input.numel()] >= dropped - CHANCES // 2).view(input.shape)
        return input * kept.to(input.dtype).mul_(CHANCES / (CHANCES - dropped))


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
