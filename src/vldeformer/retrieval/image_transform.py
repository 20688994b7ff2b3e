"""How a model reads images that are handed over in Python, as a list or one by one for a data loader."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from vldeformer.extractors.base import Extractor
from vldeformer.inputs.batch import PhotographInput, PixelInput, RegionInput, VisualInput
from vldeformer.inputs.collate import PixelReader, RegionReader, TextReader, VisualReader
from vldeformer.inputs.in_memory import InMemoryImage, InMemoryPictures, InMemoryRegions
from vldeformer.inputs.photographs import PhotographReader, PhotographTransform
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.settings import PixelBackboneSettings
from vldeformer.models.weights import ModelDescription
from vldeformer.retrieval.reader import Lengths, Reader
from vldeformer.runtime import RuntimeSettings

BOX_NUMBERS = 6


class ImageTransform:
    """Called with one image it gives a tensor of one shape whatever the image, which torch's default collate stacks."""

    def __init__(
        self, description: ModelDescription, words: WordPieces, extractor: Extractor | None, runtime: RuntimeSettings
    ) -> None:
        """Prepare for one model.

        Args:
            description: of the model, decomposed or joint.
            words: its tokenizer.
            extractor: finds the regions of pictures for a model that reads regions; None: such a model takes ``Regions`` only.
            runtime: where the model computes.

        """
        self.backbone, self.words, self.extractor, self.runtime = description.backbone, words, extractor, runtime
        self.lengths = Lengths.of_model(description)
        self.image_size, self.feature_width = description.image_size, description.feature_width

    def reader(self, images: Sequence[InMemoryImage]) -> Reader:
        """The model's reader of ``images``, whose ids are their places in the list, and of any captions."""
        text = TextReader(self.words, self.lengths.caption, self.lengths.full)
        return Reader(text, self._visual(images, self.lengths), self.runtime)

    def _visual(self, images: Sequence[InMemoryImage], lengths: Lengths) -> VisualReader:
        backbone = self.backbone
        if not isinstance(backbone, PixelBackboneSettings):
            box_numbers = BOX_NUMBERS if backbone.reads == "tagged regions" else 0
            regions = InMemoryRegions(images, self.feature_width - box_numbers, self.extractor)
            return RegionReader(regions, self.words, lengths.tags, backbone.regions, lengths.full)
        if backbone.keep_aspect:
            return PhotographReader(InMemoryPictures(images, self.image_size), backbone.crop_size, backbone.patch_size)
        squares = InMemoryPictures(images, self.image_size or backbone.crop_size)
        return PixelReader(squares, backbone.crop_size, backbone.patch_size)

    def __call__(self, image: InMemoryImage) -> Float[Tensor, "..."]:
        """One image as one float32 tensor: (3, side, side) for squares, else a row of numbers that ``unpack`` understands.

        >>> encoder.transform(PIL.Image.new("RGB", (640, 480))).shape
        torch.Size([3, 48, 48])
        """
        read = self._visual([image], replace(self.lengths, full=True)).read(["0"])
        if isinstance(read, PixelInput):
            return read.pixels[0]
        # Whole numbers below 2**24 are exact in float32.
        if isinstance(read, RegionInput):
            return _row(read.tag_ids, read.tag_mask, read.region_mask, read.features)
        assert isinstance(self.backbone, PixelBackboneSettings)
        missing = _most_patches(self.backbone) - read.patches.shape[1]
        return _row(read.grids, functional.pad(read.patches, (0, 0, 0, missing)))

    def unpack(self, batch: Float[Tensor, "B ..."]) -> VisualInput:
        """What the model reads, from stacked results of this transform."""
        backbone = self.backbone
        if isinstance(backbone, PixelBackboneSettings):
            if not backbone.keep_aspect:
                return PixelInput(batch)
            grids, patches = batch[:, :2].long(), batch[:, 2:].unflatten(1, (_most_patches(backbone), -1))
            return PhotographInput(patches[:, : int(grids.prod(1).max())], grids)
        tags = self.lengths.tags or 2  # without tags an empty caption, [CLS] [SEP]
        widths = [tags, tags, backbone.regions, backbone.regions * self.feature_width]
        tag_ids, tag_mask, region_mask, features = batch.split(widths, 1)
        return RegionInput(tag_ids.long(), tag_mask.bool(), features.unflatten(1, (backbone.regions, -1)), region_mask.bool())


def _most_patches(backbone: PixelBackboneSettings) -> int:
    crop, patch = backbone.crop_size, backbone.patch_size
    return crop // patch * PhotographTransform(crop, patch).most_elongated


def _row(*parts: Tensor) -> Float[Tensor, " numbers"]:
    return torch.cat([part[0].flatten().float() for part in parts])
