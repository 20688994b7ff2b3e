"""Regions made by hand: what a detector of one's own may hand over, and what is refused before a model reads it."""

import numpy as np
import pytest

from vldeformer.data.records import Regions, check_regions
from vldeformer.errors import InputError

FEATURES, BOXES = np.ones((2, 3), np.float32), np.array([[0, 0, 0.5, 1], [0.25, 0.5, 1.01, 1]])


@pytest.mark.parametrize("tags", [("a dog", "cat"), ["dog"], ()])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_regions_of_any_float_type_with_tags_or_none_are_taken(tags, dtype):
    check_regions("a", Regions(FEATURES.astype(dtype), BOXES.astype("float32"), tags), 3)
    check_regions("a", Regions(FEATURES[:0], BOXES[:0], ()), 3)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"features": FEATURES.tolist()}, "expected features as a NumPy array of floats, got list; use numpy.asarray"),
        ({"features": FEATURES.astype(np.int8)}, "expected features as a NumPy array of floats, got int8"),
        ({"boxes": BOXES.tolist()}, "expected boxes as a NumPy array of floats, got list"),
        ({"features": FEATURES[:, :2]}, "expected features (2, 3) and boxes (2, 4), got (2, 2) and (2, 4)"),
        ({"boxes": BOXES[0]}, "expected features (4, 3) and boxes (4, 4), got (2, 3) and (4,)"),
        ({"boxes": np.array(1.0)}, "expected features (0, 3) and boxes (0, 4), got (2, 3) and ()"),
        ({"features": FEATURES * np.nan}, "features or boxes hold NaN or infinity"),
        ({"boxes": BOXES * [400, 300, 400, 300]}, "expected boxes as fractions of the image, got numbers from 0 to 404"),
        ({"boxes": BOXES - 0.02}, "expected boxes as fractions of the image, got numbers from -0.02 to 0.99"),
        ({"tags": "dog"}, "expected tags as a tuple of words, got 'dog'"),
        ({"tags": ("dog", 5)}, "expected tags as a tuple of words, got \"('dog', 5)\""),
        ({"tags": None}, "expected tags as a tuple of words, got 'None'"),
    ],
)
def test_regions_that_are_none_are_refused_under_the_name_of_their_image(change, expected):
    given = Regions(**{"features": FEATURES, "boxes": BOXES, "tags": ("dog",)} | change)
    with pytest.raises(InputError) as caught:
        check_regions("images[3]", given, 3)
    assert str(caught.value).startswith(f"images[3]: {expected}")
