"""Names as people write them, files as people have them."""

import os
import unicodedata

import numpy as np
import PIL.Image
import pytest

from vldeformer.data.manifest import Manifest
from vldeformer.data.photograph_files import Names, files_below
from vldeformer.data.photographs import open_photograph
from vldeformer.data.records import Caption, Image
from vldeformer.datasets.source import photograph_files
from vldeformer.errors import InputError

CAFE = unicodedata.normalize("NFC", "café.jpg")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a/Dog.JPG", "a/Dog.JPG"),
        (unicodedata.normalize("NFD", CAFE), CAFE),
        ("A/dog.jpg", "a/Dog.JPG"),
        ("a/Dog.jpeg", "a/Dog.JPG"),
        ("a/Dog", "a/Dog.JPG"),
        ("photos/a/Dog.JPG", "a/Dog.JPG"),
        (" a/Dog.JPG ", "a/Dog.JPG"),
        ("twice.jpg", None),  # twice.png and twice.gif
        ("b/Dog.JPG", None),
    ],
)
def test_a_name_is_found_where_one_file_is_meant(written, expected):
    assert Names(["a/Dog.JPG", CAFE, "twice.png", "twice.gif"]).find(written) == expected


def test_the_line_says_which_name_was_probably_meant():
    names = Names(["a/Dog.JPG", "twice.png", "twice.gif"])
    assert names.hint("b/dog.jpg") == "; did you mean 'a/Dog.JPG'?"
    assert names.hint("twice.jpg") == "; did you mean 'twice.gif' or 'twice.png'?"
    assert names.hint("cat.jpg") == ""


@pytest.fixture
def linked(tmp_path):
    """A folder with a link to another folder and a broken one, and the other folder."""
    far, root = tmp_path / "far", tmp_path / "photos"
    far.mkdir()
    root.mkdir()
    (root / "linked").symlink_to(far)
    (root / "gone.jpg").symlink_to("nowhere.jpg")
    return root, far


def test_linked_folders_are_listed_once_and_broken_links_are_named(linked):
    root, far = linked
    (far / "1.jpg").touch()
    (far / "loop").symlink_to(root)
    (root / "circle.jpg").symlink_to("circle.jpg")
    found = {file.name: file.problem for file in files_below(root)}
    assert found["linked/1.jpg"] is None and "No such file" in found["gone.jpg"] and "symbolic links" in found["circle.jpg"]
    assert len(found) == 3


def manifest(*files):
    images = tuple(Image(str(number), "train", file) for number, file in enumerate(files))
    return Manifest("own", images, tuple(Caption(f"{one.id}#0", one.id, "a dog") for one in images))


def test_photographs_of_every_source_are_found_below_links_and_under_other_names(linked):
    root, far = linked
    (far / "Dog.JPG").touch()
    assert photograph_files(root, manifest("linked/dog.jpg")) == {"0": "linked/Dog.JPG"}
    with pytest.raises(InputError, match=r"photos/gone\.jpg: photograph of image '0' cannot be read: No such file"):
        photograph_files(root, manifest("gone.jpg"))
    with pytest.raises(InputError, match=r"photos/x/Dog2\.jpg: photograph not found; put the data set's images there"):
        photograph_files(root, manifest("x/Dog2.jpg"))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("one.heic", b"\0\0\0\x18ftypheic" + bytes(50), "HEIC / HEIF"),
        ("one.psd", b"8BPS\0\1" + bytes(50), r"Photoshop file \(PSD\); save it as JPEG or PNG"),
        ("one.svg", b"<?xml version='1.0'?><svg/>", "an SVG drawing"),
        ("one.jpg", b"%PDF-1.7", "a PDF document"),
        ("one.NEF", b"II*\0" + bytes(50), "a camera's raw picture"),
    ],
)
def test_a_format_that_is_not_read_is_called_by_its_name(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}: expected a photograph, got .*{expected}"):
        open_photograph(tmp_path / name)


def test_heic_is_read_where_its_reader_is_installed(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    picture = PIL.Image.new("RGB", (64, 48), (200, 10, 10))
    pillow_heif.from_pillow(picture).save(tmp_path / "one.heic")
    read = np.asarray(open_photograph(tmp_path / "one.heic"))
    assert read.shape == (48, 64, 3) and np.abs(read.astype(int) - (200, 10, 10)).max() < 12


@pytest.mark.parametrize("ending", ["png", "tiff", "jp2", "pgm"])
def test_16_bit_grey_of_every_format_is_scaled_to_8_bits(tmp_path, ending):
    values = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    if ending == "pgm":
        (tmp_path / "one.pgm").write_bytes(b"P5 64 64 65535\n" + values.astype(">u2").tobytes())
    else:
        options = {"irreversible": False} if ending == "jp2" else {}
        PIL.Image.fromarray(values).save(tmp_path / f"one.{ending}", **options)
    read = np.asarray(open_photograph(tmp_path / f"one.{ending}"))
    assert np.abs(read[..., 0].astype(int) - values // 257).max() <= 1 and (read[..., 0] == read[..., 2]).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV", "RGBA", "RGBa", "La", "RGBX"])
def test_every_mode_becomes_rgb(mode):
    from vldeformer.data.pictures import upright

    picture = PIL.Image.new(mode, (5, 4))
    assert upright(picture, "one").mode == "RGB" and upright(picture, "one").size == (5, 4)


def test_an_unreadable_folder_below_is_named(tmp_path):
    (tmp_path / "closed").mkdir()
    os.chmod(tmp_path / "closed", 0)
    try:
        if os.access(tmp_path / "closed", os.R_OK):
            pytest.skip("root reads every folder")
        assert [file.problem for file in files_below(tmp_path)] == ["a folder that cannot be listed: Permission denied"]
    finally:
        os.chmod(tmp_path / "closed", 0o755)
