"""Opening what several stages read: stores, readers of text and images."""

from dataclasses import dataclass
from pathlib import Path

from vldeformer.data.pixels import PixelStore
from vldeformer.data.regions import RegionStore
from vldeformer.errors import InputError
from vldeformer.inputs.collate import PixelReader, RegionReader, TextReader, VisualReader
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.settings import BackboneSettings


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


def _expect(folder: Path, name: str, what: str) -> None:
    if not (folder / name).is_file():
        raise InputError(f"{folder}: expected {what}, found no {name}")
