"""A folder of pictures, good and bad, and a tiny model that reads photographs."""

import numpy as np
import PIL.Image
import pytest


def picture(seed, size=(70, 50)):
    """Large coloured blocks."""
    blocks = np.random.default_rng(seed).integers(256, size=(3, 4, 3), dtype=np.uint8)
    return PIL.Image.fromarray(blocks).resize(size, PIL.Image.Resampling.BILINEAR)


@pytest.fixture(scope="session")
def model(model_folder):
    return model_folder("squares")


@pytest.fixture
def photos(tmp_path):
    """Fourteen pictures, two of one name in two folders."""
    folder = tmp_path / "photos"
    for number in range(12):
        place = folder / ("a" if number % 2 else "b")
        place.mkdir(parents=True, exist_ok=True)
        picture(number).save(place / f"{number:02}.png")
    picture(100).save(folder / "a" / "same.png")
    picture(101).save(folder / "b" / "same.png")
    return folder
