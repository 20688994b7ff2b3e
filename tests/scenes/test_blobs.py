"""Objects found in pixels: where they are, apart or touching, on every background, and nothing where there is nothing."""

import numpy as np
import pytest

from vldeformer.scenes.blobs import COLOUR_WIDTH, describe, find_blobs
from vldeformer.scenes.drawing import PAINT, draw, object_boxes
from vldeformer.scenes.records import Scene, SceneObject
from vldeformer.scenes.world import generate_scenes
from vldeformer.scenes.world_settings import SceneSettings

SETTINGS = SceneSettings(pretrain_images=100, train_images=1, val_images=1, test_images=1, image_size=96, seed=6)


def _scene(*objects: SceneObject, background: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Scene:
    return Scene("test-000000", "test", background, objects, ())


def find_boxes(pixels: np.ndarray) -> np.ndarray:
    """(objects, 4): x1 y1 x2 y2 as fractions of the picture, largest object first."""
    height, width = pixels.shape[:2]
    boxes = np.array([blob.box for blob in find_blobs(pixels)], dtype=np.float32).reshape(-1, 4)
    return boxes / np.array([width, height, width, height], dtype=np.float32)


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


LOOK = 6 + 2 * 15  # upright, middle shade


def _appearance(item: SceneObject):
    pixels = draw(Scene("test-000000", "test", (0, 0, 0, 0), (item,), ()), 96)
    (blob,) = find_blobs(pixels)
    return describe(pixels, blob, 16)


def test_shapes_of_the_arrays():
    look = _appearance(SceneObject("star", "red", "large", 480, 480, LOOK))
    assert look.silhouette.shape == (256,) and look.colour.shape == (COLOUR_WIDTH,) and look.form.shape == (8,)
    assert look.silhouette.min() >= 0 and look.silhouette.max() <= 1


def test_silhouette_forgets_size_and_colour_and_place_but_not_shape():
    large = _appearance(SceneObject("star", "red", "large", 480, 480, LOOK)).silhouette
    small = _appearance(SceneObject("star", "blue", "small", 200, 700, LOOK)).silhouette
    other = _appearance(SceneObject("house", "red", "large", 480, 480, LOOK)).silhouette
    assert np.abs(large - small).mean() < 0.08 < 0.2 < np.abs(large - other).mean()


def test_colour_is_the_paint():
    look = _appearance(SceneObject("tree", "green", "large", 480, 480, LOOK))
    np.testing.assert_allclose(look.colour[:3] * 255, PAINT["green"], atol=6)
    assert look.colour[3:].max() < 0.1


def test_form_tells_size_holes_and_roundness():
    ring = _appearance(SceneObject("ring", "red", "large", 480, 480, LOOK)).form
    disc = _appearance(SceneObject("circle", "red", "small", 480, 480, LOOK)).form
    assert ring[0] > 1.4 * disc[0]
    assert (ring[6], disc[6]) == (1, 0)
    assert disc[4] > 0.9


def test_a_blob_without_inner_pixels_still_has_a_colour():
    pixels = np.full((40, 40, 3), 128, np.uint8)
    pixels[20:22, 5:35] = (200, 0, 0)
    (blob,) = find_blobs(pixels)
    look = describe(pixels, blob, 8)
    np.testing.assert_allclose(look.colour[:3] * 255, [200, 0, 0], atol=0.01)
    assert np.isfinite(look.form).all()
