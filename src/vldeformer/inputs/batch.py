"""What goes into a model: padded tensors with masks, grouped so that they move between devices together."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor


@dataclass(frozen=True)
class TensorGroup:
    """Tensors that share their first axis."""

    def to(self, device: torch.device) -> Self:
        """The same on another device."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def select(self, rows: Tensor) -> Self:
        """The given rows, in the given order, repeats allowed."""
        return self._map(lambda tensor: tensor[rows])

    def _map(self, change: Callable[[Tensor], Tensor]) -> Self:
        return type(self)(**{field.name: change(getattr(self, field.name)) for field in dataclasses.fields(self)})

    def __len__(self) -> int:
        return len(getattr(self, dataclasses.fields(self)[0].name))


@dataclass(frozen=True)
class TextInput(TensorGroup):
    """Captions as word pieces: ``[CLS] caption [SEP]`` and padding; the mask is true where there is a token."""

    ids: Int64[Tensor, "B T"]
    mask: Bool[Tensor, "B T"]


@dataclass(frozen=True)
class RegionInput(TensorGroup):
    """Detector output: ``[CLS] tags [SEP]`` and regions.

    The last six of a region's numbers are x1 y1 x2 y2 width height for backbones that read tags; the others get features alone.
    """

    tag_ids: Int64[Tensor, "B G"]
    tag_mask: Bool[Tensor, "B G"]
    features: Float[Tensor, "B R V"]
    region_mask: Bool[Tensor, "B R"]


@dataclass(frozen=True)
class PixelInput(TensorGroup):
    """Square images, RGB scaled to -1..1."""

    pixels: Float[Tensor, "B 3 side side"]


@dataclass(frozen=True)
class PhotographInput(TensorGroup):
    """Photographs of their own sizes, RGB scaled to -1..1, cut into patches row by row and padded to the most patches.

    W = 3 × side × side numbers of a patch, colour by colour; grids: rows and columns of patches of each photograph.
    """

    patches: Float[Tensor, "B R W"]
    grids: Int64[Tensor, "B 2"]

    @property
    def mask(self) -> Bool[Tensor, "B R"]:
        """True where there is a patch."""
        places = torch.arange(self.patches.shape[1], device=self.grids.device)
        return places < self.grids.prod(1, keepdim=True)


VisualInput = RegionInput | PixelInput | PhotographInput


@dataclass(frozen=True)
class PairBatch:
    """B matching pairs, and for each anchor a composed caption and a composed image that do not match it.

    image_numbers: which image of the whole data set a pair is of, so that captions of one image are never each other's
    negatives. hard_text_valid is false where no negative could be composed: that row repeats the caption and must not
    be used.
    """

    text: TextInput
    visual: VisualInput
    image_numbers: Int64[Tensor, " B"]
    hard_text: TextInput | None = None
    hard_text_valid: Bool[Tensor, " B"] | None = None
    hard_visual: VisualInput | None = None
    hard_visual_valid: Bool[Tensor, " B"] | None = None

    def to(self, device: torch.device) -> "PairBatch":
        """The same on another device."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def part(self, first: int, after: int) -> "PairBatch":
        """The pairs ``first`` … ``after`` - 1, with the padding of the whole batch."""
        return self._map(lambda tensor: tensor[first:after])

    def _map(self, change: Callable[[Tensor], Tensor]) -> "PairBatch":
        changed: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is not None:
                changed[field.name] = value._map(change) if isinstance(value, TensorGroup) else change(value)
        return dataclasses.replace(self, **changed)

    def __len__(self) -> int:
        return len(self.image_numbers)
