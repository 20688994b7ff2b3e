"""Hits as one picture: a strip of small photographs with rank and score for each query, to be looked at."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from vldeformer.artifact import check_file, whole_file
from vldeformer.data.pictures import upright
from vldeformer.data.records import Regions
from vldeformer.errors import InputError
from vldeformer.search.images import ImageSource
from vldeformer.search.index import Hit

ACROSS, SIDE, GAP, LINE = 5, 180, 8, 18  # tiles in a row; pixels
ENDINGS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
MOST_PIXELS_DOWN = 60_000  # a JPEG has at most 65,535 lines
PAPER, INK, EMPTY = "white", "black", "lightgrey"


def write_contact_sheet(path: Path, found: Sequence[tuple[str, Sequence[Hit]]], images: ImageSource) -> None:
    """Write a JPEG or PNG of the hits of each query; an image that cannot be read any more is an empty tile.

    Raises InputError if the name has another ending or the sheet would be too long for a picture.
    """
    kind = check_sheet(path)
    heights = [LINE + GAP + -(-len(hits) // ACROSS) * (SIDE + LINE + GAP) for _, hits in found]
    if sum(heights) > MOST_PIXELS_DOWN:
        fitting = MOST_PIXELS_DOWN // max(heights)
        fewer = f"give at most {fitting} queries" if fitting else "show fewer images with -k"
        raise InputError(f"{path}: {len(found)} queries are too much for one sheet; {fewer}, or take --format jsonl")
    sheet = PIL.Image.new("RGB", (GAP + ACROSS * (SIDE + GAP), GAP + sum(heights)), PAPER)
    draw, font, top = PIL.ImageDraw.Draw(sheet), PIL.ImageFont.load_default(13), GAP
    for (query, hits), height in zip(found, heights, strict=True):
        draw.text((GAP, top), plain(query)[:120], INK, font)
        for place, hit in enumerate(hits):
            down, across = divmod(place, ACROSS)
            corner = (GAP + across * (SIDE + GAP), top + LINE + down * (SIDE + LINE + GAP))
            tile = _tile(images, hit.id)
            sheet.paste(tile, (corner[0] + (SIDE - tile.width) // 2, corner[1] + (SIDE - tile.height) // 2))
            draw.text((corner[0], corner[1] + SIDE), f"{place + 1}  {hit.score:.3f}  {plain(hit.id)[-16:]}", INK, font)
        top += height
    with whole_file(path) as temporary:
        sheet.save(temporary, format=kind)


def check_sheet(path: Path) -> str:
    """The kind of picture that a name asks for. Raises InputError if it is none that is written."""
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path}: expected the name of a contact sheet that ends in {', '.join(ENDINGS)}")
    check_file(path)
    return ENDINGS[path.suffix.lower()]


def plain(text: str) -> str:
    """A text as one printable line: a file's name may hold line ends or what commands a terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _tile(images: ImageSource, image_id: str) -> PIL.Image.Image:
    try:
        image = images[image_id]
    except (InputError, OSError):
        return PIL.Image.new("RGB", (SIDE, SIDE), EMPTY)
    if isinstance(image, Regions):
        return PIL.Image.new("RGB", (SIDE, SIDE), EMPTY)
    tile = upright(np.array(image) if isinstance(image, np.ndarray) else image, image_id)
    tile.thumbnail((SIDE, SIDE))
    return tile
