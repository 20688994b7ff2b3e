"""Which gallery items are right for which query, in both directions; the only thing ranks are judged by."""

import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vldeformer.errors import InputError

Direction = Literal["i2t", "t2i"]
"""``i2t``: images are queries and captions the gallery; ``t2i``: the other way round."""


@dataclass(frozen=True, eq=False)
class RightRows:
    """The right gallery rows of each query, one after another: those of query q are ``rows[offsets[q]:offsets[q + 1]]``.

    offsets: (Q + 1,) int64; rows: (number of right pairs,) int64, ascending within a query. Every query has at least one.
    """

    offsets: np.ndarray
    rows: np.ndarray
    n_gallery: int

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, query: int) -> np.ndarray:
        rows: np.ndarray = self.rows[self.offsets[query] : self.offsets[query + 1]]
        return rows

    @functools.cached_property
    def queries(self) -> np.ndarray:
        """(number of right pairs,) int64: the query that each entry of ``rows`` belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    @functools.cached_property
    def _keys(self) -> np.ndarray:
        keys: np.ndarray = self.queries * self.n_gallery + self.rows
        return keys

    def contain(self, queries: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(P,) bool: whether gallery row ``rows[p]`` is right for query ``queries[p]``."""
        wanted = queries * self.n_gallery + rows
        found = np.searchsorted(self._keys, wanted)
        contained: np.ndarray = self._keys[np.minimum(found, len(self._keys) - 1)] == wanted
        return contained

    @classmethod
    def from_sets(cls, sets: Sequence[Collection[int]], n_gallery: int, direction: Direction) -> "RightRows":
        """From one collection of gallery rows a query. Raises InputError if one is empty or names a row outside the gallery."""
        for query, rows in enumerate(sets):
            if not rows:
                raise InputError(
                    f"{direction} relevance: query row {query} has no right item; give it one or leave the query out"
                )
            outside = [row for row in rows if not 0 <= row < n_gallery]
            if outside:
                raise InputError(
                    f"{direction} relevance: query row {query} names item {outside[0]}, expected 0 to {n_gallery - 1}"
                )
        ordered = [sorted(set(rows)) for rows in sets]
        offsets = np.concatenate([[0], np.cumsum([len(rows) for rows in ordered])]).astype(np.int64)
        return cls(offsets, np.array([row for rows in ordered for row in rows], dtype=np.int64), n_gallery)


@dataclass(frozen=True, eq=False)
class Relevance:
    """``i2t``: right captions of each image; ``t2i``: right images of each caption."""

    i2t: RightRows
    t2i: RightRows

    @classmethod
    def from_caption_image_index(cls, caption_image_index: np.ndarray, n_images: int) -> "Relevance":
        """Every caption is right for its own image and for no other; any number of captions an image, in any order.

        caption_image_index: (M,) integers, the image row of each caption. Raises InputError if it points outside the images
        or an image has no caption.
        """
        index = np.asarray(caption_image_index, dtype=np.int64)
        n_captions = len(index)
        if n_captions and (index.min() < 0 or index.max() >= n_images):
            raise InputError(f"caption_image_index: values from {index.min()} to {index.max()}, expected 0 to {n_images - 1}")
        counts = np.bincount(index, minlength=n_images)
        if not counts.all():
            raise InputError(f"image row {int(np.argmin(counts))} has no caption; give it one or leave it out")
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        captions_by_image = np.argsort(index, kind="stable")
        return cls(
            i2t=RightRows(offsets, captions_by_image, n_captions),
            t2i=RightRows(np.arange(n_captions + 1), index, n_images),
        )

    @classmethod
    def from_sets(cls, i2t: Sequence[Collection[int]], t2i: Sequence[Collection[int]]) -> "Relevance":
        """From explicit judgements: for each image its right caption rows, for each caption its right image rows."""
        return cls(RightRows.from_sets(i2t, len(t2i), "i2t"), RightRows.from_sets(t2i, len(i2t), "t2i"))
