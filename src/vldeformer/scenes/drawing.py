"""Pixels of a scene, drawn with whole numbers only: the same bytes on every machine."""

import functools
from collections.abc import Iterable, Iterator

import numpy as np

from vldeformer.scenes.layout import RADII, SHADES, TILTS, Dice, radius
from vldeformer.scenes.records import Scene, SceneObject
from vldeformer.scenes.shapes import FULL, shape_mask
from vldeformer.scenes.space import CANVAS

PAINT = {
    "red": (212, 38, 40),
    "orange": (244, 138, 26),
    "yellow": (246, 224, 60),
    "green": (42, 156, 66),
    "blue": (40, 84, 218),
    "purple": (142, 52, 178),
    "white": (244, 244, 244),
    "black": (26, 26, 28),
}
SHADE_STEP = 6
"""Shades of one colour differ by this much in every channel."""

GROUNDS = (
    (128, 128, 128), (152, 132, 114), (118, 136, 152), (134, 138, 110), (156, 126, 132), (110, 144, 142),
    (168, 154, 126), (100, 108, 126), (112, 128, 104), (136, 122, 150), (172, 174, 178), (96, 92, 98),
)  # fmt: skip
"""Muted colours of middle brightness, so that all eight paints stand out."""
FLAT, ACROSS, DOWN, DIAGONAL = range(4)
SMOOTH, SPECKLED, STRIPED, CHECKED = range(4)
GRAIN = 9
"""Texture changes a channel by at most this much."""


def random_background(dice: Dice) -> tuple[int, int, int, int]:
    """Kind (gradient and texture), two ground colours, and a number for the texture's detail."""
    return dice.below(16), dice.below(len(GROUNDS)), dice.below(len(GROUNDS)), dice.below(1000)


def draw(scene: Scene, size: int) -> np.ndarray:
    """(size, size, 3) uint8, RGB."""
    picture = _background(scene.background, size)
    for item in scene.objects:
        mask, top, left = _placed(item, size)
        covered = mask[:, :, None]
        window = picture[top : top + len(mask), left : left + len(mask)]
        window += (_paint(item) - window) * covered // FULL
    pixels: np.ndarray = np.clip(picture, 0, 255).astype(np.uint8)
    return pixels


def draw_all(scenes: Iterable[Scene], size: int) -> Iterator[np.ndarray]:
    """The pictures one after another, for ``write_pixels``."""
    return (draw(scene, size) for scene in scenes)


def object_boxes(scene: Scene, size: int) -> np.ndarray:
    """(objects, 4) int64: x1 y1 x2 y2 in pixels (ends exclusive) of what is drawn of each object, occlusion left out."""
    boxes = np.zeros((len(scene.objects), 4), dtype=np.int64)
    for row, item in enumerate(scene.objects):
        mask, top, left = _placed(item, size)
        ys, xs = np.nonzero(mask * 2 > FULL)
        boxes[row] = left + xs.min(), top + ys.min(), left + xs.max() + 1, top + ys.max() + 1
    return boxes


def _placed(item: SceneObject, size: int) -> tuple[np.ndarray, int, int]:
    """Coverage mask and its top and left pixel. The margin of a layout keeps the mask inside the picture."""
    tilt = item.look // len(RADII[item.size]) % TILTS
    mask = shape_mask(item.shape, radius(item), tilt, size)
    half = len(mask) // 2
    return mask, item.y * size // CANVAS - half, item.x * size // CANVAS - half


def _paint(item: SceneObject) -> np.ndarray:
    shade = item.look // (len(RADII[item.size]) * TILTS) % SHADES - SHADES // 2
    return np.array([channel + shade * SHADE_STEP for channel in PAINT[item.colour]], dtype=np.int32)


def _background(background: tuple[int, int, int, int], size: int) -> np.ndarray:
    kind, first, second, detail = background
    start, end = np.array(GROUNDS[first], dtype=np.int32), np.array(GROUNDS[second], dtype=np.int32)
    ramp, length = _ramp(kind % 4, size)
    picture: np.ndarray = start + (end - start) * ramp[:, :, None] // length
    picture += _texture(kind // 4, detail, size)[:, :, None]
    return picture


@functools.cache
def _ramp(kind: int, size: int) -> tuple[np.ndarray, int]:
    line = np.arange(size, dtype=np.int32)
    if kind == FLAT:
        return np.zeros((size, size), dtype=np.int32), 1
    if kind == ACROSS:
        return np.broadcast_to(line[None, :], (size, size)), size
    if kind == DOWN:
        return np.broadcast_to(line[:, None], (size, size)), size
    return line[None, :] + line[:, None], 2 * size


def _texture(kind: int, detail: int, size: int) -> np.ndarray:
    """(size, size) int32 between -GRAIN and GRAIN."""
    line = np.arange(size, dtype=np.int32)
    x, y = line[None, :], line[:, None]
    if kind == SMOOTH:
        return np.zeros((size, size), dtype=np.int32)
    if kind == SPECKLED:
        # A small multiplicative hash of the place: cheap, and the same everywhere, as uint32 wraps by definition.
        mixed = (
            x.astype(np.uint32) * np.uint32(374761393)
            + y.astype(np.uint32) * np.uint32(668265263)
            + np.uint32(detail * 2654435 + 1)
        )
        mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(1274126177)
        return ((mixed >> np.uint32(16)) % np.uint32(2 * GRAIN + 1)).astype(np.int32) - GRAIN
    width = 4 + detail % 7
    if kind == STRIPED:
        bands = (x + y * (detail % 3)) // width
    else:
        bands = x // width + y // width
    return (bands % 2 * 2 - 1) * (GRAIN // 2)
