"""Whatever holds a picture, the same upright RGB pixels come out of it, and the same square."""

import io

import numpy as np
import PIL.Image
import pytest

from vldeformer.data.pictures import MOST_ELONGATED, square, upright
from vldeformer.errors import InputError

ORIENTATION = 0x0112


def halves(width, height):
    """Left half red, right half blue."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, : width // 2, 0] = pixels[:, width // 2 :, 2] = 250
    return pixels


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"])
def test_every_kind_of_colour_becomes_rgb(mode):
    rgb = upright(PIL.Image.new(mode, (20, 10)), "x")
    assert (rgb.mode, rgb.size) == ("RGB", (20, 10))


def test_transparency_is_dropped():
    palette = PIL.Image.fromarray(halves(20, 10)).convert("P")
    colours = np.asarray(palette.convert("RGB"))
    palette.info["transparency"] = bytes([0, 128, 255])
    clear = PIL.Image.fromarray(np.dstack([halves(20, 10), np.full((10, 20), 9, np.uint8)]))
    assert np.array_equal(np.asarray(upright(palette, "x")), colours)
    assert np.array_equal(np.asarray(upright(clear, "x")), halves(20, 10))


def test_sixteen_bits_are_scaled_and_not_cut():
    grey = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
    assert np.asarray(upright(PIL.Image.fromarray(grey), "x"))[0, :, 0].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize("turn", range(1, 9))
def test_the_orientation_in_the_exif_is_followed(turn):
    transpose = PIL.Image.Transpose
    back = {
        2: transpose.FLIP_LEFT_RIGHT, 3: transpose.ROTATE_180, 4: transpose.FLIP_TOP_BOTTOM, 5: transpose.TRANSPOSE,
        6: transpose.ROTATE_90, 7: transpose.TRANSVERSE, 8: transpose.ROTATE_270,
    }  # fmt: skip
    seen = PIL.Image.fromarray(halves(20, 10))
    stored = seen.transpose(back[turn]) if turn in back else seen
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = turn
    stored.save(file := io.BytesIO(), "PNG", exif=exif)
    assert np.array_equal(np.asarray(upright(PIL.Image.open(file), "x")), halves(20, 10))


@pytest.mark.parametrize(("width", "height"), [(64, 64), (100, 50), (50, 100), (33, 17), (1, 1), (3, 2), (640, 3), (1, 5000)])
def test_the_centre_fills_the_square(width, height):
    assert square(PIL.Image.fromarray(halves(width, height)), 32).shape == (32, 32, 3)


@pytest.mark.parametrize(("width", "height"), [(100, 50), (50, 101), (33, 17), (16 * 5, 5)])
def test_the_square_is_the_scaled_picture_without_its_ends(width, height):
    rgb = PIL.Image.fromarray(np.random.default_rng(0).integers(256, size=(height, width, 3), dtype=np.uint8))
    shorter = min(width, height)
    scaled = rgb.resize((round(width * 32 / shorter), round(height * 32 / shorter)), PIL.Image.Resampling.BICUBIC)
    left, top = (scaled.width - 32) // 2, (scaled.height - 32) // 2
    assert np.array_equal(square(rgb, 32), np.asarray(scaled)[top : top + 32, left : left + 32])


def test_the_ends_of_a_very_long_picture_cost_nothing():
    long = PIL.Image.fromarray(halves(100_000, 2))
    middle = long.crop((50_000 - MOST_ELONGATED, 0, 50_000 + MOST_ELONGATED, 2))
    assert np.array_equal(square(long, 100), square(middle, 100))


def test_arrays_and_images_are_the_same():
    assert np.array_equal(np.asarray(upright(halves(7, 5), "x")), halves(7, 5))
    assert np.array_equal(np.asarray(upright(PIL.Image.fromarray(halves(7, 5)), "x")), halves(7, 5))


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (np.zeros((4, 4, 3)), "got float64 of shape (4, 4, 3)"),
        (np.zeros((4, 4), np.uint8), "got uint8 of shape (4, 4)"),
        (np.zeros((3, 4, 4), np.uint8), "got uint8 of shape (3, 4, 4)"),
        (np.zeros((0, 4, 3), np.uint8), "got uint8 of shape (0, 4, 3)"),
        ("dog.jpg", "expected a PIL image or an array (height, width, 3) of uint8, got str"),
        (PIL.Image.new("F", (4, 4)), "got mode F, 4 x 4 pixels"),
        (PIL.Image.new("RGB", (0, 4)), "got mode RGB, 0 x 4 pixels"),
    ],
)
def test_what_is_no_picture_is_named(picture, expected):
    with pytest.raises(InputError) as caught:
        upright(picture, "images[3]")
    assert str(caught.value).startswith("images[3]: ") and expected in str(caught.value) and "\n" not in str(caught.value)


def test_a_picture_that_is_cut_short_is_named():
    PIL.Image.fromarray(np.random.default_rng(0).integers(256, size=(90, 90, 3), dtype=np.uint8)).save(
        file := io.BytesIO(), "JPEG"
    )
    cut = PIL.Image.open(io.BytesIO(file.getvalue()[:2000]))
    with pytest.raises(InputError, match=r"^images\[3\]: expected a photograph, cannot read it"):
        upright(cut, "images[3]")
