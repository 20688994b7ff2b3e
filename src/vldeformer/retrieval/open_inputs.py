"""Opening what several steps read: stores, readers of text and images, trained models."""

from dataclasses import dataclass
from pathlib import Path

from vldeformer.data.parts import is_region_store, open_region_store
from vldeformer.data.photographs import open_pictures
from vldeformer.data.pixels import PixelStore
from vldeformer.errors import InputError
from vldeformer.inputs.collate import PixelReader, RegionReader, TextReader, VisualReader
from vldeformer.inputs.photographs import PhotographReader
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.any_settings import AnyBackbone
from vldeformer.models.dual import DualEncoder
from vldeformer.models.importing import load_any
from vldeformer.models.joint import JointMatcher
from vldeformer.models.settings import PixelBackboneSettings, Pooling
from vldeformer.models.weights import ModelDescription, as_encoder


@dataclass(frozen=True)
class Readers:
    """How captions and images are read for one backbone; for pooling ``mean_all`` padded to the settings' lengths."""

    text: TextReader
    visual: VisualReader


def open_readers(
    backbone: AnyBackbone, words: WordPieces, visual: Path, pooling: Pooling | None, joint_layers: int | None = None
) -> Readers:
    """``pooling`` of a decomposed model; None: captions and images are read jointly by the top ``joint_layers`` (None: all).

    Only a model that reads both together from its first layer on can give tags the room that a caption leaves. Raises
    InputError if the store at ``visual`` is not of the kind that the backbone reads.
    """
    full = pooling == "mean_all"
    together = backbone.tokens_together(joint_layers) if pooling is None else None
    text = TextReader(words, together or backbone.caption_tokens, full)
    if isinstance(backbone, PixelBackboneSettings):
        return Readers(text, open_pixels(backbone, visual))
    if not is_region_store(visual):
        raise InputError(f"{visual}: expected a region store (backbone.kind is {backbone.kind}), found none")
    tag_tokens = together or backbone.tag_length
    return Readers(text, RegionReader(open_region_store(visual), words, tag_tokens, backbone.regions, full))


def open_pixels(backbone: PixelBackboneSettings, visual: Path) -> VisualReader:
    """The reader of a backbone that reads pixels. Raises InputError if there is no such store at ``visual``."""
    squares = (visual / "pixels.npy").is_file()
    if not backbone.keep_aspect:
        if not squares and (visual / "photographs.json").is_file():
            wanted = f"photographs: squares, image_size: {backbone.crop_size}"
            raise InputError(f"{visual}: photographs as they are, but this model reads squares; prepare them with {wanted}")
        _expect(visual, "pixels.npy", f"a pixel store (backbone.kind is {backbone.kind})")
        return PixelReader(PixelStore(visual), backbone.crop_size, backbone.patch_size)
    if not squares:
        _expect(visual, "photographs.json", "a store of photographs (backbone.keep_aspect is true)")
    return PhotographReader(open_pictures(visual), backbone.crop_size, backbone.patch_size)


def open_encoder(model: str | Path, visual: Path) -> tuple[DualEncoder, Readers]:
    """A decomposed model and the readers of its inputs; a joint one is decomposed: the data flow changes, not the weights.

    ``model``: a folder of ``save_model``, a published checkpoint or a hub id. Raises InputError as ``load_any`` does, or if the
    store at ``visual`` has other features than the model reads.
    """
    loaded, description, words = load_any(model)
    return as_encoder(loaded, description), _matching(model, description, words, visual, description.pooling)


def open_matcher(model: str | Path, visual: Path) -> tuple[JointMatcher, Readers]:
    """The same for a joint model. Raises InputError also if it has no matching head."""
    loaded, description, words = load_any(model)
    if not isinstance(loaded, JointMatcher):
        raise InputError(f"{model}: it has no matching head, and so no joint scores; use `vldeformer embed`")
    return loaded, _matching(model, description, words, visual, None)


def open_model(model: str | Path, visual: Path) -> tuple[DualEncoder | JointMatcher, Readers]:
    """Either kind, read as it was trained. Raises InputError as ``open_encoder`` does."""
    loaded, description, words = load_any(model)
    pooling = None if isinstance(loaded, JointMatcher) else description.pooling
    return loaded, _matching(model, description, words, visual, pooling)


def _matching(
    model: str | Path, description: ModelDescription, words: WordPieces, visual: Path, pooling: Pooling | None
) -> Readers:
    readers = open_readers(description.backbone, words, visual, pooling, description.joint_layers)
    if readers.visual.feature_width != description.feature_width:
        width = readers.visual.feature_width
        raise InputError(f"{visual}: {width} numbers a region, but {model} reads {description.feature_width}; use its own store")
    return readers


def extractor_of(visual: Path) -> Path | None:
    """The detector that made the store at ``visual``: the step `features` writes both into one folder; other stores have none."""
    extractor = visual.with_name("extractor.npz")
    return extractor if extractor.is_file() else None


def _expect(folder: Path, name: str, what: str) -> None:
    if not (folder / name).is_file():
        raise InputError(f"{folder}: expected {what}, found no {name}")
