"""Where the hard negatives of a batch come from: composed beforehand, or mined from the whole training set as it trains.

Composed ones are read by turns of their variants. Mined ones are other captions and images of the training set: which are the
hardest is looked up by whoever trains (``training.mining``); here they are drawn from and read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption
from vldeformer.inputs.batch import TextInput, VisualInput
from vldeformer.inputs.collate import ComposedImage, TextReader, VisualReader
from vldeformer.seeding import named_generator

Item = TypeVar("Item")

HardTexts = tuple[TextInput, Bool[Tensor, " B"]]
HardVisuals = tuple[VisualInput, Bool[Tensor, " B"]]


class HardNegatives(Protocol):
    """For every pair of a batch, a caption that is wrong for its image and an image that is wrong for its caption.

    Both come with a mask: a row that has none stands for something else and must not be used. None: there are none of the kind.
    ``turn``: number of the epoch.
    """

    def texts(self, captions: Sequence[Caption], turn: int, reader: TextReader) -> HardTexts | None:
        """Captions that are wrong for the images of ``captions``."""
        ...

    def images(
        self, rows: Sequence[Sequence[Caption]], turn: int, reader: VisualReader, augment: np.random.Generator
    ) -> HardVisuals | None:
        """Images that are wrong for captions: those of an image in a row, the pair's own first."""
        ...


@dataclass(frozen=True)
class ComposedNegatives:
    """Caption id → composed captions; image id → composed images. None: not read."""

    by_caption: Mapping[str, list[str]] | None = None
    by_image: Mapping[str, list[ComposedImage]] | None = None

    def texts(self, captions: Sequence[Caption], turn: int, reader: TextReader) -> HardTexts | None:
        """The variant whose turn it is; a caption without any stands for itself."""
        if self.by_caption is None:
            return None
        found = [_by_turn(self.by_caption.get(caption.id, []), turn) for caption in captions]
        texts = reader.read([text or caption.text for text, caption in zip(found, captions, strict=True)])
        return texts, torch.tensor([text is not None for text in found])

    def images(
        self, rows: Sequence[Sequence[Caption]], turn: int, reader: VisualReader, augment: np.random.Generator
    ) -> HardVisuals | None:
        """The variant whose turn it is, of those that no caption of a row is true of; without any, an empty image gives way."""
        if self.by_image is None:
            return None
        wrong = [
            [image for image in self.by_image.get(row[0].image_id, []) if not any(caption.id in image.true_of for caption in row)]
            for row in rows
        ]
        found = [_by_turn(images, turn) for images in wrong]
        # An image without any region has no negative either: its stand-in must not ask for one.
        stand_ins = [
            image or ComposedImage(row[0].image_id, row[0].image_id, (), ()) for image, row in zip(found, rows, strict=True)
        ]
        return reader.read_composed(stand_ins, augment), torch.tensor([image is not None for image in found])


class MinedNegatives:
    """One of the hardest captions of each image and of the hardest images of each caption, drawn anew every epoch.

    The tables hold row numbers of ``manifest``, hardest first, -1 where there are no more. A table that is None
    gives no negatives.
    """

    def __init__(self, manifest: Manifest, seed: int) -> None:
        self.manifest, self.seed = manifest, seed
        self.captions_of_images: np.ndarray | None = None
        """(N, K) int64 rows of captions."""
        self.images_of_captions: np.ndarray | None = None
        """(M, K) int64 rows of images."""
        self._caption_rows = {caption.id: row for row, caption in enumerate(manifest.captions)}

    def texts(self, captions: Sequence[Caption], turn: int, reader: TextReader) -> HardTexts | None:
        """A caption of another image; the own caption where there is none."""
        if self.captions_of_images is None:
            return None
        rows = [self.manifest.image_rows[caption.image_id] for caption in captions]
        found = self._drawn("caption", captions, rows, turn, self.captions_of_images)
        chosen = [
            self.manifest.captions[row].text if row >= 0 else caption.text for row, caption in zip(found, captions, strict=True)
        ]
        return reader.read(chosen), torch.from_numpy(found >= 0)

    def images(
        self, rows: Sequence[Sequence[Caption]], turn: int, reader: VisualReader, augment: np.random.Generator
    ) -> HardVisuals | None:
        """Another image, one of the hardest of the pair's own caption; the own image where there is none."""
        if self.images_of_captions is None:
            return None
        captions = [row[0] for row in rows]
        places = [self._caption_rows[caption.id] for caption in captions]
        found = self._drawn("image", captions, places, turn, self.images_of_captions)
        chosen = [
            self.manifest.images[row].id if row >= 0 else caption.image_id for row, caption in zip(found, captions, strict=True)
        ]
        return reader.read(chosen, augment), torch.from_numpy(found >= 0)

    def _drawn(self, what: str, captions: Sequence[Caption], rows: Sequence[int], turn: int, table: np.ndarray) -> np.ndarray:
        """(B,) int64: one of each row of a table, -1 for none. A draw depends on the seed, the epoch and the caption alone."""
        picked = np.full(len(rows), -1, dtype=np.int64)
        for place, (caption, row) in enumerate(zip(captions, rows, strict=True)):
            count = int((table[row] >= 0).sum())
            if count:
                picked[place] = table[row, named_generator(self.seed, "mined", what, turn, caption.id).integers(count)]
        return picked


def _by_turn(variants: list[Item], turn: int) -> Item | None:
    return variants[turn % len(variants)] if variants else None
