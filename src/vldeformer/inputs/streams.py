"""Batches of pairs for training, each a pure function of its step."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import torch

from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.inputs.batch import PairBatch
from vldeformer.inputs.collate import ComposedImage, TextReader, VisualReader
from vldeformer.inputs.sampler import EpochSampler
from vldeformer.seeding import named_generator

Item = TypeVar("Item")


class PairStream:
    """One random caption an image; composed negatives by turns of their variants.

    ``share`` = (number, of how many): the rows of a batch that this process reads; the batch itself does not depend on it.
    """

    def __init__(
        self,
        manifest: Manifest,
        text: TextReader,
        visual: VisualReader,
        batch_images: int,
        seed: int,
        *,
        hard_texts: Mapping[str, list[str]] | None = None,
        hard_images: Mapping[str, list[ComposedImage]] | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.manifest, self.text, self.visual, self.seed, self.share = manifest, text, visual, seed, share
        self.hard_texts, self.hard_images = hard_texts, hard_images
        if len(manifest.images) < 2:
            found = f"{manifest.dataset}: training needs at least two images, got {len(manifest.images)}"
            raise InputError(f"{found}; raise train.images")
        self.sampler = EpochSampler(len(manifest.images), batch_images, seed)
        if self.sampler.batch_images % share[1]:
            raise InputError(f"batch_images {self.sampler.batch_images} does not divide among {share[1]} processes; change one")
        index = manifest.caption_image_index
        self.first_caption = np.searchsorted(index, np.arange(len(manifest.images)))
        self.caption_counts = np.bincount(index, minlength=len(manifest.images))

    def batch(self, step: int) -> PairBatch:
        """The batch of ``step`` (from 0)."""
        draw = named_generator(self.seed, "pairs", step)
        rows = self.sampler.rows(step)
        captions = self.first_caption[rows] + draw.integers(self.caption_counts[rows])
        number, of = self.share
        rows, captions = rows[number::of], captions[number::of]
        # Augmentation is drawn per process; captions and images above are common to all.
        augment = named_generator(self.seed, "augmentation", step, number)
        variant = self.sampler.epoch(step)
        chosen = [self.manifest.captions[row] for row in captions]
        images = [self.manifest.images[row].id for row in rows]
        hard_text, hard_text_valid = None, None
        if self.hard_texts is not None:
            found = [_by_turn(self.hard_texts.get(caption.id, []), variant) for caption in chosen]
            hard_text = self.text.read([text or caption.text for text, caption in zip(found, chosen, strict=True)])
            hard_text_valid = torch.tensor([text is not None for text in found])
        hard_visual, hard_visual_valid = None, None
        if self.hard_images is not None:
            composed = [_by_turn(self.hard_images.get(image_id, []), variant) for image_id in images]
            # An image without any region has no negative either: its stand-in must not ask for one.
            stand_ins = (image or ComposedImage(i, i, (), ()) for image, i in zip(composed, images, strict=True))
            hard_visual = self.visual.read_composed(list(stand_ins), augment)
            hard_visual_valid = torch.tensor([image is not None for image in composed])
        return PairBatch(
            self.text.read([caption.text for caption in chosen]),
            self.visual.read(images, augment),
            torch.from_numpy(rows.astype(np.int64)),
            hard_text,
            hard_text_valid,
            hard_visual,
            hard_visual_valid,
        )


def _by_turn(variants: list[Item], turn: int) -> Item | None:
    return variants[turn % len(variants)] if variants else None
