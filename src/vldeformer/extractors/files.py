"""The file of an extractor in a folder, of whichever kind it is."""

from pathlib import Path

from vldeformer.extractors.base import Extractor

EXTRACTOR_FILES = ("extractor.npz", "extractor.safetensors")
"""Of the built-in world, of photographs. A model that reads regions of its own extractor has one of them in its folder."""


def extractor_file(folder: Path) -> Path | None:
    """The extractor in a folder; None: there is none."""
    return next((folder / name for name in EXTRACTOR_FILES if (folder / name).is_file()), None)


def load_extractor(folder: Path) -> Extractor | None:
    """The extractor in a folder; None: there is none. Raises InputError if its file is damaged."""
    path = extractor_file(folder)
    if path is None:
        return None
    if path.name == EXTRACTOR_FILES[0]:
        from vldeformer.extractors.scenes import ScenesExtractor

        return ScenesExtractor.load(path)
    from vldeformer.extractors.photographs import PhotographExtractor  # torch

    return PhotographExtractor.load(path)
