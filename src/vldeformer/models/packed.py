"""Little or no padding: rows of like length are read together, and inference on a CPU runs over the tokens alone.

Captions of a batch differ in length by a factor of four, and padding costs as much as words. In inference the tokens of many rows
form one matrix; attention alone runs over rows of one length.

oneDNN multiplies, with weights laid out, and converted if need be, once: MKL, which ``nn.Linear`` calls in float32, uses half the
width of an AMD processor's vector units, and autocast converts the weights in each call.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn.functional import layer_norm, scaled_dot_product_attention

from vldeformer.models.backbone import Sequence

TOKENS_AT_ONCE = 2048
"""Few enough that what a layer makes of them stays in cache, enough that reading its weights takes little time."""

MOST_BUCKETS = 4
FEWEST_ROWS = 16
"""In a bucket: smaller ones would cost more in calls than they save in padding."""

Made = TypeVar("Made")


def packs(module: nn.Module) -> bool:
    """Whether ``encode`` is to be used for ``module``: it infers, on a CPU that oneDNN multiplies on."""
    if module.training or torch.is_grad_enabled():
        return False
    if not torch.backends.mkldnn.is_available() or next(module.parameters()).device.type != "cpu":
        return False
    return _precision() == torch.float32 or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def project(linear: nn.Linear, values: Float[Tensor, "B R V"]) -> Float[Tensor, "B R H"]:
    """What ``linear`` makes of ``values``, in the precision of autocast."""
    dtype = _precision()
    product = _kept(linear, dtype, _alone).product(values.to(dtype).flatten(0, 1))
    return product.view(*values.shape[:2], -1)


def encode(layers: Iterable[nn.Module], sequence: Sequence, heads: int) -> Sequence:
    """What ``layers``, BERT's or of its like, make of ``sequence``, in the precision of autocast.

    What the mask hides becomes zero; of a sequence that is ``whole`` it becomes what it is elsewhere.
    """
    dtype, mask = _precision(), sequence.mask
    prepared = [_kept(layer, dtype, _Layer) for layer in layers]
    there = torch.ones_like(mask) if sequence.whole else mask
    lengths, states = there.sum(1), sequence.states.flatten(0, 1)
    found = torch.zeros_like(states, dtype=dtype)
    with torch.autocast("cpu", enabled=False):
        for rows in buckets_by_tokens(lengths, TOKENS_AT_ONCE):
            places = (rows[:, None] * mask.shape[1] + torch.arange(mask.shape[1]))[there[rows]]
            groups = _groups(lengths[rows], mask[rows] if sequence.whole else None)
            tokens = states[places].to(dtype)
            for layer in prepared:
                tokens = layer.encode(tokens, groups, heads)
            found[places] = tokens
    return Sequence(found.view_as(sequence.states), mask, sequence.whole)


@dataclass(frozen=True)
class _Group:
    """``rows`` rows of ``length`` tokens each, one behind the other; ``shown``: which of them attention sees, None: all."""

    rows: int
    length: int
    shown: Bool[Tensor, "rows 1 1 length"] | None


def _groups(lengths: Int64[Tensor, " rows"], shown: Bool[Tensor, "rows S"] | None) -> list[_Group]:
    """Of rows in the order of their lengths; where ``shown`` is given, all are of one."""
    sizes, counts = lengths.unique_consecutive(return_counts=True)
    seen = None if shown is None else shown[:, None, None, :]
    return [_Group(rows, length, seen) for rows, length in zip(counts.tolist(), sizes.tolist(), strict=True) if length]


class _Linear:
    """Linear layers of one input as one product; oneDNN's layout of their weights is a second copy of them."""

    def __init__(self, layers: list[nn.Linear], dtype: torch.dtype) -> None:
        weight, bias = (torch.cat([getattr(layer, name).detach() for layer in layers]).to(dtype) for name in ("weight", "bias"))
        self.weight, self.bias = torch.ops.mkldnn._reorder_linear_weight(weight, TOKENS_AT_ONCE), bias

    def product(self, states: Float[Tensor, "N I"], then: str = "none") -> Float[Tensor, "N O"]:
        """``then``: ``gelu`` or ``none``."""
        found: Tensor = torch.ops.mkldnn._linear_pointwise(states, self.weight, self.bias, then, [], "none")
        return found

    def product_plus(self, states: Float[Tensor, "N I"], other: Float[Tensor, "N O"]) -> Float[Tensor, "N O"]:
        """The product and ``other``."""
        found: Tensor = torch.ops.mkldnn._linear_pointwise.binary(states, other, self.weight, self.bias, "add")
        return found


