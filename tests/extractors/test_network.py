"""What an image becomes before a network reads it."""

import numpy as np
import PIL.Image
import pytest

from vldeformer.extractors.network import Preparation

PREPARATION = Preparation(4, (0.5, 0.4, 0.3), (0.2, 0.25, 0.5), resample=PIL.Image.Resampling.BILINEAR)


def test_colours_are_scaled_and_standardised_place_by_place():
    pixels = np.random.default_rng(3).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    found = PREPARATION(PIL.Image.fromarray(pixels))
    assert found.shape == (1, 3, 4, 4)
    for y in range(4):
        for x in range(4):
            for colour in range(3):
                mean, deviation = PREPARATION.mean[colour], PREPARATION.deviation[colour]
                expected = (pixels[y, x, colour] / 255 - mean) / deviation
                assert found[0, colour, y, x].item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (4000, 2), (9, 7)])
def test_the_whole_of_an_image_of_any_aspect_is_read(size):
    image = PIL.Image.new("RGB", size, (255, 0, 0))
    image.putpixel((0, 0), (255, 0, 0))
    found = PREPARATION(image)
    assert found.shape == (1, 3, 4, 4) and found[0, 0].min().item() == pytest.approx((1 - 0.5) / 0.2, abs=1e-5)
