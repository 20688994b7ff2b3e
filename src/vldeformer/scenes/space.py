"""The fixed vocabulary of the ``scenes`` world and what its spatial words mean, in whole numbers.

Captions say a relation only with a margin (``SAID``); the oracle accepts a little more (``TRUE``). So every sentence is clearly
true of its own scene, and the oracle never refuses a sentence because an object lies one pixel off. All limits are in canvas
units; integers only, so that the answer is the same on every machine.
"""

from typing import NamedTuple

import numpy as np

CANVAS = 960
"""Side of the canvas in units. Positions and radii are stored in units, so a scene can be drawn at any size."""

SHAPES = (
    "circle", "square", "triangle", "star", "ring", "cross", "heart", "diamond",
    "moon", "arrow", "drop", "bolt", "flower", "house", "tree", "fish",
)  # fmt: skip
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")
SIZES = ("small", "large")
PAIR_RELATIONS = ("left", "right", "above", "below", "near")
PLACES = ("top-left", "top-right", "bottom-left", "bottom-right", "top", "bottom", "left-side", "right-side", "centre")
MAX_OBJECTS = 4

Number = int | np.ndarray


class Limits(NamedTuple):
    """How far is far enough, in canvas units; ``between_tenths`` is a ratio in tenths."""

    aside: int
    """least distance along the axis for left, right, above, below"""
    near: int
    """greatest distance of centres for near"""
    corner: int
    """greatest distance of a centre from both edges of its corner"""
    edge: int
    """greatest distance of a centre from the edge for top, bottom, left-side, right-side"""
    centre: int
    """greatest distance from the middle along either axis"""
    between_tenths: int
    """greatest (distance to the middle of the two others) / (half their distance)"""


SAID = Limits(aside=200, near=310, corner=310, edge=260, centre=110, between_tenths=5)
TRUE = Limits(aside=120, near=360, corner=370, edge=320, centre=160, between_tenths=7)


def pair_holds(kind: str, ax: Number, ay: Number, bx: Number, by: Number, limits: Limits) -> np.ndarray | bool:
    """Whether a stands in relation ``kind`` to b; scalars or arrays of canvas units that broadcast."""
    if kind == "left":
        return bx - ax >= limits.aside
    if kind == "right":
        return ax - bx >= limits.aside
    if kind == "above":
        return by - ay >= limits.aside
    if kind == "below":
        return ay - by >= limits.aside
    return (ax - bx) ** 2 + (ay - by) ** 2 <= limits.near * limits.near


def between_holds(ax: Number, ay: Number, bx: Number, by: Number, cx: Number, cy: Number, limits: Limits) -> np.ndarray | bool:
    """Whether a lies between b and c: near the middle of the two, measured by their distance."""
    off_middle = (2 * ax - bx - cx) ** 2 + (2 * ay - by - cy) ** 2
    return 100 * off_middle <= limits.between_tenths * limits.between_tenths * ((bx - cx) ** 2 + (by - cy) ** 2)


def place_holds(kind: str, x: Number, y: Number, limits: Limits) -> np.ndarray | bool:
    """Whether a centre is at the named place of the picture."""
    if kind == "centre":
        reach = 4 * limits.centre * limits.centre
        return ((2 * x - CANVAS) ** 2 <= reach) & ((2 * y - CANVAS) ** 2 <= reach)
    distances: dict[str, Number] = {"top": y, "bottom": CANVAS - y, "left": x, "right": CANVAS - x}
    if kind in ("top", "bottom", "left-side", "right-side"):
        return distances[kind.removesuffix("-side")] <= limits.edge
    row, column = kind.split("-")
    return (distances[row] <= limits.corner) & (distances[column] <= limits.corner)
