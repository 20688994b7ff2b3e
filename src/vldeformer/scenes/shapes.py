"""Masks of the sixteen shapes: how much of each pixel a shape covers, computed with whole numbers only.

A shape is a test on points of a square from -1000 to 1000 (x to the right, y down); no sine, no root, no float, so a mask is the
same on every machine.
"""

import functools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from vldeformer.scenes.space import CANVAS

SUB = 4
"""A pixel is sampled at SUB x SUB points; coverage goes from 0 to SUB * SUB."""
FULL = SUB * SUB

# cosine and sine times 1024 of -16, -8, 0, 8 and 16 degrees
TURNS = ((984, -282), (1014, -143), (1024, 0), (1014, 143), (984, 282))

Bits = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]
Points = tuple[tuple[int, int], ...]


def _inside(x: Whole, y: Whole, corners: Points) -> Bits:
    """Even-odd rule for a polygon."""
    inside = np.zeros(x.shape, dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
        spans = (y1 > y) != (y2 > y)
        cross = (x - x1) * (y2 - y1) - (x2 - x1) * (y - y1)
        inside ^= spans & (cross < 0 if y2 > y1 else cross > 0)
    return inside


def _disc(x: Whole, y: Whole, cx: int, cy: int, r: int) -> Bits:
    return (x - cx) ** 2 + (y - cy) ** 2 <= r * r


def _box(x: Whole, y: Whole, left: int, top: int, right: int, bottom: int) -> Bits:
    return (x >= left) & (x <= right) & (y >= top) & (y <= bottom)


STAR = (
    (0, -1000),
    (235, -324),
    (951, -309),
    (380, 124),
    (588, 809),
    (0, 400),
    (-588, 809),
    (-380, 124),
    (-951, -309),
    (-235, -324),
)
ARROW = ((0, -1000), (800, -150), (290, -150), (290, 950), (-290, 950), (-290, -150), (-800, -150))
BOLT = ((150, -1000), (-600, 150), (-80, 150), (-250, 1000), (620, -250), (80, -250), (450, -1000))
PETALS = ((0, -560), (533, -173), (329, 453), (-329, 453), (-533, -173))


def _flower(x: Whole, y: Whole) -> Bits:
    petals = _disc(x, y, 0, 0, 300)
    for cx, cy in PETALS:
        petals |= _disc(x, y, cx, cy, 370)
    return petals & ~_disc(x, y, 0, 0, 170)


def _house(x: Whole, y: Whole) -> Bits:
    walls = _box(x, y, -640, -150, 640, 860) | _inside(x, y, ((0, -950), (900, -100), (-900, -100)))
    return walls & ~_box(x, y, -170, 260, 170, 1000)


def _tree(x: Whole, y: Whole) -> Bits:
    crown = _inside(x, y, ((0, -1000), (600, -100), (-600, -100))) | _inside(x, y, ((0, -500), (820, 500), (-820, 500)))
    return crown | _box(x, y, -180, 400, 180, 1000)


def _fish(x: Whole, y: Whole) -> Bits:
    body = (x + 200) ** 2 * 4 + y**2 * 9 <= 1500**2
    return body | _inside(x, y, ((300, 0), (980, -560), (980, 560)))


INSIDE: dict[str, Callable[[Whole, Whole], Bits]] = {
    "circle": lambda x, y: _disc(x, y, 0, 0, 880),
    "square": lambda x, y: _box(x, y, -760, -760, 760, 760),
    "triangle": lambda x, y: _inside(x, y, ((0, -950), (930, 700), (-930, 700))),
    "star": lambda x, y: _inside(x, y, STAR),
    "ring": lambda x, y: _disc(x, y, 0, 0, 920) & ~_disc(x, y, 0, 0, 520),
    "cross": lambda x, y: _box(x, y, -290, -920, 290, 920) | _box(x, y, -920, -290, 920, 290),
    "heart": lambda x, y: (
        _disc(x, y, -420, -330, 480) | _disc(x, y, 420, -330, 480) | _inside(x, y, ((-860, -140), (860, -140), (0, 930)))
    ),
    "diamond": lambda x, y: abs(x) * 100 + abs(y) * 62 <= 62000,
    "moon": lambda x, y: _disc(x, y, 0, 0, 950) & ~_disc(x, y, 430, 0, 760),
    "arrow": lambda x, y: _inside(x, y, ARROW),
    "drop": lambda x, y: _disc(x, y, 0, 330, 600) | _inside(x, y, ((0, -1000), (560, 120), (-560, 120))),
    "bolt": lambda x, y: _inside(x, y, BOLT),
    "flower": _flower,
    "house": _house,
    "tree": _tree,
    "fish": _fish,
}


@functools.cache
def shape_mask(shape: str, radius: int, tilt: int, image_size: int) -> np.ndarray:
    """(k, k) int32, k odd: coverage 0 to ``FULL`` of each pixel around the centre pixel.

    ``radius`` in canvas units, ``tilt`` an index into ``TURNS``, ``image_size`` the side of the whole image in pixels.
    """
    half = radius * image_size // CANVAS + 2
    pixels = np.arange(-half, half + 1, dtype=np.int64)
    # Sample points in units of 1 / (2 SUB) pixel: odd numbers, symmetric about the pixel's middle.
    points = (pixels[:, None] * (2 * SUB) + np.arange(1 - SUB, SUB, 2)[None, :]).ravel()
    points = points * (1000 * CANVAS) // (2 * SUB * radius * image_size)
    x, y = points[None, :], points[:, None]
    cosine, sine = TURNS[tilt]
    covered = INSIDE[shape]((x * cosine + y * sine) // 1024, (y * cosine - x * sine) // 1024)
    side = len(pixels)
    mask: np.ndarray = covered.reshape(side, SUB, side, SUB).sum(axis=(1, 3), dtype=np.int32)
    mask.setflags(write=False)
    return mask
