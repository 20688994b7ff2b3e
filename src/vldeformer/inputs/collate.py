"""From captions and image ids to padded tensors."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vldeformer.data.records import Regions, RegionSource, SquareSource
from vldeformer.errors import InputError
from vldeformer.inputs.batch import PixelInput, RegionInput, TextInput, VisualInput
from vldeformer.inputs.tokens import WordPieces, pad_rows


@dataclass(frozen=True)
class ComposedImage:
    """An image of part own, part other regions (or patches): row numbers into either image.

    true_of: ids of those captions of the own image that are true of this one as well, as far as tags tell.
    """

    image_id: str
    partner_id: str
    kept: tuple[int, ...]
    taken: tuple[int, ...]
    true_of: tuple[str, ...] = ()


def composed_regions(own: Regions, other: Regions, image: ComposedImage) -> Regions:
    """What is read of a composed image: the partner's regions in the places of the own ones that are not kept.

    A tag travels with its region. Regions of a store come in an order, as do their tags: own ones first would give a composed
    image away.
    """
    kept, taken = set(image.kept), list(image.taken)
    rows: list[tuple[Regions, int]] = []
    for row in range(len(own.boxes)):
        if row in kept:
            rows.append((own, row))
        elif taken:
            rows.append((other, taken.pop(0)))
    rows += [(other, row) for row in taken]
    features = np.array([of.features[row] for of, row in rows]).reshape(len(rows), own.features.shape[1])
    boxes = np.array([of.boxes[row] for of, row in rows]).reshape(len(rows), 4)
    return Regions(features, boxes, tuple(of.tags[row] for of, row in rows if row < len(of.tags)))


class TextReader:
    """Captions → TextInput. ``full`` pads to ``most_tokens``, as pooling ``mean_all`` needs; else to the longest of the batch."""

    def __init__(self, words: WordPieces, most_tokens: int, full: bool = False) -> None:
        self.words, self.most_tokens, self.full = words, most_tokens, full

    def read(self, texts: Sequence[str]) -> TextInput:
        """(B, T) token numbers and mask."""
        return self.pad(self.words.encode(texts, self.most_tokens))

    def pad(self, rows: Sequence[Sequence[int]]) -> TextInput:
        """The same from token numbers."""
        ids, mask = pad_rows(rows, self.words.pad, self.most_tokens if self.full else None)
        return TextInput(torch.from_numpy(ids), torch.from_numpy(mask))


class VisualReader(ABC):
    """Image ids → VisualInput. With a generator, training-time augmentation is drawn from it."""

    feature_width: int
    image_size: int | None = None
    """Side of the stored squares, pixels; None if images are not stored as squares."""

    @abstractmethod
    def read(self, image_ids: Sequence[str], augment: np.random.Generator | None = None) -> VisualInput:
        """The images as they are."""

    @abstractmethod
    def read_composed(self, images: Sequence[ComposedImage], augment: np.random.Generator | None = None) -> VisualInput:
        """Composed images."""


class RegionReader(VisualReader):
    """Reads detector regions, and tags if there is room for them. Box numbers are appended to the features, as in VinVL.

    ``tag_tokens`` 0: a backbone that knows neither tags nor box numbers; it gets ``[CLS] [SEP]`` and features.
    """

    def __init__(self, store: RegionSource, words: WordPieces, tag_tokens: int, most_regions: int, full: bool = False) -> None:
        self.store, self.words = store, words
        self.tag_tokens, self.most_regions, self.full = tag_tokens, most_regions, full
        self.box_numbers = 6 if tag_tokens else 0
        self.feature_width = store.feature_width + self.box_numbers
        self._tag_pieces: dict[str, list[int]] = {}

    def read(self, image_ids: Sequence[str], augment: np.random.Generator | None = None) -> RegionInput:
        """Regions of the images; nothing is augmented."""
        return self.collate([self.store[image_id] for image_id in image_ids])

    def read_composed(self, images: Sequence[ComposedImage], augment: np.random.Generator | None = None) -> RegionInput:
        """See ``composed_regions``."""
        return self.collate(
            [composed_regions(self.store[image.image_id], self.store[image.partner_id], image) for image in images]
        )

    def collate(self, images: Sequence[Regions]) -> RegionInput:
        """Pad regions and tags. An image without any region has an empty row: its tags still speak for it."""
        counts = [min(len(image.boxes), self.most_regions) for image in images]
        width = self.most_regions if self.full else max(1, *counts)
        features = np.zeros((len(images), width, self.feature_width), dtype=np.float32)
        for row, (image, count) in enumerate(zip(images, counts, strict=True)):
            features[row, :count, : self.feature_width - self.box_numbers] = image.features[:count]
            if self.box_numbers:
                boxes = image.boxes[:count]
                features[row, :count, -6:-2] = boxes
                features[row, :count, -2:] = boxes[:, 2:] - boxes[:, :2]
        tags = [self._tags(image.tags if self.tag_tokens else ()) for image in images]
        tag_ids, tag_mask = pad_rows(tags, self.words.pad, (self.tag_tokens or None) if self.full else None)
        region_mask = np.arange(width) < np.array(counts)[:, None]
        return RegionInput(*map(torch.from_numpy, (tag_ids, tag_mask, features, region_mask)))

    def _tags(self, tags: tuple[str, ...]) -> list[int]:
        """``[CLS] tags [SEP]``; a tag's pieces are looked up once."""
        pieces: list[int] = []
        for tag in tags:
            if tag not in self._tag_pieces:
                self._tag_pieces[tag] = self.words.tokenizer.encode(tag, add_special_tokens=False).ids
            pieces.extend(self._tag_pieces[tag])
        return [self.words.cls, *pieces[: self.tag_tokens - 2], self.words.sep]


