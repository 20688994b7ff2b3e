"""Photographs become the patches that transformers' own processor would cut, and composed ones keep their own shape."""

import numpy as np
import PIL.Image
import pytest
import torch
from transformers import ViltImageProcessorPil

from vldeformer.data.photographs import PhotographStore, write_photographs
from vldeformer.data.pixels import PixelStore, write_pixels
from vldeformer.errors import InputError
from vldeformer.inputs.collate import ComposedImage
from vldeformer.inputs.photographs import PhotographReader, PhotographTransform

SIDE, PATCH = 64, 16
SHAPES = {"square": (64, 64), "wide": (60, 100), "tall": (150, 70), "small": (9, 12), "panorama": (40, 900), "line": (1, 80)}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder, generator = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
    for name, (height, width) in SHAPES.items():
        PIL.Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(folder / f"{name}.png")
    write_photographs(folder / "store", folder, {name: f"{name}.png" for name in SHAPES})
    return PhotographStore(folder / "store")


@pytest.fixture(scope="module")
def reader(store):
    return PhotographReader(store, SIDE, PATCH)


def pixels_of(patches, grid):
    """Patches put together again: (3, height, width)."""
    rows, columns = grid.tolist()
    image = torch.zeros(3, rows * PATCH, columns * PATCH)
    for number in range(rows * columns):
        y, x = number // columns * PATCH, number % columns * PATCH
        image[:, y : y + PATCH, x : x + PATCH] = patches[number].reshape(3, PATCH, PATCH)
    return image


def test_patches_are_those_of_the_processor(store, reader):
    names = ["square", "wide", "tall", "small"]
    processor = ViltImageProcessorPil(size={"shortest_edge": SIDE}, size_divisor=PATCH)
    expected = processor([PIL.Image.fromarray(store[name]) for name in names], return_tensors="pt")
    read = reader.read(names)
    assert read.patches.dtype == torch.float32 and read.grids.dtype == torch.int64
    for row in range(len(names)):
        mask = expected["pixel_mask"][row]
        height, width = int(mask[:, 0].sum()), int(mask[0].sum())
        assert read.grids[row].tolist() == [height // PATCH, width // PATCH]
        assert torch.equal(pixels_of(read.patches[row], read.grids[row]), expected["pixel_values"][row, :, :height, :width])
    assert read.grids.tolist() == [[4, 4], [4, 6], [6, 3], [4, 5]]


def test_padding_is_marked(reader):
    read = reader.read(["wide", "square"])
    assert read.patches.shape == (2, 24, 3 * PATCH * PATCH)
    assert read.mask.sum(1).tolist() == [24, 16] and read.mask[1, :16].all() and not read.patches[1, 16:].any()
    chosen = read.select(torch.tensor([1, 1]))
    assert chosen.mask.sum(1).tolist() == [16, 16]


def test_what_is_too_elongated_is_its_centre(store, reader):
    read = reader.read(["panorama", "line"])
    assert (read.grids > 0).all() and read.grids.prod(1).max() <= SIDE // PATCH * reader.transform.most_elongated
    left = (900 - 40 * reader.transform.most_elongated) // 2
    centre = np.ascontiguousarray(store["panorama"][:, left : left + 40 * reader.transform.most_elongated])
    assert torch.equal(read.patches[0], PhotographTransform(SIDE, PATCH)([centre], ["centre"]).patches[0])


def test_pillow_images_and_arrays_are_read_alike(store, reader):
    transform = PhotographTransform(SIDE, PATCH)
    picture = PIL.Image.fromarray(store["wide"])
    given = transform([picture, store["wide"], picture.convert("L")], ["a", "b", "c"])
    assert torch.equal(given.patches[0], reader.read(["wide"]).patches[0]) and torch.equal(given.patches[0], given.patches[1])
    grey = pixels_of(given.patches[2], given.grids[2])
    assert torch.equal(grey[0], grey[1]) and torch.equal(grey[0], grey[2])
    with pytest.raises(InputError, match=r"images\[3\]: expected an array"):
        transform([np.zeros((4, 4), np.uint8)], ["images[3]"])


def test_augmentation_is_a_mirror_image_and_a_function_of_the_generator(store, reader):
    mirrored = PhotographTransform(SIDE, PATCH)([np.ascontiguousarray(store["wide"][:, ::-1])], ["mirrored"]).patches[0]
    plain, seen = reader.read(["wide"]).patches[0], set()
    for seed in range(12):
        read, again = (reader.read(["wide"], np.random.default_rng(seed)).patches[0] for _ in range(2))
        assert torch.equal(read, again) and (torch.equal(read, plain) != torch.equal(read, mirrored))
        seen.add(torch.equal(read, plain))
    assert seen == {True, False}


@pytest.mark.parametrize("own", ["square", "wide", "tall"])
def test_a_composed_photograph_keeps_its_shape_and_takes_the_partners_patches(store, reader, own):
    taken = (0, 5, 6, 15)
    read = reader.read_composed([ComposedImage(own, "small", tuple(set(range(16)) - set(taken)), taken)])
    plain, grid = reader.read([own]).patches[0], read.grids[0]
    rows, columns = grid.tolist()
    squeezed = PIL.Image.fromarray(store["small"]).resize((columns * PATCH, rows * PATCH), PIL.Image.Resampling.BICUBIC)
    partner = torch.from_numpy(np.array(squeezed).transpose(2, 0, 1)).float() / 127.5 - 1
    found, before = pixels_of(read.patches[0], grid), pixels_of(plain, grid)
    exchanged = 0
    for number in range(rows * columns):
        y, x = number // columns, number % columns
        cell = int((y + 0.5) / rows * 4) * 4 + int((x + 0.5) / columns * 4)
        place = (slice(None), slice(y * PATCH, (y + 1) * PATCH), slice(x * PATCH, (x + 1) * PATCH))
        expected = partner if cell in taken else before
        assert torch.allclose(found[place], expected[place], atol=1e-6)
        exchanged += cell in taken
    assert 0 < exchanged < rows * columns


def test_nothing_taken_is_the_image_itself(reader):
    assert torch.equal(reader.read_composed([ComposedImage("tall", "tall", (), ())]).patches, reader.read(["tall"]).patches)


def test_stored_squares_are_photographs_of_aspect_one(tmp_path):
    picture = np.random.default_rng(2).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    write_pixels(tmp_path / "pixels", ["a"], list(picture), (32, 32))
    read = PhotographReader(PixelStore(tmp_path / "pixels"), SIDE, PATCH).read(["a"])
    assert read.grids.tolist() == [[4, 4]]


def test_an_unknown_photograph_is_named(reader):
    with pytest.raises(InputError, match="'nobody'"):
        reader.read(["wide", "nobody"])
