"""What a model says of a set of images and captions, with their ids: vectors (``Embeddings``) or all pair scores (``Scores``).

Both answer the same two questions, the scores of a block of images with all captions and the exact scores of some pairs,
so that everything after them treats a dual model, a joint model and an oracle alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vldeformer.artifact import read_json, whole_folder, write_json
from vldeformer.errors import InputError

LENGTH_TOLERANCE = 1e-3
PAIR_ELEMENTS = 2**22  # numbers gathered at a time when pairs are scored one by one: 32 MiB in float64


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
        """Bound on the difference between ``block`` and ``pairs``."""
        ...

    def block(self, start: int, stop: int) -> np.ndarray:
        """(stop - start, M) float32: scores of these images with all captions, within ``block_error``."""
        ...

    def pairs(self, image_rows: np.ndarray, caption_rows: np.ndarray) -> np.ndarray:
        """(P,) float64: the scores of P pairs; a function of the two items alone, so that equal items tie exactly."""
        ...


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
        _check_items(self.image_ids, self.caption_ids, self.caption_image_index)
        _check_vectors("images", self.images, self.image_ids)
        _check_vectors("captions", self.captions, self.caption_ids)
        if self.images.shape[1] != self.captions.shape[1]:
            raise InputError(
                f"images have width {self.images.shape[1]} but captions {self.captions.shape[1]}; embed both with one model"
            )

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

    def pairs(self, image_rows: np.ndarray, caption_rows: np.ndarray) -> np.ndarray:
        """See ``Scored``."""
        # Products of float32 are exact in float64, and NumPy sums each row in an order that depends on its length only.
        # A matrix product promises no such order: equal vectors may score differently in different columns of it.
        scores = np.empty(len(image_rows))
        step = max(1, PAIR_ELEMENTS // self.images.shape[1])
        for start in range(0, len(scores), step):
            part = slice(start, start + step)
            products = self.images[image_rows[part]].astype(np.float64)
            products *= self.captions[caption_rows[part]]
            scores[part] = products.sum(axis=1)
        return scores

    def first(self, n_images: int, captions_per_image: int | None = None) -> "Embeddings":
        """The first ``n_images`` images (all, if there are fewer) with all, or their first few, captions."""
        kept = _captions_of_first(self.caption_image_index, n_images, captions_per_image)
        ids = tuple(self.caption_ids[row] for row in kept)
        return Embeddings(
            self.image_ids[:n_images], self.images[:n_images], ids, self.captions[kept], self.caption_image_index[kept]
        )

    def save(self, folder: Path, provenance: Mapping[str, Any]) -> None:
        """Write images.npy, captions.npy, caption_image_index.npy, image_ids.json, caption_ids.json and provenance.json."""
        with whole_folder(folder) as temporary:
            np.save(temporary / "images.npy", self.images)
            np.save(temporary / "captions.npy", self.captions)
            _save_items(temporary, self, provenance)

    @classmethod
    def load(cls, folder: Path) -> "Embeddings":
        """Read what ``save`` wrote. Raises InputError naming the folder and the file or item that is wrong."""
        image_ids, caption_ids, index = _load_items(folder)
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
        _check_items(self.image_ids, self.caption_ids, self.caption_image_index)
        expected = (len(self.image_ids), len(self.caption_ids))
        if self.scores.shape != expected or self.scores.dtype != np.float32:
            raise InputError(
                f"scores: expected float32 of shape {expected}, got {self.scores.dtype} of shape {self.scores.shape}"
            )
        finite = np.isfinite(self.scores)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            pair = f"image {self.image_ids[row]!r} with caption {self.caption_ids[column]!r}"
            raise InputError(f"scores: {pair} scores {self.scores[row, column]}; expected finite numbers, score again")

    @property
    def block_error(self) -> float:
        """See ``Scored``."""
        return 0.0

    def block(self, start: int, stop: int) -> np.ndarray:
        """See ``Scored``."""
        return self.scores[start:stop]

    def pairs(self, image_rows: np.ndarray, caption_rows: np.ndarray) -> np.ndarray:
        """See ``Scored``."""
        scores: np.ndarray = self.scores[image_rows, caption_rows].astype(np.float64)
        return scores

    def first(self, n_images: int, captions_per_image: int | None = None) -> "Scores":
        """The first ``n_images`` images (all, if there are fewer) with all, or their first few, captions."""
        kept = _captions_of_first(self.caption_image_index, n_images, captions_per_image)
        ids = tuple(self.caption_ids[row] for row in kept)
        return Scores(self.image_ids[:n_images], ids, self.caption_image_index[kept], self.scores[:n_images][:, kept])

    def save(self, folder: Path, provenance: Mapping[str, Any]) -> None:
        """Write scores.npy, caption_image_index.npy, image_ids.json, caption_ids.json and provenance.json."""
        with whole_folder(folder) as temporary:
            np.save(temporary / "scores.npy", self.scores)
            _save_items(temporary, self, provenance)

    @classmethod
    def load(cls, folder: Path) -> "Scores":
        """Read what ``save`` wrote. Raises InputError naming the folder and the file or item that is wrong."""
        image_ids, caption_ids, index = _load_items(folder)
        scores = load_array(folder / "scores.npy")
        try:
            return cls(image_ids, caption_ids, index, scores)
        except InputError as error:
            raise InputError(f"{folder}: {error}") from None


def load_array(path: Path) -> np.ndarray:
    """Read a .npy file. Raises InputError naming it if it is missing, cut short or something else."""
    try:
        array: np.ndarray = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path}: expected an array file, found none") from None
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{path}: expected a NumPy array file, got something else ({error}); it may be cut short") from None
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: expected one array (.npy), got an archive of several (.npz)")
    return array


def _captions_of_first(index: np.ndarray, n_images: int, captions_per_image: int | None) -> np.ndarray:
    """Rows of the captions of the first images, in their own order; as these are the first, their image rows stay the same."""
    kept = np.flatnonzero(index < n_images)
    if captions_per_image is None or not len(kept):
        return kept
    by_image = kept[np.argsort(index[kept], kind="stable")]
    images = index[by_image]
    starts = np.searchsorted(images, images, side="left")
    return np.sort(by_image[np.arange(len(by_image)) - starts < captions_per_image])


def _check_items(image_ids: tuple[str, ...], caption_ids: tuple[str, ...], index: np.ndarray) -> None:
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


def _check_vectors(what: str, vectors: np.ndarray, ids: tuple[str, ...]) -> None:
    if vectors.ndim != 2 or len(vectors) != len(ids) or vectors.dtype != np.float32:
        raise InputError(
            f"{what}: expected float32, one row for each of {len(ids)} ids, got {vectors.dtype} of shape {vectors.shape}"
        )
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = np.flatnonzero(~(np.abs(lengths - 1) <= LENGTH_TOLERANCE))  # written so that NaN counts as wrong
    if len(wrong):
        row = int(wrong[0])
        raise InputError(f"{what}: row {row} ({ids[row]!r}) has length {lengths[row]:.6g}, expected 1; normalise the vectors")


def _save_items(folder: Path, items: Scored, provenance: Mapping[str, Any]) -> None:
    np.save(folder / "caption_image_index.npy", items.caption_image_index)
    write_json(folder / "image_ids.json", list(items.image_ids))
    write_json(folder / "caption_ids.json", list(items.caption_ids))
    write_json(folder / "provenance.json", dict(provenance))


def _load_items(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    ids = []
    for name in ("image_ids.json", "caption_ids.json"):
        value = read_json(folder / name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise InputError(f"{folder / name}: expected a list of ids as text")
        ids.append(tuple(value))
    return ids[0], ids[1], load_array(folder / "caption_image_index.npy")