def _alone(linear: nn.Linear, dtype: torch.dtype) -> _Linear:
    return _Linear([linear], dtype)


class _Layer:
    """One layer; its norms stay where they are."""

    def __init__(self, layer: Any, dtype: torch.dtype) -> None:
        attention, reads = layer.attention, layer.attention.self
        self.query_key_value = _Linear([reads.query, reads.key, reads.value], dtype)
        self.attended, self.attended_norm = _Linear([attention.output.dense], dtype), attention.output.LayerNorm
        self.wide = _Linear([layer.intermediate.dense], dtype)
        self.narrow, self.narrow_norm = _Linear([layer.output.dense], dtype), layer.output.LayerNorm

    def encode(self, states: Float[Tensor, "N H"], groups: list[_Group], heads: int) -> Float[Tensor, "N H"]:
        read = _attention(self.query_key_value.product(states), groups, heads)
        states = _normed(self.attended.product_plus(read, states), self.attended_norm)
        return _normed(self.narrow.product_plus(self.wide.product(states, "gelu"), states), self.narrow_norm)


def _attention(query_key_value: Float[Tensor, "N 3H"], groups: list[_Group], heads: int) -> Float[Tensor, "N H"]:
    width, stop = query_key_value.shape[1] // 3, 0
    read = query_key_value.new_empty(len(query_key_value), width)
    for group in groups:
        start, stop = stop, stop + group.rows * group.length
        query, key, value = query_key_value[start:stop].view(group.rows, group.length, 3, heads, -1).permute(2, 0, 3, 1, 4)
        found = _attend(query, key, value, group.shown)
        read[start:stop].view(group.rows, group.length, heads, -1).copy_(found.transpose(1, 2))
    return read


def _attend(query: Tensor, key: Tensor, value: Tensor, shown: Bool[Tensor, "rows 1 1 length"] | None) -> Tensor:
    if query.dtype == torch.float32:
        return scaled_dot_product_attention(query, key, value, attn_mask=shown)
    # In bfloat16 three calls are quicker than torch's one.
    scores = (query * query.shape[-1] ** -0.5) @ key.mT
    if shown is not None:
        scores.masked_fill_(~shown, -torch.inf)
    weights: Tensor = scores.softmax(-1, dtype=torch.float32).to(value.dtype)
    return weights @ value


def _normed(states: Float[Tensor, "N H"], norm: nn.LayerNorm) -> Float[Tensor, "N H"]:
    return layer_norm(states, norm.normalized_shape, norm.weight, norm.bias, norm.eps)


def _precision() -> torch.dtype:
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32


_KEPT: WeakKeyDictionary[nn.Module, tuple[object, Any]] = WeakKeyDictionary()


def _kept(module: nn.Module, dtype: torch.dtype, make: Callable[[Any, torch.dtype], Made]) -> Made:
    """What ``make`` made of ``module`` in this precision, until the module is gone or its weights have changed."""
    state = dtype, [(weight.data_ptr(), weight._version) for weight in module.parameters()]
    known = _KEPT.get(module)
    if known is None or known[0] != state:
        known = _KEPT[module] = state, make(module, dtype)
    made: Made = known[1]
    return made


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
