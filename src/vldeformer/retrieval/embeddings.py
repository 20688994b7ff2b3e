"""What a model says of a set of images and captions, with their ids: vectors (``Embeddings``) or all pair scores (``Scores``)."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vldeformer.artifact import load_array, whole_folder
from vldeformer.errors import InputError
from vldeformer.retrieval.scored import captions_of, check_items, load_items, save_items
from vldeformer.retrieval.vectors import as_array, as_float32, check_vectors

PAIR_ELEMENTS = 2**22  # numbers gathered at a time when pairs are scored one by one: 32 MiB in float64
MANY_PAIRS = 100_000  # from so many on it pays to look for vectors that are equal


@dataclass(frozen=True, eq=False)
class Embeddings:
    """images (N, D) and captions (M, D): float32, finite, of unit length.

    caption_image_index (M,) int64: row of each caption's image. Raises InputError naming the row that is wrong.
    """

    image_ids: tuple[str, ...]
    images: np.ndarray
    caption_ids: tuple[str, ...]
    captions: np.ndarray
    caption_image_index: np.ndarray

    def __post_init__(self) -> None:
        check_items(self.image_ids, self.caption_ids, self.caption_image_index)
        check_vectors("images", self.images, self.image_ids)
        check_vectors("captions", self.captions, self.caption_ids)
        if self.images.shape[1] != self.captions.shape[1]:
            raise InputError(
                f"images have width {self.images.shape[1]} but captions {self.captions.shape[1]}; embed both with one model"
            )

    @classmethod
    def from_arrays(
        cls,
        images: np.ndarray,
        captions: np.ndarray,
        caption_image_index: np.ndarray | Sequence[int],
        image_ids: Sequence[str] | None = None,
        caption_ids: Sequence[str] | None = None,
    ) -> "Embeddings":
        """Vectors of any float type, which become float32, and an index of any whole-number type; ids default to row numbers.

        Raises InputError for numbers of another kind: quantised vectors have neither unit length nor a known scale.
        """
        vectors = [as_float32(what, array) for what, array in (("images", images), ("captions", captions))]
        index = as_array("caption_image_index", caption_image_index)
        if index.dtype.kind not in "iu":
            raise InputError(f"caption_image_index: expected whole numbers, got {index.dtype}")
        ids = []
        for what, rows, given in zip(("image_ids", "caption_ids"), vectors, (image_ids, caption_ids), strict=True):
            if given is not None and len(given) != len(rows):
                raise InputError(f"{what}: expected an id for each of {len(rows)} vectors, got {len(given)}")
            ids.append(tuple(map(str, range(len(rows)) if given is None else given)))
        return cls(ids[0], vectors[0], ids[1], vectors[1], index.astype(np.int64))

    @property
    def block_error(self) -> float:
        """See ``Scored``."""
        # A float32 sum of D products is off by at most D * 2**-24 * sum |x y|, and that sum is at most 1 for unit vectors.
        # Twice that covers lengths within the tolerance and the rounding of the comparison itself.
        return float(self.images.shape[1] * 2.0**-23)

    def block(self, start: int, stop: int) -> np.ndarray:
        """See ``Scored``."""
        scores: np.ndarray = self.images[start:stop] @ self.captions.T
        return scores

    def caption_block(self, start: int, stop: int) -> np.ndarray:
        """See ``Scored``."""
        scores: np.ndarray = self.captions[start:stop] @ self.images.T
        return scores

    @property
    def fine_error(self) -> float:
        """See ``Scored``."""
        # As above with the unit of float64, in which products of float32 are exact; the sums of ``pairs`` are rounded too.
        return float(self.images.shape[1] * 2.0**-51)

    def fine_block(self, start: int, stop: int) -> np.ndarray:
        """See ``Scored``."""
        scores: np.ndarray = self.images[start:stop].astype(np.float64) @ self.captions.T.astype(np.float64)
        return scores

    def pairs(self, image_rows: np.ndarray, caption_rows: np.ndarray) -> np.ndarray:
        """See ``Scored``."""
        if len(image_rows) > MANY_PAIRS:
            (images, image_number), (captions, caption_number) = self._distinct
            if len(images) * len(captions) < len(image_rows):  # a collapsed model: a few vectors, all pairs of them tied
                table = self._products(np.repeat(images, len(captions)), np.tile(captions, len(images)))
                scores: np.ndarray = table[image_number[image_rows] * len(captions) + caption_number[caption_rows]]
                return scores
        return self._products(image_rows, caption_rows)

    def _products(self, image_rows: np.ndarray, caption_rows: np.ndarray) -> np.ndarray:
        # Products of float32 are exact in float64, and NumPy sums each row in an order that depends on its length only.
        # A matrix product promises no such order: equal vectors may score differently in different columns of it.
        scores = np.empty(len(image_rows))
        step = max(1, PAIR_ELEMENTS // self.images.shape[1])
        for start in range(0, len(scores), step):
            part = slice(start, start + step)
            products = np.multiply(self.images[image_rows[part]], self.captions[caption_rows[part]], dtype=np.float64)
            scores[part] = products.sum(axis=1)
        return scores

    @functools.cached_property
    def _distinct(self) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """Of images and of captions: rows with different vectors, and for every row the position among them of the equal one."""
        return _distinct_rows(self.images), _distinct_rows(self.captions)

    def first(self, n_images: int, captions_per_image: int | None = None) -> "Embeddings":
        """The first ``n_images`` images (all, if there are fewer) with all, or their first few, captions."""
        return self.part(np.arange(min(n_images, len(self.image_ids))), captions_per_image)

    def part(self, image_rows: np.ndarray, captions_per_image: int | None = None) -> "Embeddings":
        """The images of some rows, in that order, with all, or their first few, captions; itself if that is all there is."""
        kept, index = captions_of(self.caption_image_index, image_rows, captions_per_image)
        if len(kept) == len(self.caption_ids) and np.array_equal(image_rows, np.arange(len(self.image_ids))):
            return self
        image_ids, caption_ids = (_chosen(self.image_ids, image_rows), _chosen(self.caption_ids, kept))
        return Embeddings(image_ids, self.images[image_rows], caption_ids, self.captions[kept], index)

    def save(self, folder: Path, provenance: Mapping[str, Any]) -> None:
        """Write images.npy, captions.npy, caption_image_index.npy, image_ids.json, caption_ids.json and provenance.json."""
        with whole_folder(folder) as temporary:
            np.save(temporary / "images.npy", self.images)
            np.save(temporary / "captions.npy", self.captions)
            save_items(temporary, self, provenance)

    @classmethod
    def load(cls, folder: Path) -> "Embeddings":
        """Read what ``save`` wrote. Raises InputError naming the folder and the file or item that is wrong."""
        image_ids, caption_ids, index = load_items(folder)
        images, captions = load_array(folder / "images.npy"), load_array(folder / "captions.npy")
        try:
            return cls(image_ids, images, caption_ids, captions, index)
        except InputError as error:
            raise InputError(f"{folder}: {error}") from None


@dataclass(frozen=True, eq=False)
class Scores:
    """scores (N, M) float32, finite: what a joint model or an oracle gives to each image (row) with each caption (column)."""

    image_ids: tuple[str, ...]
    caption_ids: tuple[str, ...]
    caption_image_index: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        check_items(self.image_ids, self.caption_ids, self.caption_image_index)
        expected = (len(self.image_ids), len(self.caption_ids))
        if self.scores.shape != expected or self.scores.dtype != np.float32:
            raise InputError(
                f"scores: expected float32 of shape {expected}, got {self.scores.dtype} of shape {self.scores.shape}"
            )
        finite = np.isfinite(self.scores)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            pair = f"image {self.image_ids[row]!r} with caption {self.caption_ids[column]!r}"
            raise InputError(f"scores: {pair} scores {self.scores[row, column]}; expected finite numbers; check model and store")

    @property
    def block_error(self) -> float:
        """See ``Scored``."""
        return 0.0

    def block(self, start: int, stop: int) -> np.ndarray:
        """See ``Scored``."""
        return self.scores[start:stop]

    def caption_block(self, start: int, stop: int) -> np.ndarray:
        """See ``Scored``."""
        return self.scores[:, start:stop].T

    @property
    def fine_error(self) -> float:
        """See ``Scored``."""
        return 0.0

    def fine_block(self, start: int, stop: int) -> np.ndarray:
        """See ``Scored``."""
        scores: np.ndarray = self.scores[start:stop].astype(np.float64)
        return scores

    def pairs(self, image_rows: np.ndarray, caption_rows: np.ndarray) -> np.ndarray:
        """See ``Scored``."""
        scores: np.ndarray = self.scores[image_rows, caption_rows].astype(np.float64)
        return scores

    def first(self, n_images: int, captions_per_image: int | None = None) -> "Scores":
        """The first ``n_images`` images (all, if there are fewer) with all, or their first few, captions."""
        return self.part(np.arange(min(n_images, len(self.image_ids))), captions_per_image)

    def part(self, image_rows: np.ndarray, captions_per_image: int | None = None) -> "Scores":
        """The images of some rows, in that order, with all, or their first few, captions; itself if that is all there is."""
        kept, index = captions_of(self.caption_image_index, image_rows, captions_per_image)
        if len(kept) == len(self.caption_ids) and np.array_equal(image_rows, np.arange(len(self.image_ids))):
            return self
        image_ids, caption_ids = (_chosen(self.image_ids, image_rows), _chosen(self.caption_ids, kept))
        return Scores(image_ids, caption_ids, index, self.scores[np.ix_(image_rows, kept)])

    def save(self, folder: Path, provenance: Mapping[str, Any]) -> None:
        """Write scores.npy, caption_image_index.npy, image_ids.json, caption_ids.json and provenance.json."""
        with whole_folder(folder) as temporary:
            np.save(temporary / "scores.npy", self.scores)
            save_items(temporary, self, provenance)

    @classmethod
    def load(cls, folder: Path) -> "Scores":
        """Read what ``save`` wrote. Raises InputError naming the folder and the file or item that is wrong."""
        image_ids, caption_ids, index = load_items(folder)
        scores = load_array(folder / "scores.npy")
        try:
            return cls(image_ids, caption_ids, index, scores)
        except InputError as error:
            raise InputError(f"{folder}: {error}") from None


def _chosen(ids: tuple[str, ...], rows: np.ndarray) -> tuple[str, ...]:
    return tuple(ids[row] for row in rows.tolist())


def _distinct_rows(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    whole = np.ascontiguousarray(vectors).view(np.dtype((np.void, vectors.dtype.itemsize * vectors.shape[1]))).ravel()
    _, rows, number = np.unique(whole, return_index=True, return_inverse=True)
    return rows, number
