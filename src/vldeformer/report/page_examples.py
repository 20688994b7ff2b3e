"""Examples of composed hard negatives: captions with the changed words marked, images with the regions that each half gives."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vldeformer.artifact import RECORD, read_json
from vldeformer.data.manifest import Manifest
from vldeformer.data.records import PictureSource, RegionSource
from vldeformer.errors import InputError
from vldeformer.report.pictures import Piece, Thumbnail, Thumbnails, changes, evenly, thumbnail
from vldeformer.stored_digests import check_stored

EACH_KIND, IMAGES = 2, 4
PIECE = re.compile(r"\w+(?:['’-]\w+)*|\s+|[^\w\s]")


@dataclass(frozen=True)
class TextExample:
    """A caption and its negative in one line of pieces."""

    kind: str
    picture: Thumbnail
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Half:
    """What an image gives to a composed one: boxes x, y, width, height in percent of the image, and the tags of the regions."""

    picture: Thumbnail
    boxes: tuple[tuple[float, float, float, float], ...]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class ImageExample:
    """The own half and the partner's."""

    own: Half
    partner: Half


def text_examples(folder: Path, manifest: Manifest, pictures: PictureSource | None) -> list[TextExample]:
    """``EACH_KIND`` of each kind, at even steps. Raises InputError if the file is not as `vldeformer negatives` writes it."""
    frame = _read(folder / "text.parquet")
    captions = {caption.id: caption for caption in manifest.captions}
    found = []
    for kind in sorted(frame["kind"].unique()):
        chosen = frame[frame["kind"] == kind]
        for place in evenly(range(len(chosen)), EACH_KIND):
            row = chosen.iloc[place]
            if row["caption_id"] not in captions:
                raise InputError(f"{folder}: caption {row['caption_id']!r} is not in the manifest; give the manifest of this run")
            true = captions[row["caption_id"]]
            picture = thumbnail(true.image_id, true.text, pictures)
            found.append(TextExample(str(kind), picture, tuple(marked(true.text, row["text"]))))
    return found


def marked(true: str, changed: str) -> Iterator[Piece]:
    """Both texts in one line: what they share, what only the first has, what only the second has."""
    return changes(PIECE.findall(true), PIECE.findall(changed), between="")


def image_examples(
    folder: Path, manifest: Manifest, pictures: PictureSource | None, regions: RegionSource | None
) -> list[ImageExample]:
    """``IMAGES`` of them, at even steps. ``regions``: None if images are read as patches, whose grid the settings tell."""
    frame = _read(folder / "image.parquet")
    shown = Thumbnails(manifest, pictures)
    side = _patches_a_side(folder) if regions is None else 1

    def half(image_id: str, numbers: Iterable[int]) -> Half:
        places = [int(number) for number in numbers]
        picture = shown(image_id)
        if regions is None:
            step = 100 / side
            boxes = [(number % side * step, number // side * step, step, step) for number in places]
            return Half(picture, tuple(boxes), ())
        seen = regions[image_id]
        corners = [[100 * float(value) for value in seen.boxes[number]] for number in places]
        tags = [seen.tags[number] for number in places if number < len(seen.tags)]
        return Half(picture, tuple((x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2 in corners), tuple(tags))

    rows = [frame.iloc[place] for place in evenly(range(len(frame)), IMAGES)]
    return [ImageExample(half(row["image_id"], row["kept"]), half(row["partner_id"], row["taken"])) for row in rows]


def _patches_a_side(folder: Path) -> int:
    record = folder / RECORD
    try:
        backbone = read_json(record)["settings"]["backbone"]
        return max(1, int(backbone["crop_size"]) // int(backbone["patch_size"]))
    except (KeyError, TypeError) as error:
        raise InputError(f"{record}: expected the settings of the backbone ({error}); run `vldeformer negatives` again") from None


def _read(path: Path) -> pd.DataFrame:
    check_stored(path)
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: expected composed negatives ({error}); run `vldeformer negatives` again") from None
