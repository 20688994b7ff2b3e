"""The pixel store gives back what was put in, or nothing at all."""

import json

import numpy as np
import pytest
from older_files import forget

from vldeformer.data.pixels import PixelStore, write_pixels
from vldeformer.errors import InputError
from vldeformer.seeding import named_generator

IMAGES = named_generator(1, "test", "pixels").integers(0, 256, (3, 4, 6, 3), dtype=np.uint8)


def test_round_trip(tmp_path):
    seen = []
    write_pixels(tmp_path / "store", ["a", "b", "c"], IMAGES, (4, 6), lambda: seen.append(1))
    store = PixelStore(tmp_path / "store")
    assert len(store) == len(seen) == 3
    assert store.size == (4, 6)
    np.testing.assert_array_equal(store["b"], IMAGES[1])
    np.testing.assert_array_equal(store.batch(["c", "a"]), IMAGES[[2, 0]])
    with pytest.raises(ValueError):
        store["a"][0, 0, 0] = 1


def test_unknown_image(tmp_path):
    write_pixels(tmp_path / "store", ["a", "b", "c"], IMAGES, (4, 6))
    with pytest.raises(InputError, match="'d' is not in the pixel store of 3 images"):
        PixelStore(tmp_path / "store")["d"]


def test_an_error_leaves_nothing_behind_and_the_old_store_in_place(tmp_path):
    def broken():
        yield IMAGES[0]
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_pixels(tmp_path / "store", ["a", "b"], broken(), (4, 6))
    assert list(tmp_path.iterdir()) == []
    write_pixels(tmp_path / "store", ["a"], IMAGES[:1], (4, 6))
    with pytest.raises(OSError, match="disk full"):
        write_pixels(tmp_path / "store", ["a", "b"], broken(), (4, 6))
    assert PixelStore(tmp_path / "store").ids == ["a"]


def test_ids_and_pixels_must_agree(tmp_path):
    write_pixels(tmp_path / "store", ["a", "b", "c"], IMAGES, (4, 6))
    (forget(tmp_path / "store") / "ids.json").write_text(json.dumps(["a"]))
    with pytest.raises(InputError, match="1 ids but 3 images"):
        PixelStore(tmp_path / "store")
