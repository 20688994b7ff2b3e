"""Photographs stay where they are and are read upright, whatever their kind; what cannot be read is named."""

import json
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from vldeformer.data.photographs import PhotographStore, open_photograph, read_squares, write_photographs
from vldeformer.errors import InputError

RED, BLUE = (250, 0, 0), (0, 0, 250)


def save(path, width, height, mode="RGB", **options):
    """Left half red, right half blue."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, : width // 2], pixels[:, width // 2 :] = RED, BLUE
    PIL.Image.fromarray(pixels).convert(mode).save(path, **options)
    return path


def bomb(path):
    """A PNG of a few hundred bytes that says it is 50,000 x 50,000."""

    def chunk(kind, content):
        return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))

    header = struct.pack(">LLBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b""))
    return path


def damaged(folder):
    """Name → a file that is no whole photograph, and what is said of it."""
    cut = save(folder / "cut.jpg", 200, 200)
    cut.write_bytes(cut.read_bytes()[:1000])
    (folder / "text.jpg").write_text("no picture")
    (folder / "empty.jpg").touch()
    bomb(folder / "bomb.png")
    return {
        "gone.jpg": "photograph not found", "cut.jpg": "truncated", "text.jpg": "got something else",
        "empty.jpg": "got something else", "bomb.png": "could be decompression bomb",
    }  # fmt: skip


def test_a_store_gives_each_photograph_at_its_own_size(tmp_path):
    (tmp_path / "raw" / "b").mkdir(parents=True)
    save(tmp_path / "raw" / "2.png", 40, 30)
    save(tmp_path / "raw" / "b" / "1.png", 7, 90)
    seen = []
    write_photographs(tmp_path / "store", tmp_path / "raw", {"z": "2.png", "a": "b/1.png"}, lambda: seen.append(1))
    store = PhotographStore(tmp_path / "store")
    assert store.ids == ["z", "a"] and len(store) == len(seen) == 2
    assert store["z"].shape == (30, 40, 3) and store["a"].shape == (90, 7, 3) and store["z"].dtype == np.uint8
    np.testing.assert_array_equal(store["z"], np.asarray(PIL.Image.open(tmp_path / "raw" / "2.png")))
    with pytest.raises(InputError, match="'q' is not in the store of 2 photographs"):
        store["q"]
    assert {path.name for path in (tmp_path / "store").iterdir()} == {"photographs.json", "digests.json"}, "nothing is copied"


def test_store_and_photographs_can_be_moved_together_and_opened_from_anywhere(tmp_path, monkeypatch):
    (tmp_path / "here" / "raw").mkdir(parents=True)
    save(tmp_path / "here" / "raw" / "1.png", 40, 30)
    monkeypatch.chdir(tmp_path / "here")
    write_photographs(Path("made/deep/store"), Path("raw"), {"1": "1.png"})
    content = (tmp_path / "here" / "made" / "deep" / "store" / "photographs.json").read_text()
    assert str(tmp_path) not in content
    shutil.move(tmp_path / "here", tmp_path / "there")
    monkeypatch.chdir(tmp_path)
    assert PhotographStore(Path("there/made/deep/store"))["1"].shape == (30, 40, 3)


def test_a_photograph_is_turned_as_its_camera_says(tmp_path):
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # turn clockwise by a quarter to see it upright
    save(tmp_path / "1.jpg", 60, 40, exif=exif, quality=95)
    write_photographs(tmp_path / "store", tmp_path, {"1": "1.jpg"})
    pixels = PhotographStore(tmp_path / "store")["1"]
    assert pixels.shape == (60, 40, 3)
    assert pixels[5, 20, 0] > 200 > 50 > pixels[5, 20, 2] and pixels[55, 20, 2] > 200 > 50 > pixels[55, 20, 0]


@pytest.mark.parametrize("mode", ["L", "LA", "CMYK", "P", "RGBA", "1", "I;16"])
def test_other_kinds_of_colour_become_rgb(tmp_path, mode):
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    if mode == "I;16":
        PIL.Image.fromarray(np.full((40, 40), 30_000, dtype=np.uint16)).save(path)
    else:
        save(path, 40, 40, mode)
    pixels = np.asarray(open_photograph(path))
    assert pixels.shape == (40, 40, 3)
    assert mode != "I;16" or abs(int(pixels.mean()) - 30_000 // 257) <= 1


def test_what_cannot_be_read_is_named(tmp_path):
    for name, said in damaged(tmp_path).items():
        with pytest.raises(InputError) as caught:
            open_photograph(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: ") and said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_store_is_not_written_while_files_are_missing(tmp_path):
    names = damaged(tmp_path)
    save(tmp_path / "good.png", 40, 30)
    files = {"good": "good.png"} | {name: name for name in names if name != "cut.jpg"}
    with pytest.raises(InputError) as caught:
        write_photographs(tmp_path / "store", tmp_path, files)
    assert str(caught.value) == (
        f"{tmp_path / 'gone.jpg'}: photograph not found; put the data set's images there; 3 more of 5 photographs cannot be read"
    )
    assert not (tmp_path / "store").exists()
    write_photographs(tmp_path / "store", tmp_path, {"good": "good.png", "cut": "cut.jpg"})
    with pytest.raises(InputError, match=r"cut\.jpg: expected a photograph"):  # pixels are only looked at when they are read
        PhotographStore(tmp_path / "store")["cut"]


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"root": 3, "ids": [], "files": []}', '{"root": ".", "ids": ["a"], "files": []}']
)
def test_another_layout(tmp_path, content):
    (tmp_path / "photographs.json").write_text(content)
    with pytest.raises(InputError, match=r"photographs\.json: expected a store written by"):
        PhotographStore(tmp_path)
    (tmp_path / "photographs.json").unlink()
    with pytest.raises(InputError, match=r"photographs\.json: expected a JSON file, found none"):
        PhotographStore(tmp_path)


def test_the_file_is_small(tmp_path):
    save(tmp_path / "1.png", 4, 4)
    write_photographs(tmp_path / "store", tmp_path, {str(number): "1.png" for number in range(1000)})
    value = json.loads((tmp_path / "store" / "photographs.json").read_text())
    assert list(value) == ["files", "ids", "root"] and (tmp_path / "store" / "photographs.json").stat().st_size < 30_000


@pytest.mark.parametrize(("width", "height"), [(64, 64), (100, 50), (50, 100), (33, 17), (7, 5), (640, 3)])
def test_the_centre_of_any_photograph_fills_the_square(tmp_path, width, height):
    (read,) = read_squares([save(tmp_path / "a.png", width, height)], 32)
    assert read.shape == (32, 32, 3) and read.dtype == np.uint8
    assert read[16, 2, 0] > 200 > 50 > read[16, 2, 2] and read[16, 29, 2] > 200 > 50 > read[16, 29, 0]


def test_a_photograph_of_the_right_size_is_not_touched(tmp_path):
    path = save(tmp_path / "a.png", 32, 32)
    np.testing.assert_array_equal(next(read_squares([path], 32)), np.asarray(PIL.Image.open(path)))


def test_squares_come_in_the_order_of_the_files(tmp_path):
    for number in range(30):
        PIL.Image.new("RGB", (300 - 9 * number, 20), (number, 0, 0)).save(tmp_path / f"{number}.png")
    paths = [tmp_path / f"{number % 30}.png" for number in range(300)]
    assert [int(pixels[0, 0, 0]) for pixels in read_squares(paths, 16)] == [number % 30 for number in range(300)]
    with pytest.raises(InputError, match=r"none\.png: photograph not found"):
        list(read_squares([*paths, tmp_path / "none.png"], 16))
