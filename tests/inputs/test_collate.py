"""From stores to padded tensors, compared with plain loops over each image."""

import numpy as np
import pytest
import torch

from vldeformer.data.pixels import PixelStore, write_pixels
from vldeformer.data.records import Regions
from vldeformer.data.regions import RegionStore, write_regions
from vldeformer.errors import InputError
from vldeformer.inputs.collate import ComposedImage, PixelReader, RegionReader, TextReader


def regions(count, tags, start=0.0):
    features = start + np.arange(count * 3, dtype=np.float32).reshape(count, 3)
    boxes = np.array([[0.1 * row, 0.2, 0.1 * row + 0.3, 0.7] for row in range(count)], dtype=np.float32).reshape(count, 4)
    return Regions(features, boxes, tuple(tags))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("regions") / "store"
    items = [
        ("two", regions(2, ["red ring", "star"])),
        ("none", regions(0, [])),
        ("many", regions(5, ["ring", "box", "star", "disc", "red box"], 100)),
        ("silent", regions(3, [], 50)),
    ]
    write_regions(folder, items, 3, "float32")
    return RegionStore(folder)


@pytest.fixture(scope="module")
def reader(store, words):
    return RegionReader(store, words, tag_tokens=40, most_regions=4)


def test_captions_are_padded_to_the_longest_or_to_the_full_length(words):
    texts = ["a red ring", "a red ring left of a star"]
    rows = words.encode(texts, 10)
    loose, full = TextReader(words, 10).read(texts), TextReader(words, 10, full=True).read(texts)
    assert loose.ids.shape == (2, max(map(len, rows))) and full.ids.shape == (2, 10)
    for read in (loose, full):
        for number, row in enumerate(rows):
            assert read.ids[number].tolist() == row + [words.pad] * (read.ids.shape[1] - len(row))
            assert read.mask[number].tolist() == [True] * len(row) + [False] * (read.ids.shape[1] - len(row))


@pytest.mark.parametrize("full", [False, True])
def test_regions_carry_boxes_and_are_cut_at_the_most(store, words, full):
    names = ["two", "none", "many", "silent"]
    read = RegionReader(store, words, tag_tokens=6, most_regions=4, full=full).read(names)
    assert read.features.shape == (4, 4, 9) and read.region_mask.sum(1).tolist() == [2, 0, 4, 3]
    for row, name in enumerate(names):
        image = store[name]
        for place in range(4):
            if place < len(image.boxes):
                x1, y1, x2, y2 = image.boxes[place].tolist()
                expected = [*image.features[place].tolist(), x1, y1, x2, y2, x2 - x1, y2 - y1]
                assert read.features[row, place].tolist() == pytest.approx(expected)
            else:
                assert not read.features[row, place].any() and not read.region_mask[row, place]


def test_tags_are_words_between_cls_and_sep(reader, words):
    read = reader.read(["two", "none", "many"])
    assert read.tag_ids[0][read.tag_mask[0]].tolist() == words.encode(["red ring star"], 100)[0]
    assert read.tag_ids[1][read.tag_mask[1]].tolist() == [words.cls, words.sep]
    whole = words.encode(["ring box star disc red box"], 100)[0]
    assert read.tag_ids[2].tolist() == whole


def test_a_long_row_of_tags_loses_its_end_but_not_its_sep(store, words):
    whole = words.encode(["ring box star disc red box"], 100)[0]
    assert RegionReader(store, words, tag_tokens=6, most_regions=4).read(["many"]).tag_ids[0].tolist() == [*whole[:5], words.sep]


def test_an_image_without_regions_alone_is_one_empty_row(reader):
    read = reader.read(["none"])
    assert read.features.shape == (1, 1, 9) and not read.region_mask.any() and read.tag_mask.all()


def test_an_unknown_image_is_named(reader):
    with pytest.raises(InputError, match="'nobody'"):
        reader.read(["two", "nobody"])


def test_composed_regions_take_their_tags_along(reader, store, words):
    read = reader.read_composed([ComposedImage("many", "two", kept=(1, 3), taken=(0,))])
    expected = [store["two"].features[0], store["many"].features[1], store["many"].features[3]]
    assert np.array_equal(read.features[0, :3, :3].numpy(), np.stack(expected))
    assert np.array_equal(read.features[0, 0, 3:7].numpy(), store["two"].boxes[0])
    assert read.tag_ids[0].tolist() == words.encode(["red ring box disc"], 100)[0]


