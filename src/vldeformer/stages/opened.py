"""Opening what several stages read: stores, readers of text and images, trained models."""

from dataclasses import dataclass
from pathlib import Path

from vldeformer.data.pixels import PixelStore
from vldeformer.data.regions import RegionStore
from vldeformer.errors import InputError
from vldeformer.inputs.collate import PixelReader, RegionReader, TextReader, VisualReader
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.dual import DualEncoder
from vldeformer.models.joint import JointMatcher
from vldeformer.models.settings import BackboneSettings
from vldeformer.models.weights import load_model


@dataclass(frozen=True)
class Readers:
    """How captions and images are read for one backbone. ``full``: padded to the settings' lengths (pooling ``mean_all``)."""

    text: TextReader
    visual: VisualReader


def open_readers(backbone: BackboneSettings, words: WordPieces, visual: Path, full: bool) -> Readers:
    """Raises InputError if the store at ``visual`` is not of the kind that the backbone reads."""
    text = TextReader(words, backbone.caption_tokens, full)
    if backbone.kind == "oscar":
        _expect(visual, "words.json", "a region store (backbone.kind is oscar)")
        return Readers(text, RegionReader(RegionStore(visual), words, backbone.tag_tokens, backbone.regions, full))
    _expect(visual, "pixels.npy", "a pixel store (backbone.kind is vilt)")
    return Readers(text, PixelReader(PixelStore(visual), backbone.crop_size, backbone.patch_size))


def open_model(folder: Path, visual: Path) -> tuple[JointMatcher | DualEncoder, Readers]:
    """A model of ``save_model`` and the readers that it was trained with.

    Raises InputError as ``load_model`` does, or if the store at ``visual`` has other features than the model reads.
    """
    model, description, words = load_model(folder)
    full = description.kind == "dual" and description.pooling == "mean_all"
    readers = open_readers(description.backbone, words, visual, full)
    if readers.visual.feature_width != description.feature_width:
        width = readers.visual.feature_width
        raise InputError(f"{visual}: {width} numbers a region, but {folder} reads {description.feature_width}; use its own store")
    return model, readers


def _expect(folder: Path, name: str, what: str) -> None:
    if not (folder / name).is_file():
        raise InputError(f"{folder}: expected {what}, found no {name}")
