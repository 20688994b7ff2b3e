"""The detector of the built-in world as an extractor; how it is fitted is in ``scenes.detector``."""

from pathlib import Path
from typing import ClassVar, Self

import PIL.Image

from vldeformer.data.pictures import square
from vldeformer.data.records import Regions
from vldeformer.extractors.base import Extractor
from vldeformer.scenes.detector import Detector


class ScenesExtractor(Extractor):
    """Objects of drawn pictures. A picture of another size is cut to the square that the detector was fitted on."""

    file_name: ClassVar[str] = "extractor.npz"

    def __init__(self, detector: Detector) -> None:
        self.detector = detector

    @property
    def feature_width(self) -> int:
        """V, box numbers not counted."""
        return self.detector.feature_width

    @property
    def learned_from(self) -> str:
        """The drawn pictures of the training."""
        return "The detector of drawn pictures learned from those of the pre-training and training splits, and from no caption."

    def regions(self, rgb: PIL.Image.Image) -> Regions:
        """Regions of the square in the centre of an image."""
        return self.detector.regions(square(rgb, self.detector.picture_size))

    def save(self, folder: Path) -> None:
        """Write the detector's arrays into a folder."""
        self.detector.save(folder / self.file_name)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the detector's arrays. Raises InputError as ``Detector.load`` does."""
        return cls(Detector.load(path))
