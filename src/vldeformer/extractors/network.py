"""What an extractor needs of a trained network: a feature map, scores of its classes, and how it wants its pixels."""

import abc
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import PIL.Image
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vldeformer.errors import InputError

Pixels: TypeAlias = Float[Tensor, "1 3 side side"]
FeatureMap: TypeAlias = Float[Tensor, "1 V H W"]
Scores: TypeAlias = Float[Tensor, "1 classes"]


@dataclass(frozen=True)
class Preparation:
    """From an image of any size to what a network reads.

    The whole image is resized to a square: nothing is cut off, so a cell's box is one of the image, and an image of any
    aspect takes the same memory.

    side: pixels; mean, deviation: of the three colours after ``scale``; resample: number of Pillow's filter.
    """

    side: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    scale: float = 1 / 255
    resample: int = PIL.Image.Resampling.BICUBIC

    def __call__(self, rgb: PIL.Image.Image) -> Pixels:
        """Pixels of an upright RGB image."""
        size = self.side, self.side
        squeezed = rgb if rgb.size == size else rgb.resize(size, PIL.Image.Resampling(self.resample))
        pixels: np.ndarray = np.asarray(squeezed, dtype=np.float32) * np.float32(self.scale)
        pixels = (pixels - np.array(self.mean, dtype=np.float32)) / np.array(self.deviation, dtype=np.float32)
        return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]


class VisionNetwork(nn.Module, abc.ABC):
    """A frozen network. Subclasses state ``kind``, the setting that chooses them, and are made by ``open`` or ``rebuild``.

    Attributes:
        preparation: how it wants its pixels.
        words: a tag for each of its classes; empty: it has no classes.

    """

    kind: ClassVar[str]
    preparation: Preparation
    words: tuple[str, ...]

    @abc.abstractmethod
    def forward(self, pixels: Pixels) -> tuple[FeatureMap, Scores | None]:
        """Last feature map, and scores of the classes (None: there are none) before the softmax."""

    @abc.abstractmethod
    def layout(self) -> dict[str, Any]:
        """What ``rebuild`` needs in addition to the weights, as JSON."""

    @classmethod
    @abc.abstractmethod
    def open(cls, settings: Any) -> Self:
        """The published network that settings of this kind name, in eval mode. Raises InputError (one line)."""

    @classmethod
    @abc.abstractmethod
    def rebuild(cls, layout: dict[str, Any]) -> Self:
        """The network of a ``layout``, its weights not yet filled in."""

    def checked_width(self, grid: int, name: str) -> int:
        """V, of a blank image.

        Args:
            grid: cells of regions along a side.
            name: of the network, for the message.

        Raises:
            InputError: the feature map has fewer rows or columns, or there is not one word for each class.

        """
        with torch.inference_mode():
            feature_map, logits = self(self.preparation(PIL.Image.new("RGB", (2, 2))))
        width, rows, columns = feature_map.shape[1:]
        classes = 0 if logits is None else logits.shape[1]
        if len(self.words) not in (0, classes):
            raise InputError(f"{name}: expected a word for each of {classes} classes, got {len(self.words)}")
        most = min(rows, columns)
        if grid > most:
            raise InputError(
                f"{name}: its feature map is {rows} x {columns}; expected regions.grid of at most {most}, got {grid}"
            )
        return int(width)
