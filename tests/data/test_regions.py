"""The region store: ragged in, ragged out, in half precision or full; wrong input is refused and leaves nothing."""

import json

import numpy as np
import pytest

from vldeformer.data.records import Regions
from vldeformer.data.regions import RegionStore, write_regions
from vldeformer.errors import InputError
from vldeformer.seeding import named_generator

WIDTH = 5


def _regions(count: int, tags: tuple[str, ...]) -> Regions:
    generator = named_generator(count, "test", "regions")
    boxes = np.sort(generator.random((count, 2, 2)), axis=1).reshape(count, 4).astype(np.float32)
    return Regions(generator.normal(size=(count, WIDTH)).astype(np.float32), boxes, tags)


ITEMS = [("a", _regions(3, ("red star", "ring", "ring"))), ("b", _regions(1, ())), ("c", _regions(4, ("star", "ring")))]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_round_trip(tmp_path, dtype):
    write_regions(tmp_path / "store", iter(ITEMS), WIDTH, dtype)
    store = RegionStore(tmp_path / "store")
    assert (len(store), store.feature_width, store.ids) == (3, WIDTH, ["a", "b", "c"])
    assert store.words == ["red star", "ring", "star"]
    for image_id, regions in ITEMS:
        read = store[image_id]
        assert read.features.dtype == dtype and read.boxes.dtype == np.float32
        np.testing.assert_array_equal(read.features, regions.features.astype(dtype))
        np.testing.assert_array_equal(read.boxes, regions.boxes)
        assert read.tags == regions.tags


def test_reading_maps_the_file_and_cannot_change_it(tmp_path):
    write_regions(tmp_path / "store", ITEMS, WIDTH)
    features = RegionStore(tmp_path / "store")["a"].features
    assert isinstance(features, np.memmap)
    with pytest.raises(ValueError):
        features[0, 0] = 1


def test_same_items_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_regions(tmp_path / name, ITEMS, WIDTH)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_no_image_at_all(tmp_path):
    write_regions(tmp_path / "store", [], WIDTH)
    assert len(RegionStore(tmp_path / "store")) == 0


def test_unknown_image(tmp_path):
    write_regions(tmp_path / "store", ITEMS, WIDTH)
    with pytest.raises(InputError, match="'d' is not in the region store of 3 images"):
        RegionStore(tmp_path / "store")["d"]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (ITEMS[0], "'a' comes twice"),
        (("d", Regions(np.zeros((2, WIDTH + 1)), np.zeros((2, 4)), ())), "'d': expected features"),
        (("d", Regions(np.zeros((2, WIDTH)), np.zeros((1, 4)), ())), "'d': expected features"),
        (("d", Regions(np.full((1, WIDTH), np.nan), np.zeros((1, 4)), ())), "'d': features or boxes hold NaN"),
    ],
)
def test_what_is_refused_leaves_nothing(tmp_path, item, message):
    with pytest.raises(InputError, match=message):
        write_regions(tmp_path / "store", [*ITEMS, item], WIDTH)
    assert list(tmp_path.iterdir()) == []


def test_lost_ids_are_noticed(tmp_path):
    write_regions(tmp_path / "store", ITEMS, WIDTH)
    (tmp_path / "store" / "ids.json").write_text(json.dumps(["a"]))
    with pytest.raises(InputError, match="1 ids but 3 images"):
        RegionStore(tmp_path / "store")
