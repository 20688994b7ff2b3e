"""Objects found in pixels: where they are, apart or touching, on every background, and nothing where there is nothing."""

import numpy as np
import pytest

from vldeformer.scenes.drawing import draw, object_boxes
from vldeformer.scenes.records import Scene, SceneObject
from vldeformer.scenes.segmentation import find_blobs, find_boxes
from vldeformer.scenes.world import generate_scenes
from vldeformer.scenes.world_settings import SceneSettings

SETTINGS = SceneSettings(pretrain_images=100, train_images=1, val_images=1, test_images=1, image_size=96, seed=6)


def _scene(*objects: SceneObject, background: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Scene:
    return Scene("test-000000", "test", background, objects, ())


@pytest.mark.parametrize("kind", range(16))
def test_boxes_lie_on_the_objects_on_every_background(kind):
    scene = _scene(
        SceneObject("star", "white", "large", 240, 240, 6),
        SceneObject("ring", "black", "small", 700, 300, 6),
        SceneObject("bolt", "red", "small", 480, 760, 6),
        background=(kind, 1, 7, 123),
    )
    found = find_boxes(draw(scene, 96)) * 96
    expected = object_boxes(scene, 96)
    assert len(found) == 3
    for box in found:
        assert np.abs(expected - box).max(axis=1).min() <= 1.5


@pytest.mark.parametrize("kind", range(16))
def test_nothing_is_found_on_an_empty_background(kind):
    assert find_boxes(draw(_scene(background=(kind, 10, 11, 77)), 96)).shape == (0, 4)


def test_touching_objects_come_out_as_one_and_largest_comes_first():
    scene = _scene(
        SceneObject("circle", "blue", "small", 150, 150, 6),
        SceneObject("square", "red", "large", 600, 600, 6),
        SceneObject("square", "green", "large", 600, 420, 6),
    )
    blobs = find_blobs(draw(scene, 96))
    assert len(blobs) == 2
    assert blobs[0].mask.sum() > blobs[1].mask.sum()


def test_nearly_all_objects_are_found():
    found = total = extra = 0
    for scene in generate_scenes(SETTINGS):
        boxes = find_boxes(draw(scene, 96)) * 96
        total += len(scene.objects)
        hits = sum(np.abs(boxes - box).max(axis=1).min() <= 2 for box in object_boxes(scene, 96))
        found += hits
        extra += max(0, len(boxes) - len(scene.objects))
    assert found >= 0.93 * total
    assert extra == 0


def test_size_of_the_picture_does_not_matter():
    scene = _scene(SceneObject("heart", "purple", "large", 480, 480, 6))
    small, large = find_boxes(draw(scene, 64)), find_boxes(draw(scene, 192))
    np.testing.assert_allclose(small, large, atol=0.03)
    oblong = np.zeros((40, 80, 3), np.uint8)
    oblong[10:20, 60:75] = 255
    np.testing.assert_allclose(find_boxes(oblong), [[0.75, 0.25, 0.9375, 0.5]])
