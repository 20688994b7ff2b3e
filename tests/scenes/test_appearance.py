"""What the numbers of a region mean: size-free silhouettes, colours of the inside, form."""

import numpy as np

from vldeformer.scenes.appearance import COLOUR_WIDTH, FORM_WIDTH, describe
from vldeformer.scenes.drawing import PAINT, draw
from vldeformer.scenes.records import Scene, SceneObject
from vldeformer.scenes.segmentation import find_blobs

LOOK = 6 + 2 * 15  # upright, middle shade


def _appearance(item: SceneObject):
    pixels = draw(Scene("test-000000", "test", (0, 0, 0, 0), (item,), ()), 96)
    (blob,) = find_blobs(pixels)
    return describe(pixels, blob, 16)


def test_shapes_of_the_arrays():
    look = _appearance(SceneObject("star", "red", "large", 480, 480, LOOK))
    assert look.silhouette.shape == (256,) and look.colour.shape == (COLOUR_WIDTH,) and look.form.shape == (FORM_WIDTH,)
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
