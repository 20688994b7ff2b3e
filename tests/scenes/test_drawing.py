"""Pixels: the same bytes for ever, each shape in its place, every size of picture."""

import hashlib

import numpy as np
import pytest

from vldeformer.scenes.drawing import PAINT, draw, draw_all, object_boxes
from vldeformer.scenes.records import Scene, SceneObject
from vldeformer.scenes.shapes import FULL, INSIDE, TURNS, shape_mask
from vldeformer.scenes.space import COLOURS, SHAPES
from vldeformer.scenes.world import generate_scenes
from vldeformer.scenes.world_settings import SceneSettings

SETTINGS = SceneSettings(pretrain_images=40, train_images=1, val_images=1, test_images=1, image_size=96, seed=1)


def _scene(*objects: SceneObject, background: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Scene:
    return Scene("test-000000", "test", background, objects, ())


def test_same_scene_same_bytes_for_ever():
    pictures = np.stack(list(draw_all(generate_scenes(SETTINGS), 96)))
    assert pictures.shape == (43, 96, 96, 3) and pictures.dtype == np.uint8
    assert hashlib.sha256(pictures.tobytes()).hexdigest() == "4b43df0ea806097ba775fbafce8e7c4855499b7cacc087382aaf879dbf54a4e1"


@pytest.mark.parametrize("size", [64, 96, 128, 201])
def test_any_size_draws_inside_the_picture(size):
    for scene in generate_scenes(SETTINGS):
        assert draw(scene, size).shape == (size, size, 3)
        boxes = object_boxes(scene, size)
        assert (boxes >= 0).all() and (boxes <= size).all() and (boxes[:, 2:] > boxes[:, :2]).all()


@pytest.mark.parametrize("colour", COLOURS)
def test_colour_in_the_middle_of_an_object(colour):
    picture = draw(_scene(SceneObject("circle", colour, "large", 480, 300, 2 * 15)), 96)
    assert np.abs(picture[30, 48].astype(int) - PAINT[colour]).max() <= 1
    assert tuple(picture[80, 10]) == (128, 128, 128)


def test_box_surrounds_exactly_what_changed():
    item = SceneObject("square", "red", "small", 333, 555, 2 * 3)
    changed = (draw(_scene(item), 96) != 128).any(axis=2)
    ys, xs = np.nonzero(changed)
    x1, y1, x2, y2 = object_boxes(_scene(item), 96)[0]
    assert abs(xs.min() - x1) <= 1 and abs(xs.max() + 1 - x2) <= 1 and abs(ys.min() - y1) <= 1 and abs(ys.max() + 1 - y2) <= 1


def test_every_shape_has_a_mask_of_its_own():
    assert set(INSIDE) == set(SHAPES)
    masks = [shape_mask(shape, 150, tilt, 96) for shape in SHAPES for tilt in range(len(TURNS))]
    assert all(mask.min() >= 0 and mask.max() == FULL and mask[0].max() == mask[:, 0].max() == 0 for mask in masks)
    upright = [shape_mask(shape, 150, 2, 96) for shape in SHAPES]
    for row, one in enumerate(upright):
        for other in upright[:row]:
            assert (one != other).mean() > 0.05


def test_mask_equals_a_plain_loop():
    mask = shape_mask("ring", 96, 2, 96)
    half = len(mask) // 2
    for row in range(len(mask)):
        for column in range(len(mask)):
            covered = 0
            for dy in (-3, -1, 1, 3):
                for dx in (-3, -1, 1, 3):
                    # sample points in eighths of a pixel; the radius of 9.6 pixels is 1000 units
                    x, y = ((column - half) * 8 + dx) / 8 / 9.6 * 1000, ((row - half) * 8 + dy) / 8 / 9.6 * 1000
                    covered += 520 < np.hypot(x, y) <= 920
            assert abs(covered - mask[row, column]) <= 1


def test_backgrounds_stay_muted():
    for kind in range(16):
        picture = draw(_scene(background=(kind, 10, 11, 123)), 96)
        assert picture.min() > 70 and picture.max() < 200
