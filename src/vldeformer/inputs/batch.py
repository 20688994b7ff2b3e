"""What goes into a model: padded tensors with masks, grouped so that they move between devices together."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class TensorGroup(ABC):
    """Tensors that share their first axis."""

    def to(self, device: torch.device) -> Self:
        """The same on another device."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def select(self, rows: Tensor) -> Self:
        """The given rows, in the given order, repeats allowed."""
        return self._map(lambda tensor: tensor[rows])

    def trimmed(self) -> Self:
        """The same without padding that no row needs."""
        return self

    @property
    @abstractmethod
    def lengths(self) -> Int64[Tensor, " B"]:
        """Positions of each row that are no padding."""

    def _map(self, change: Callable[[Tensor], Tensor]) -> Self:
        return type(self)(**{field.name: change(getattr(self, field.name)) for field in dataclasses.fields(self)})

    def __len__(self) -> int:
        return len(getattr(self, dataclasses.fields(self)[0].name))


Group = TypeVar("Group", bound=TensorGroup)


def stacked(groups: Sequence[Group]) -> Group:
    """The rows of several groups of one kind, one group behind the other; the shorter ones are padded with zeros."""

    def wide(tensors: list[Tensor]) -> Tensor:
        if tensors[0].ndim < 2:
            return torch.cat(tensors)
        longest = max(tensor.shape[1] for tensor in tensors)
        room = (0, 0) * (tensors[0].ndim - 2)
        return torch.cat([functional.pad(tensor, (*room, 0, longest - tensor.shape[1])) for tensor in tensors])

    names = [field.name for field in dataclasses.fields(groups[0])]
    return type(groups[0])(**{name: wide([getattr(group, name) for group in groups]) for name in names})


@dataclass(frozen=True)
class TextInput(TensorGroup):
    """Captions as word pieces: ``[CLS] caption [SEP]`` and padding; the mask is true where there is a token."""

    ids: Int64[Tensor, "B T"]
    mask: Bool[Tensor, "B T"]

    @property
    def lengths(self) -> Int64[Tensor, " B"]:
        """Tokens of each caption."""
        return self.mask.sum(1)

    def trimmed(self) -> "TextInput":
        """As long as the longest caption."""
        longest = int(self.lengths.max())
        return TextInput(self.ids[:, :longest], self.mask[:, :longest])


@dataclass(frozen=True)
class RegionInput(TensorGroup):
    """Detector output: ``[CLS] tags [SEP]`` and regions.

    The last six of a region's numbers are x1 y1 x2 y2 width height for backbones that read tags; the others get features alone.
    """

    tag_ids: Int64[Tensor, "B G"]
    tag_mask: Bool[Tensor, "B G"]
    features: Float[Tensor, "B R V"]
    region_mask: Bool[Tensor, "B R"]

    @property
    def lengths(self) -> Int64[Tensor, " B"]:
        """Tag tokens and regions of each image."""
        return self.tag_mask.sum(1) + self.region_mask.sum(1)

    def trimmed(self) -> "RegionInput":
        """As wide as the image with most tag tokens and the one with most regions (at least one)."""
        tags, regions = int(self.tag_mask.sum(1).max()), max(1, int(self.region_mask.sum(1).max()))
        return RegionInput(
            self.tag_ids[:, :tags], self.tag_mask[:, :tags], self.features[:, :regions], self.region_mask[:, :regions]
        )


@dataclass(frozen=True)
class PixelInput(TensorGroup):
    """Square images, RGB scaled to -1..1."""

    pixels: Float[Tensor, "B 3 side side"]

    @property
    def lengths(self) -> Int64[Tensor, " B"]:
        """All images are of one size: what it is has no meaning here."""
        return torch.ones(len(self), dtype=torch.int64, device=self.pixels.device)


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

    @property
    def lengths(self) -> Int64[Tensor, " B"]:
        """Patches of each photograph."""
        return self.grids.prod(1)

    def trimmed(self) -> "PhotographInput":
        """As many patches as the largest photograph has."""
        return PhotographInput(self.patches[:, : int(self.lengths.max())], self.grids)


VisualInput = RegionInput | PixelInput | PhotographInput


@dataclass(frozen=True)
class PairBatch:
    """B matching pairs, and for each anchor a composed caption and a composed image that do not match it.

    image_numbers: which image of the whole data set a pair is of, so that captions of one image are never each other's
    negatives. hard_text_valid is false where no negative could be composed: that row repeats the caption and must not
    be used. further_text: C - 1 more captions of each image, row by row; caption_rows: which captions of the
    data set they all are, the pair's own first.
    """

    text: TextInput
    visual: VisualInput
    image_numbers: Int64[Tensor, " B"]
    hard_text: TextInput | None = None
    hard_text_valid: Bool[Tensor, " B"] | None = None
    hard_visual: VisualInput | None = None
    hard_visual_valid: Bool[Tensor, " B"] | None = None
    further_text: tuple[TextInput, ...] = ()
    caption_rows: Int64[Tensor, "B C"] | None = None

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
            if isinstance(value, tuple):
                changed[field.name] = tuple(text._map(change) for text in value)
            elif value is not None:
                changed[field.name] = value._map(change) if isinstance(value, TensorGroup) else change(value)
        return dataclasses.replace(self, **changed)

    def __len__(self) -> int:
        return len(self.image_numbers)
