"""Where the objects of a scene stand: drawn at random, mostly apart, sometimes touching, sometimes the twin of the scene before.

A twin has the same objects as another scene of its split but for two that exchanged colours or places. A model that reads
captions and pictures as bags of words cannot tell the two apart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from vldeformer.scenes.records import SceneObject
from vldeformer.scenes.space import CANVAS, COLOURS, MAX_OBJECTS, SHAPES, SIZES

T = TypeVar("T")
Objects = tuple[SceneObject, ...]

RADII = {"small": (80, 88, 96), "large": (140, 150, 160)}
"""Radius of the circle around an object, in canvas units; ``look`` chooses one of three."""
TILTS = 5
SHADES = 5
LOOKS = len(RADII["small"]) * TILTS * SHADES

TWIN_PERCENT = 20
TOUCHING_PERCENT = 6
ALIKE_PERCENT = 35
"""Share of scenes in which two objects have the same shape or the same colour, so that there is something to count."""
GAP = 40
MARGIN = 50
DIRECTIONS = ((10, 0), (7, 7), (0, 10), (-7, 7), (-10, 0), (-7, -7), (0, -10), (7, -7))


class Dice:
    """Random whole numbers straight from PCG64's raw stream, which NumPy promises never to change."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._bits = generator.bit_generator
        self._raw: list[int] = []

    def below(self, limit: int) -> int:
        """A number from 0 to ``limit`` - 1."""
        if not self._raw:
            self._raw = np.asarray(self._bits.random_raw(4096)).tolist()
        return (self._raw.pop() >> 11) % limit

    def chance(self, percent: int) -> bool:
        """True in ``percent`` of 100 throws."""
        return self.below(100) < percent

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in random order."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(len(left))]


def radius(item: SceneObject) -> int:
    """Radius of the circle around an object, in canvas units."""
    return RADII[item.size][item.look % len(RADII[item.size])]


def coarse_key(objects: Objects) -> tuple[tuple[str, str, str, int], ...]:
    """What makes two scenes the same scene: the set of objects with shape, colour, size and cell of a 3 x 3 grid."""
    return tuple(sorted((o.shape, o.colour, o.size, o.y * 3 // CANVAS * 3 + o.x * 3 // CANVAS) for o in objects))


def layouts(dice: Dice, taken: set[tuple[tuple[str, str, str, int], ...]]) -> Iterator[Objects]:
    """Endless layouts, none of which is in ``taken``; each one made is put there."""
    before: Objects = ()  # the last scene that is no twin itself: twins come in pairs, never in chains
    while True:
        twin = _twin(dice, before) if before and dice.chance(TWIN_PERCENT) else None
        objects = twin or _fresh(dice)
        if objects is None or (key := coarse_key(objects)) in taken:
            continue
        taken.add(key)
        yield objects
        before = () if twin else objects


def _fresh(dice: Dice) -> Objects | None:
    count = 2 + dice.below(MAX_OBJECTS - 1)
    touching = dice.chance(TOUCHING_PERCENT)
    alike = dice.below(3) if dice.chance(ALIKE_PERCENT) else None
    objects: list[SceneObject] = []
    for number in range(count):
        shape, colour = dice.choice(SHAPES), dice.choice(COLOURS)
        if number == 1 and alike is not None:
            shape = objects[0].shape if alike in (0, 2) else shape
            colour = objects[0].colour if alike in (1, 2) else colour
        item = SceneObject(shape, colour, dice.choice(SIZES), 0, 0, dice.below(LOOKS))
        placed = _touching(dice, item, objects[0]) if number == 1 and touching else _apart(dice, item, objects)
        if placed is None:
            return None
        objects.append(placed)
    return tuple(objects)


def _apart(dice: Dice, item: SceneObject, others: Sequence[SceneObject]) -> SceneObject | None:
    edge = radius(item) + MARGIN
    for _ in range(40):
        placed = replace(item, x=edge + dice.below(CANVAS - 2 * edge), y=edge + dice.below(CANVAS - 2 * edge))
        if all(_clear(placed, other) for other in others):
            return placed
    return None


def _touching(dice: Dice, item: SceneObject, other: SceneObject) -> SceneObject | None:
    distance = (radius(item) + radius(other)) * 3 // 4
    edge = radius(item) + MARGIN
    for dx, dy in dice.shuffled(DIRECTIONS):
        x, y = other.x + dx * distance // 10, other.y + dy * distance // 10
        if edge <= x < CANVAS - edge and edge <= y < CANVAS - edge:
            return replace(item, x=x, y=y)
    return None


def _clear(a: SceneObject, b: SceneObject) -> bool:
    return (a.x - b.x) ** 2 + (a.y - b.y) ** 2 >= (radius(a) + radius(b) + GAP) ** 2


def _twin(dice: Dice, objects: Objects) -> Objects | None:
    first, second = dice.shuffled(range(len(objects)))[:2]
    a, b = objects[first], objects[second]
    if a.shape == b.shape or a.colour == b.colour:
        return None
    if dice.chance(60):
        changed = replace(a, colour=b.colour), replace(b, colour=a.colour)
    else:
        # Size and look stay with the place, so that nothing overlaps that did not before.
        changed = replace(b, x=a.x, y=a.y, size=a.size, look=a.look), replace(a, x=b.x, y=b.y, size=b.size, look=b.look)
    twin = list(objects)
    twin[first], twin[second] = changed
    return tuple(twin)
