"""The list of a dataset's images and captions, checked once when it is made, the same for every stage after it."""

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from vldeformer.artifact import read_json, whole_file
from vldeformer.data.records import Caption, Image, check_characters
from vldeformer.errors import InputError

Record = TypeVar("Record", Image, Caption)


@dataclass(frozen=True)
class Manifest:
    """Ordered images and captions of one dataset.

    Captions stand in the order of their images. Raises InputError if an id occurs twice, a text holds half a character, a
    caption is empty or names an unknown image, or an image has no caption.
    """

    dataset: str
    images: tuple[Image, ...]
    captions: tuple[Caption, ...]

    def __post_init__(self) -> None:
        _no_duplicates(self.dataset, "image id", (image.id for image in self.images))
        _no_duplicates(self.dataset, "caption id", (caption.id for caption in self.captions))
        for image in self.images:
            check_characters(f"{self.dataset}: image {image.id!r}", image.id, image.file or "")
        rows = self.image_rows
        captioned = set()
        for caption in self.captions:
            if caption.image_id not in rows:
                raise InputError(
                    f"{self.dataset}: caption {caption.id!r} belongs to image {caption.image_id!r}, which is not listed"
                )
            if not caption.text.strip():
                raise InputError(f"{self.dataset}: caption {caption.id!r} of image {caption.image_id!r} is empty")
            check_characters(f"{self.dataset}: caption {caption.id!r}", caption.id, caption.text)
            captioned.add(caption.image_id)
        if len(captioned) < len(self.images):
            missing = next(image.id for image in self.images if image.id not in captioned)
            raise InputError(f"{self.dataset}: image {missing!r} has no caption; give it one or leave it out")
        if np.any(np.diff(self.caption_image_index) < 0):
            raise InputError(f"{self.dataset}: captions must stand in the order of their images")

    @functools.cached_property
    def image_rows(self) -> dict[str, int]:
        """Image id → row in ``images``."""
        return {image.id: row for row, image in enumerate(self.images)}

    @functools.cached_property
    def caption_image_index(self) -> np.ndarray:
        """(number of captions,) int64: the row of each caption's image."""
        return np.array([self.image_rows[caption.image_id] for caption in self.captions], dtype=np.int64)

    @property
    def splits(self) -> dict[str, int]:
        """Number of images in each split."""
        return dict(Counter(image.split for image in self.images))

    def split(self, *names: str) -> "Manifest":
        """Only the images of the named splits, with their captions. Raises InputError if nothing is left."""
        chosen = tuple(image for image in self.images if image.split in names)
        if not chosen:
            raise InputError(f"{self.dataset}: no image in split {' or '.join(names)}; it has {self.splits}")
        return self._restricted(chosen)

    def first(self, number: int) -> "Manifest":
        """The first ``number`` images (all, if there are fewer), with their captions."""
        return self._restricted(self.images[:number])

    def _restricted(self, chosen: tuple[Image, ...]) -> "Manifest":
        ids = {image.id for image in chosen}
        return Manifest(self.dataset, chosen, tuple(c for c in self.captions if c.image_id in ids))

    @property
    def digest(self) -> str:
        """sha256 of the content."""
        return hashlib.sha256(self._text().encode()).hexdigest()

    def _text(self) -> str:
        value = {
            "dataset": self.dataset,
            "images": [[image.id, image.split, image.file] for image in self.images],
            "captions": [[caption.id, caption.image_id, caption.text] for caption in self.captions],
        }
        return json.dumps(value, ensure_ascii=False, indent=0) + "\n"

    def save(self, path: Path) -> None:
        """Write as one JSON file."""
        with whole_file(path) as temporary:
            temporary.write_text(self._text(), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Manifest":
        """Read what ``save`` wrote. Raises InputError if the file is missing, cut short or of another layout, or an id or text
        is none, naming the place (from 0) of its row.
        """
        value = read_json(path)
        try:
            images = _records(f"{path}: image", Image, value["images"])
            captions = _records(f"{path}: caption", Caption, value["captions"])
            return cls(value["dataset"], images, captions)
        except (KeyError, TypeError) as error:
            raise InputError(f"{path}: expected a manifest written by `vldeformer prepare`; {error}") from None


def _records(what: str, kind: type[Record], rows: Iterable[Any]) -> tuple[Record, ...]:
    """Images or Captions, each of its texts in their order; only the file of an image may be null or left out."""
    names = [field.name for field in fields(kind)]
    for place, row in enumerate(rows):
        if not isinstance(row, list):
            expected, came = f"[{', '.join(names)}]", row
        elif wrong := [one for one in zip(names, row, strict=False) if not isinstance(one[1], str) and one != ("file", None)]:
            expected, came = f"{wrong[0][0]} as a text", wrong[0][1]
        else:
            continue
        raise InputError(f"{what} in place {place}: expected {expected}, got {str(came)[:60]}; run `vldeformer prepare` again")
    return tuple(kind(*row) for row in rows)


def _no_duplicates(dataset: str, what: str, ids: Iterable[str]) -> None:
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        raise InputError(f"{dataset}: {what} {twice[0]!r} occurs more than once; ids must be unique")
