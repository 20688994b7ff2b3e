"""Scores of images with captions, whatever gives them: what ranking asks for, and the items that the scores are of.

Two questions are enough, the scores of a block of images with all captions and the exact scores of some pairs, so that
everything after them treats a dual model, a joint model and an oracle alike.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vldeformer.artifact import RECORD, load_array, read_texts, write_json
from vldeformer.errors import InputError


class Scored(Protocol):
    """Images and captions of which every pair has a score, the higher the better."""

    @property
    def image_ids(self) -> tuple[str, ...]:
        """Ids of the N images."""
        ...

    @property
    def caption_ids(self) -> tuple[str, ...]:
        """Ids of the M captions."""
        ...

    @property
    def caption_image_index(self) -> np.ndarray:
        """(M,) int64: row of each caption's image."""
        ...

    @property
    def block_error(self) -> float:
        """Bound on the difference between ``block`` or ``caption_block`` and ``pairs``."""
        ...

    def block(self, start: int, stop: int) -> np.ndarray:
        """(stop - start, M) float32: scores of these images with all captions, within ``block_error``."""
        ...

    def caption_block(self, start: int, stop: int) -> np.ndarray:
        """(stop - start, N) float32: scores of these captions with all images, within ``block_error``."""
        ...

    @property
    def fine_error(self) -> float:
        """The same for ``fine_block``."""
        ...

    def fine_block(self, start: int, stop: int) -> np.ndarray:
        """``block`` as near to ``pairs`` as a matrix product comes, in float64: slower, for scores that crowd together."""
        ...

    def pairs(self, image_rows: np.ndarray, caption_rows: np.ndarray) -> np.ndarray:
        """(P,) float64: the scores of P pairs; a function of the two items alone, so that equal items tie exactly."""
        ...


def captions_of(index: np.ndarray, image_rows: np.ndarray, captions_per_image: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the captions of some images, all or the first few of each, in their own order.

    index: (M,) image row of each caption; image_rows: rows without repetition. Returns the caption rows and, for each, the
    position of its image in ``image_rows``.
    """
    positions = np.full(max(index.max(initial=-1), image_rows.max(initial=-1)) + 1, -1)
    positions[image_rows] = np.arange(len(image_rows))
    kept = np.flatnonzero(positions[index] >= 0)
    if captions_per_image is not None:
        by_image = kept[np.argsort(index[kept], kind="stable")]
        images = index[by_image]
        number = np.arange(len(by_image)) - np.searchsorted(images, images, side="left")
        kept = np.sort(by_image[number < captions_per_image])
    return kept, positions[index[kept]]


def check_items(image_ids: tuple[str, ...], caption_ids: tuple[str, ...], index: np.ndarray) -> None:
    """Raises InputError if there are none, an id occurs twice, a caption has no image or an image no caption."""
    for what, ids in (("image", image_ids), ("caption", caption_ids)):
        if not ids:
            raise InputError(f"expected at least one {what}, got none")
        if len(set(ids)) < len(ids):
            raise InputError(f"{what} ids: {len(ids) - len(set(ids))} of {len(ids)} occur more than once; ids must be unique")
    if index.shape != (len(caption_ids),) or index.dtype != np.int64:
        expected = f"int64 of shape ({len(caption_ids)},), one image row a caption"
        raise InputError(f"caption_image_index: expected {expected}, got {index.dtype} of shape {index.shape}")
    outside = np.flatnonzero((index < 0) | (index >= len(image_ids)))
    if len(outside):
        caption, row = caption_ids[outside[0]], index[outside[0]]
        raise InputError(
            f"caption_image_index: caption {caption!r} points to image row {row}, expected 0 to {len(image_ids) - 1}"
        )
    captioned = np.bincount(index, minlength=len(image_ids)) > 0
    if not captioned.all():
        row = int(np.argmin(captioned))
        raise InputError(f"caption_image_index: image row {row} ({image_ids[row]!r}) has no caption; give it one or leave it out")


def save_items(folder: Path, items: Scored, provenance: Mapping[str, Any]) -> None:
    """Write caption_image_index.npy, image_ids.json, caption_ids.json and provenance.json."""
    np.save(folder / "caption_image_index.npy", items.caption_image_index)
    write_json(folder / "image_ids.json", list(items.image_ids))
    write_json(folder / "caption_ids.json", list(items.caption_ids))
    write_json(folder / RECORD, dict(provenance))


def load_items(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    """Ids of images and captions and the caption image index that ``save_items`` wrote."""
    image_ids, caption_ids = (tuple(read_texts(folder / name)) for name in ("image_ids.json", "caption_ids.json"))
    return image_ids, caption_ids, load_array(folder / "caption_image_index.npy")