class PixelReader(VisualReader):
    """Reads pixels; patches are cut by the model. Augmentation: a random crop and a mirror image."""

    feature_width = 3

    def __init__(self, store: SquareSource, crop_size: int, patch_size: int) -> None:
        height, width = store.size
        if crop_size > min(height, width):
            raise InputError(f"crop_size {crop_size} is larger than the stored images, {height} x {width}; make it smaller")
        self.store, self.crop_size, self.patch_size = store, crop_size, patch_size
        self.image_size = height

    def read(self, image_ids: Sequence[str], augment: np.random.Generator | None = None) -> PixelInput:
        """Centre crops, or random ones."""
        return self._scaled(np.stack([self._crop(image_id, augment) for image_id in image_ids]))

    def read_composed(self, images: Sequence[ComposedImage], augment: np.random.Generator | None = None) -> PixelInput:
        """Patches of the partner in the place of the own ones."""
        side, patch = self.crop_size // self.patch_size, self.patch_size
        mixed = []
        for image in images:
            grid = np.zeros(side * side, dtype=bool)
            grid[list(image.taken)] = True
            from_partner = grid.reshape(side, side).repeat(patch, 0).repeat(patch, 1)[..., None]
            mixed.append(np.where(from_partner, self._crop(image.partner_id, augment), self._crop(image.image_id, augment)))
        return self._scaled(np.stack(mixed))

    def _crop(self, image_id: str, augment: np.random.Generator | None) -> np.ndarray:
        pixels, size = self.store[image_id], self.crop_size
        room = (pixels.shape[0] - size, pixels.shape[1] - size)
        if augment is None:
            top, left = room[0] // 2, room[1] // 2
            return pixels[top : top + size, left : left + size]
        top, left = (int(augment.integers(space + 1)) for space in room)
        crop = pixels[top : top + size, left : left + size]
        return crop[:, ::-1] if augment.integers(2) else crop

    def _scaled(self, pixels: np.ndarray) -> PixelInput:
        return PixelInput(torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))).float() / 127.5 - 1)
