"""What every extractor of regions does: read a picture, travel with a model."""

import abc
from pathlib import Path
from typing import ClassVar, Self

import PIL.Image

from vldeformer.data.records import Regions


class Extractor(abc.ABC):
    """A picture → its regions, features and tags. The same picture gives the same numbers, whatever was read before it.

    A subclass states ``file_name``, the one file of an extractor in the folder of its features and in a model folder.
    """

    file_name: ClassVar[str]

    @property
    @abc.abstractmethod
    def feature_width(self) -> int:
        """V, box numbers not counted."""

    @property
    @abc.abstractmethod
    def learned_from(self) -> str:
        """What it was trained on, a sentence for the card of a model that it travels with."""

    @abc.abstractmethod
    def regions(self, rgb: PIL.Image.Image) -> Regions:
        """Regions of an upright RGB image of any size: features (R, V) float32, boxes (R, 4) as fractions of the image."""

    @abc.abstractmethod
    def save(self, folder: Path) -> None:
        """Write ``file_name`` into a folder."""

    @classmethod
    @abc.abstractmethod
    def load(cls, path: Path) -> Self:
        """Read a file that ``save`` wrote. Raises InputError if it is missing, damaged or of another layout."""
