"""``Reader``: the inputs of a model and where it computes, in one object that goes with the model.

A decomposed model reads captions and images apart, a joint model reads them together; ``Lengths`` has what follows from that.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from vldeformer.data.parts import is_region_store, open_region_store
from vldeformer.data.photographs import open_pictures
from vldeformer.data.pixels import PixelStore
from vldeformer.errors import InputError
from vldeformer.extractors.files import extractor_file
from vldeformer.inputs.collate import PixelReader, RegionReader, TextReader, VisualReader
from vldeformer.inputs.photographs import PhotographReader
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.any_settings import AnyBackbone
from vldeformer.models.dual import DualEncoder
from vldeformer.models.importing import load_any
from vldeformer.models.joint import JointMatcher
from vldeformer.models.settings import PixelBackboneSettings, Pooling
from vldeformer.models.weights import ModelDescription, as_encoder
from vldeformer.runtime import RuntimeSettings, arithmetic, find_device


@dataclass(frozen=True)
class Reader:
    """What every function needs that runs a model over captions and images.

    Attributes:
        text: captions → token numbers.
        visual: image ids → regions or pixels.
        runtime: device and precision of the model.

    """

    text: TextReader
    visual: VisualReader
    runtime: RuntimeSettings

    @contextlib.contextmanager
    def inference(self) -> Iterator[None]:
        """Run a model in the precision of ``runtime``, without gradients."""
        with torch.inference_mode(), arithmetic(self.runtime):
            yield


@dataclass(frozen=True)
class Lengths:
    """Most tokens of a caption and of an image's tags (0: no tags are read). ``full``: every batch is padded to them."""

    caption: int
    tags: int
    full: bool = False

    @classmethod
    def of(cls, backbone: AnyBackbone, pooling: Pooling | None, joint_layers: int | None = None) -> "Lengths":
        """The lengths of a model.

        Only a model that reads caption and tags together from its first layer on can give tags the room that a caption leaves.

        Args:
            backbone: settings of the transformer.
            pooling: of a decomposed model; ``mean_all`` needs full batches. None: the model is joint.
            joint_layers: top layers of a joint model that read both together; None: all of them.

        """
        together = backbone.tokens_together(joint_layers) if pooling is None else None
        return cls(together or backbone.caption_tokens, together or backbone.tag_length, pooling == "mean_all")

    @classmethod
    def of_model(cls, description: ModelDescription) -> "Lengths":
        """The lengths of a stored model."""
        pooling = None if description.kind == "joint" else description.pooling
        return cls.of(description.backbone, pooling, description.joint_layers)


def open_reader(backbone: AnyBackbone, words: WordPieces, visual: Path, lengths: Lengths, runtime: RuntimeSettings) -> Reader:
    """The reader of a store on disk.

    Args:
        backbone: settings of the transformer; its kind decides which kind of store it reads.
        words: the tokenizer.
        visual: folder of the store.
        lengths: of the model that reads.
        runtime: where the model computes.

    Raises:
        InputError: the store is not of the kind that the backbone reads.

    """
    text = TextReader(words, lengths.caption, lengths.full)
    if isinstance(backbone, PixelBackboneSettings):
        return Reader(text, open_pixels(backbone, visual), runtime)
    if not is_region_store(visual):
        raise InputError(f"{visual}: expected a region store (backbone.kind is {backbone.kind}), found none")
    store = open_region_store(visual)
    return Reader(text, RegionReader(store, words, lengths.tags, backbone.regions, lengths.full), runtime)


def open_pixels(backbone: PixelBackboneSettings, visual: Path) -> VisualReader:
    """The images of a backbone that reads pixels. Raises InputError if ``visual`` is no such store."""
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


def open_encoder(model: str | Path, visual: Path, runtime: RuntimeSettings) -> tuple[DualEncoder, Reader]:
    """A decomposed model, on its device, and its reader. A joint model is decomposed: the data flow changes, not the weights.

    Args:
        model: a folder of ``save_model``, a published checkpoint or a hub id.
        visual: folder of the store.
        runtime: where the model computes.

    Raises:
        InputError: ``load_any`` refuses the model, the store has other features than the model reads, or there is no such device.

    """
    loaded, description, words = load_any(model)
    apart = description.model_copy(update={"kind": "dual"})
    reader = _reader_of(model, apart, words, visual, runtime)
    return as_encoder(loaded, description).to(find_device(runtime.device)), reader


def open_matcher(model: str | Path, visual: Path, runtime: RuntimeSettings) -> tuple[JointMatcher, Reader]:
    """A joint model, on its device, and its reader; arguments as in ``open_encoder``.

    Raises:
        InputError: as in ``open_encoder``, or the model has no matching head.

    """
    loaded, description, words = load_any(model)
    if not isinstance(loaded, JointMatcher):
        raise InputError(f"{model}: it has no matching head, and so no joint scores; use `vldeformer embed`")
    reader = _reader_of(model, description, words, visual, runtime)
    return loaded.to(find_device(runtime.device)), reader


def open_model(model: str | Path, visual: Path, runtime: RuntimeSettings) -> tuple[DualEncoder | JointMatcher, Reader]:
    """A model of either kind and its reader, which reads as in the training; arguments and errors as in ``open_encoder``."""
    loaded, description, words = load_any(model)
    reader = _reader_of(model, description, words, visual, runtime)
    return loaded.to(find_device(runtime.device)), reader


def _reader_of(
    model: str | Path, description: ModelDescription, words: WordPieces, visual: Path, runtime: RuntimeSettings
) -> Reader:
    reader = open_reader(description.backbone, words, visual, Lengths.of_model(description), runtime)
    width = reader.visual.feature_width
    if width != description.feature_width:
        raise InputError(f"{visual}: {width} numbers a region, but {model} reads {description.feature_width}; use its own store")
    return reader


def extractor_of(visual: Path) -> Path | None:
    """The extractor of the store at ``visual``: the step `features` writes both into one folder; other stores have none."""
    return extractor_file(visual.parent)


def _expect(folder: Path, name: str, what: str) -> None:
    if not (folder / name).is_file():
        raise InputError(f"{folder}: expected {what}, found no {name}")