@pytest.mark.parametrize(
    ("kept", "taken", "order"),
    [
        ((0, 2), (1,), ["many 0", "two 1", "many 2"]),
        ((0, 1, 3), (1, 0), ["many 0", "many 1", "two 1", "many 3", "two 0"]),
        ((2,), (0,), ["two 0", "many 2"]),
        ((0, 1, 2, 3), (0,), ["many 0", "many 1", "many 2", "many 3", "two 0"]),
        ((), (0, 1), ["two 0", "two 1"]),
    ],
)
def test_the_order_of_regions_does_not_tell_own_from_other(store, words, kept, taken, order):
    reader = RegionReader(store, words, tag_tokens=40, most_regions=9)
    read = reader.read_composed([ComposedImage("many", "two", kept, taken)])
    rows = [(store[name], int(row)) for name, row in map(str.split, order)]
    assert read.features[0, :, :3].tolist() == [image.features[row].tolist() for image, row in rows]
    assert read.features[0, :, 3:7].tolist() == [image.boxes[row].tolist() for image, row in rows]
    assert read.tag_ids[0].tolist() == words.encode([" ".join(image.tags[row] for image, row in rows)], 100)[0]


def test_composing_with_images_that_have_less_tags_or_nothing(reader, words):
    read = reader.read_composed([ComposedImage("silent", "two", (0, 2), (1,)), ComposedImage("none", "none", (), ())])
    assert read.region_mask.sum(1).tolist() == [3, 0]
    assert read.tag_ids[0][read.tag_mask[0]].tolist() == words.encode(["star"], 100)[0]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pixels") / "store"
    generator = np.random.default_rng(0)
    write_pixels(folder, ["a", "b"], list(generator.integers(0, 256, (2, 12, 12, 3), dtype=np.uint8)), (12, 12))
    return PixelStore(folder)


def test_the_centre_is_read_and_scaled(pictures):
    read = PixelReader(pictures, crop_size=8, patch_size=4).read(["b", "a"])
    assert read.pixels.shape == (2, 3, 8, 8) and read.pixels.dtype == torch.float32
    for row, name in enumerate(["b", "a"]):
        for y, x, channel in [(0, 0, 0), (3, 5, 1), (7, 7, 2)]:
            assert read.pixels[row, channel, y, x].item() == pytest.approx(pictures[name][y + 2, x + 2, channel] / 127.5 - 1)


def test_augmentation_is_a_crop_or_its_mirror_image_and_a_function_of_the_generator(pictures):
    reader = PixelReader(pictures, crop_size=8, patch_size=4)
    crops = {pictures["a"][y : y + 8, x : x + 8].tobytes() for y in range(5) for x in range(5)}
    mirrored = {np.ascontiguousarray(pictures["a"][y : y + 8, x : x + 8][:, ::-1]).tobytes() for y in range(5) for x in range(5)}
    kinds = set()
    for seed in range(20):
        read, again = (reader.read(["a"], np.random.default_rng(seed)).pixels for _ in range(2))
        assert torch.equal(read, again)
        image = np.ascontiguousarray(((read[0].numpy() + 1) * 127.5).round().astype(np.uint8).transpose(1, 2, 0)).tobytes()
        assert (image in crops) != (image in mirrored)
        kinds.add(image in crops)
    assert kinds == {True, False}


def test_patches_of_the_partner_keep_their_places(pictures):
    reader = PixelReader(pictures, crop_size=8, patch_size=4)
    own, other = reader.read(["a", "b"]).pixels
    mixed = reader.read_composed([ComposedImage("a", "b", kept=(0, 3), taken=(1, 2))]).pixels[0]
    for patch, source in enumerate([own, other, other, own]):
        y, x = patch // 2 * 4, patch % 2 * 4
        assert torch.equal(mixed[:, y : y + 4, x : x + 4], source[:, y : y + 4, x : x + 4])
    whole = reader.read_composed([ComposedImage("a", "a", (), ())]).pixels[0]
    assert torch.equal(whole, own)


def test_a_crop_larger_than_the_image_is_refused(pictures):
    with pytest.raises(InputError, match="crop_size 16 is larger than the stored images, 12 x 12"):
        PixelReader(pictures, crop_size=16, patch_size=4)
