"""The region store: ragged in, ragged out, in half precision or full; wrong input is refused and leaves nothing."""

import json

import numpy as np
import pytest
from older_files import forget

from vldeformer.data.records import Regions
from vldeformer.data.regions import GrowingArray, RegionStore, write_regions
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
    assert isinstance(features.base.base, np.memmap)
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
        (("d", Regions(np.zeros((1, WIDTH)), np.full((1, 4), 300.0), ())), "'d': expected boxes as fractions"),
        (("d", Regions(np.full((1, WIDTH), np.nan), np.zeros((1, 4)), ())), "'d': features or boxes hold NaN"),
    ],
)
def test_what_is_refused_leaves_nothing(tmp_path, item, message):
    with pytest.raises(InputError, match=message):
        write_regions(tmp_path / "store", [*ITEMS, item], WIDTH)
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_images_without_tags_opens(tmp_path):
    write_regions(tmp_path / "store", [("b", _regions(2, ()))], WIDTH)
    assert RegionStore(tmp_path / "store")["b"].tags == ()


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("ids.json", lambda ids: ids[:1], "1 ids but 3 images"),
        ("ids.json", lambda ids: ["a", "b", "a"], "an id comes twice in ids.json"),
        ("ids.json", lambda ids: ["a", "b", 5], "ids.json: expected a list of texts, got 5 in place 2"),
        ("words.json", lambda words: {}, "words.json: expected a list of texts, got {}"),
        ("words.json", lambda words: words[:2], "tags.npy has word numbers from 0 to 2, but words.json has 2 words"),
        ("tags.npy", lambda tags: tags - 1, "tags.npy has word numbers from -1 to 1, but words.json has 3 words"),
        ("tags.npy", lambda tags: tags.astype(float), "expected whole numbers in 1 dimensions in tags.npy, got float64"),
        ("tags.npy", lambda tags: tags[:-1], "tags.npy has 4 rows, but the offsets run from 0 to 5"),
        (
            "features.npy",
            lambda features: features.ravel(),
            "expected floats in 2 dimensions in features.npy, got float16 of shape",
        ),
        ("features.npy", lambda features: features.astype(np.int8), "expected floats in 2 dimensions in features.npy, got int8"),
        ("features.npy", lambda features: features[:-1], "features.npy has 7 rows, but the offsets run from 0 to 8"),
        ("boxes.npy", lambda boxes: boxes[:-1], "boxes.npy has 7 rows, but the offsets run from 0 to 8"),
        ("boxes.npy", lambda boxes: boxes[:, :3], "expected 4 numbers a box, got 3"),
        ("region_offsets.npy", lambda offsets: offsets[:-1], "3 ids but"),
        ("region_offsets.npy", lambda offsets: offsets[[0, 2, 1, 3]], "or go back"),
        ("tag_offsets.npy", lambda offsets: offsets[:, None], "expected whole numbers in 1 dimensions in tag_offsets.npy"),
    ],
)
def test_a_damaged_store_is_refused_when_it_is_opened(tmp_path, name, change, expected):
    path = tmp_path / "store" / name
    write_regions(tmp_path / "store", ITEMS, WIDTH)
    forget(tmp_path / "store")
    if path.suffix == ".json":
        path.write_text(json.dumps(change(json.loads(path.read_text()))))
    else:
        np.save(path, change(np.load(path)))
    with pytest.raises(InputError) as caught:
        RegionStore(tmp_path / "store")
    assert str(caught.value).startswith(str(tmp_path / "store")) and expected in str(caught.value)


ROWS = np.arange(24, dtype=np.float32).reshape(8, 3)


@pytest.mark.parametrize("cuts", [[], [8], [1, 1, 5, 8], [0, 3]])
def test_it_equals_the_file_that_numpy_writes(tmp_path, cuts):
    np.save(tmp_path / "whole.npy", ROWS)
    growing = GrowingArray(tmp_path / "grown.npy", np.float32, (3,))
    for part in np.split(ROWS, cuts):
        growing.extend(part)
    growing.finish()
    growing.close()
    assert (tmp_path / "grown.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_values_are_converted_to_its_type_and_scalars_are_rows(tmp_path):
    growing = GrowingArray(tmp_path / "grown.npy", np.int64)
    growing.extend([1, 2])
    growing.extend([3])
    growing.finish()
    growing.close()
    grown = np.load(tmp_path / "grown.npy")
    assert grown.tolist() == [1, 2, 3] and grown.dtype == np.int64


def test_a_killed_one_goes_on_after_the_rows_that_count(tmp_path):
    np.save(tmp_path / "whole.npy", ROWS)
    killed = GrowingArray(tmp_path / "grown.npy", np.float32, (3,))
    killed.extend(ROWS[:5])
    assert killed.flush() == (tmp_path / "grown.npy").stat().st_size
    killed.extend(ROWS[:2] + 9)
    killed.close()
    growing = GrowingArray(tmp_path / "grown.npy", np.float32, (3,), rows=5)
    growing.extend(ROWS[5:])
    growing.finish()
    growing.close()
    assert (tmp_path / "grown.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()
