"""Archives from somebody else: unpacked whole, or refused with archive and file named and nothing left."""

import struct
import zipfile

import numpy as np
import pytest

from vldeformer.datasets.archives import unpack
from vldeformer.errors import InputError

NOISE = np.random.default_rng(0).bytes(20_000)


def write(path, *members, compression=zipfile.ZIP_DEFLATED):
    """(name or ZipInfo, content) → an archive."""
    with zipfile.ZipFile(path, "w", compression) as bundle:
        for name, content in members:
            bundle.writestr(name, content)
    return path


def link(name, target):
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info, target


def refusal(archive, member="pictures/"):
    before = sorted(archive.parent.iterdir())
    with pytest.raises(InputError) as caught:
        unpack(archive, member, archive.parent / "out" / "images")
    assert "\n" not in str(caught.value) and str(caught.value).startswith(str(archive))
    assert not (archive.parent / "out" / "images").exists()
    assert [path for path in sorted(archive.parent.iterdir()) if path.name != "out"] == before
    return str(caught.value)


def test_a_folder_is_taken_and_what_is_beside_it_or_hidden_is_not(tmp_path):
    archive = write(
        tmp_path / "a.zip", ("pictures/", b""), ("pictures/a.jpg", NOISE), ("pictures/more/b.jpg", b"b"),
        ("pictures/.DS_Store", b"x"), ("__MACOSX/pictures/._a.jpg", b"x"), ("readme.txt", b"x"),
    )  # fmt: skip
    unpack(archive, "pictures/", tmp_path / "data" / "images")
    found = {str(p.relative_to(tmp_path / "data")): p.read_bytes() for p in (tmp_path / "data").rglob("*") if p.is_file()}
    assert found == {"images/a.jpg": NOISE, "images/more/b.jpg": b"b"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "data"]


def test_one_file_is_taken(tmp_path):
    archive = write(tmp_path / "a.zip", ("dataset_coco.json", b"{}"), ("dataset_flickr8k.json", b"[]"))
    unpack(archive, "dataset_flickr8k.json", tmp_path / "x" / "captions.json")
    assert (tmp_path / "x" / "captions.json").read_bytes() == b"[]"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "captions.json", "x"]


@pytest.mark.parametrize("name", ["../evil", "pictures/../../evil", "/etc/evil", "pictures\\..\\evil", "C:/evil"])
def test_a_path_that_leaves_the_folder(tmp_path, name):
    info = zipfile.ZipInfo("x")
    info.filename = name  # ZipInfo would tidy it
    archive = write(tmp_path / "a.zip", ("pictures/a.jpg", b"a"), (info, b"evil"))
    assert f"file {name!r} points outside its folder" in refusal(archive)


def test_a_link(tmp_path):
    archive = write(tmp_path / "a.zip", ("pictures/a.jpg", b"a"), link("pictures/b.jpg", "/etc/passwd"))
    assert "file 'pictures/b.jpg' is a link" in refusal(archive)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_comes_twice(tmp_path):
    archive = write(tmp_path / "a.zip", ("pictures/a.jpg", b"a"), ("pictures/a.jpg", b"b"))
    assert "file 'pictures/a.jpg' comes twice" in refusal(archive)


def test_an_archive_that_grows_too_much(tmp_path):
    archive = write(tmp_path / "a.zip", ("pictures/a.jpg", bytes(10_000_000)))
    most = 20 * archive.stat().st_size
    assert f"would unpack to 10,000,000 bytes, more than {most:,}" in refusal(archive)


def test_an_archive_that_lies_about_what_it_grows_to(tmp_path):
    archive = write(tmp_path / "a.zip", ("pictures/a.jpg", bytes(10_000_000)))
    content = archive.read_bytes()
    assert content.count(struct.pack("<L", 10_000_000)) == 2, "in the file's header and in the directory"
    archive.write_bytes(content.replace(struct.pack("<L", 10_000_000), struct.pack("<L", 5000)))
    assert "it is damaged (Bad CRC-32 for file 'pictures/a.jpg')" in refusal(archive)


@pytest.mark.parametrize("cut", [-1, -30, 10_000, 0])
def test_an_archive_that_is_cut_short(tmp_path, cut):
    archive = write(tmp_path / "a.zip", ("pictures/a.jpg", NOISE), ("pictures/b.jpg", NOISE))
    archive.write_bytes(archive.read_bytes()[:cut])
    assert "expected a whole ZIP file, it is damaged" in refusal(archive)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_byte_that_changed(tmp_path, compression):
    archive = write(tmp_path / "a.zip", ("pictures/a.jpg", NOISE), compression=compression)
    content = bytearray(archive.read_bytes())
    content[10_000] ^= 1
    archive.write_bytes(content)
    assert "delete it, fetch again" in refusal(archive)


def test_what_a_killed_run_left_is_replaced(tmp_path):
    archive = write(tmp_path / "a.zip", ("pictures/a.jpg", b"a"))
    (tmp_path / "a.zip.unpacked").mkdir()
    (tmp_path / "a.zip.unpacked" / "half.jpg").write_bytes(b"ha")
    unpack(archive, "pictures/", tmp_path / "images")
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["a.jpg"]
    assert not (tmp_path / "a.zip.unpacked").exists()


@pytest.mark.parametrize("member", ["images/", "captions.json", "pictures"])
def test_another_archive(tmp_path, member):
    archive = write(tmp_path / "a.zip", ("pictures/a.jpg", b"a"))
    assert f"expected {member} in it, found none" in refusal(archive, member)
