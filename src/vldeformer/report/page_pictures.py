"""Pictures inside the page: small, as data in the page itself, and a reason in words where there are none."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import PIL.Image

from vldeformer.data.manifest import Manifest
from vldeformer.data.pictures import trimmed
from vldeformer.data.records import PictureSource

LONGEST_SIDE = 192
MOST_ELONGATED = 4


@dataclass(frozen=True)
class Thumbnail:
    """``data``: a data URI; empty if the data set has no pictures here. ``described``: what a screen reader says."""

    image_id: str
    data: str
    described: str


def thumbnail(image_id: str, described: str, pictures: PictureSource | None) -> Thumbnail:
    """A picture of at most ``LONGEST_SIDE`` pixels a side; a very long one without its ends."""
    if pictures is None:
        return Thumbnail(image_id, "", described)
    picture = trimmed(PIL.Image.fromarray(pictures[image_id]), MOST_ELONGATED)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    packed = io.BytesIO()
    picture.save(packed, format="WEBP", quality=80)
    return Thumbnail(image_id, f"data:image/webp;base64,{base64.b64encode(packed.getvalue()).decode()}", described)


class Thumbnails:
    """Called with an image id it gives that image's picture, described by its first caption."""

    def __init__(self, manifest: Manifest, pictures: PictureSource | None) -> None:
        self.first: dict[str, str] = {}
        for caption in manifest.captions:
            self.first.setdefault(caption.image_id, caption.text)
        self.pictures = pictures

    def __call__(self, image_id: str) -> Thumbnail:
        """Without data if there are no pictures."""
        return thumbnail(image_id, self.first.get(image_id, f"image {image_id}"), self.pictures)


def evenly(rows: Sequence[int], most: int) -> list[int]:
    """At most so many of them, at even steps."""
    return [rows[len(rows) * place // most] for place in range(most)] if len(rows) > most else list(rows)
