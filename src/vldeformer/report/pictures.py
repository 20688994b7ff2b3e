"""Pictures to look at: in notebooks, with a detector's boxes and tags, and small ones inside the page; changed words marked."""

import base64
import difflib
import html
import io
import itertools
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image

from vldeformer.data.manifest import Manifest
from vldeformer.data.pictures import trimmed
from vldeformer.data.records import PictureSource, Regions
from vldeformer.report.drawing import COLOURS, Panel, Sheet, panels

PICTURE_INCHES = 2.1
LINE_INCHES = 0.16
LINE_LETTERS = 28
"""Letters in a line below a picture of that width."""
LONGEST_SIDE = 192
MOST_ELONGATED = 4
MARKS = {"": "{}", "out": "<del>{}</del>", "in": "<ins>{}</ins>"}


def picture_sheet(
    pictures: Sequence[np.ndarray],
    titles: Sequence[str],
    regions: Sequence[Regions] | None = None,
    columns: int = 5,
    heading: str = "",
) -> Sheet:
    """A figure of pictures (height, width, 3) uint8, each with its title below; ``regions``: boxes and tags to draw on each.

    Raises ValueError if there is no picture, or not one title (and Regions) for each.
    """
    given = [None] * len(pictures) if regions is None else regions
    shown = list(zip(pictures, titles, given, strict=True))
    if not shown:
        raise ValueError("a sheet needs at least one picture, got none")
    columns = min(columns, len(shown))
    rows = math.ceil(len(shown) / columns)
    below = [textwrap.wrap(title, LINE_LETTERS) for title in titles]
    height = rows * (PICTURE_INCHES + LINE_INCHES * (1 + max(map(len, below)))) + (0.5 if heading else 0)
    with panels(PICTURE_INCHES * columns, height, rows, columns) as (figure, axes):
        for panel in axes:
            panel.set_axis_off()
            panel.set_anchor("N")
        for panel, (picture, _, found), lines in zip(axes, shown, below, strict=False):
            panel.imshow(picture)
            panel.text(0.5, -0.04, "\n".join(lines), transform=panel.transAxes, ha="center", va="top", fontsize=9)
            if found is not None:
                _draw_regions(panel, picture, found)
        if heading:
            figure.suptitle(heading, weight="bold")
    return figure


def _draw_regions(panel: Panel, picture: np.ndarray, regions: Regions) -> None:
    height, width = picture.shape[:2]
    names = itertools.chain(regions.tags, itertools.repeat(""))
    for number, (box, name) in enumerate(zip(regions.boxes.astype(float), names, strict=False)):
        left, top, right, bottom = box * (width, height, width, height) - 0.5  # a pixel's middle has whole numbers
        colour = COLOURS[number % len(COLOURS)]
        panel.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=colour, linewidth=1.5)
        at_right = left + right > width  # words grow towards the middle of the picture
        place = {"x": right, "ha": "right"} if at_right else {"x": left, "ha": "left"}
        look = {"facecolor": colour, "lw": 0, "pad": 1}
        panel.text(y=top, s=name, va="bottom", fontsize=7.5, color="white", bbox=look, **place).set_in_layout(False)


def pasted(background: np.ndarray, sources: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """(height, width, 3) uint8: boxes (R, 4), fractions of the image, cut out of each source and put where they were.

    The rest has the median colour of ``background``; all pictures are of its size. A model of regions never sees a composed image
    as pixels: this is for people.
    """
    height, width = background.shape[:2]
    canvas = np.empty_like(background)
    canvas[:] = np.median(background, axis=(0, 1))
    for picture, boxes in sources:
        low = np.floor(boxes[:, :2].clip(0, 1) * (width, height)).astype(int)
        high = np.ceil(boxes[:, 2:].clip(0, 1) * (width, height)).astype(int)
        for (left, top), (right, bottom) in zip(low.tolist(), high.tolist(), strict=True):
            canvas[top:bottom, left:right] = picture[top:bottom, left:right]
    return canvas


@dataclass(frozen=True)
class Piece:
    """Part of a text: ``change`` is empty, ``out`` (only in the first text) or ``in`` (only in the second)."""

    text: str
    change: str


def changes(first: Sequence[str], second: Sequence[str], between: str) -> Iterator[Piece]:
    """Two texts in one.

    Args:
        first: the words of one text.
        second: those of the other.
        between: what joins the words of a piece.

    Yields:
        What they share, what only the first has, what only the second has.

    """
    for what, a, b, c, d in difflib.SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if what == "equal":
            yield Piece(between.join(first[a:b]), "")
            continue
        if b > a:
            yield Piece(between.join(first[a:b]), "out")
        if d > c:
            yield Piece(between.join(second[c:d]), "in")


def marked_changes(before: str, after: str) -> str:
    """HTML in which removed words are struck out and new words marked: ``a <del>red</del> <ins>blue</ins> box``."""
    pieces = changes(before.split(), after.split(), between=" ")
    return " ".join(MARKS[piece.change].format(html.escape(piece.text)) for piece in pieces)


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
