"""A folder of photographs: what is listed and read, what is skipped with its reason, what is walked once."""

import errno
import os
import struct
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from vldeformer.data import photograph_files
from vldeformer.search.index import SearchIndex
from vldeformer.search.writing import index_images

from .conftest import ids_of, picture


def test_what_cannot_be_read_is_skipped_and_listed_with_its_reason(model, tmp_path):
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    picture(1, (300, 200)).save(folder / "whole.jpg")
    (folder / "cut.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:1500])
    (folder / "empty.jpg").touch()
    (folder / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "notes.txt").write_text("no photograph")
    (folder / ".hidden.jpg").write_bytes((folder / "whole.jpg").read_bytes())
    PIL.Image.fromarray(np.full((9, 9), 40_000, np.uint16)).save(folder / "sixteen.png")
    picture(2).convert("CMYK").save(folder / "cmyk.jpg")
    picture(3).save(folder / "moving.gif", save_all=True, append_images=[picture(4)])
    picture(5, (20_000, 1)).save(folder / "line.png")
    turned = PIL.Image.Exif()
    turned[0x0112] = 6
    picture(6).save(folder / "turned.png", exif=turned)
    picture(7).save(folder / "deep" / "снег 🐕 كلب.png")
    (folder / "deep" / "loop").symlink_to(folder)
    (folder / "circle.jpg").symlink_to(folder / "circle.jpg")
    (folder / "nowhere.jpg").symlink_to(folder / "none.jpg")
    os.mkfifo(folder / "pipe.jpg")
    (folder / os.fsdecode(b"bad\xff.png")).write_bytes((folder / "whole.jpg").read_bytes())
    report = index_images(model, folder, tmp_path / "index")
    good = ["cmyk.jpg", "deep/снег 🐕 كلب.png", "line.png", "moving.gif", "sixteen.png", "turned.png", "whole.jpg"]
    assert ids_of(tmp_path / "index") == good
    skipped = {one.id: one.problem for one in report.skipped}
    assert set(skipped) == {
        "cut.jpg", "empty.jpg", "drawing.svg", "notes.txt", "circle.jpg", "nowhere.jpg", "pipe.jpg", "'bad\\udcff.png'",
    }  # fmt: skip
    assert (
        "truncated" in skipped["cut.jpg"] and "No such file" in skipped["nowhere.jpg"] and "UTF-8" in skipped["'bad\\udcff.png'"]
    )
    assert not any(str(folder) in problem for problem in skipped.values())
    index = SearchIndex.open(tmp_path / "index")
    upright = index.search_image(picture(6).transpose(PIL.Image.Transpose.ROTATE_270), 1)[0]
    assert upright.id == "turned.png" and upright.score == pytest.approx(1, abs=1e-5)
    again = index_images(model, folder, tmp_path / "index")
    assert (again.added, again.images, again.skipped) == (0, 7, report.skipped), "what was skipped is not tried again"


@pytest.mark.parametrize(
    "error", [RuntimeError("boxes"), NotImplementedError("pixel format"), IndexError("1"), struct.error("2")]
)
def test_whatever_a_decoder_stumbles_over_only_its_file_is_skipped(model, photos, tmp_path, monkeypatch, error):
    opened = PIL.Image.open

    def stumbling(path, **options):
        if Path(path).name == "01.png":
            raise error
        return opened(path, **options)

    monkeypatch.setattr("PIL.Image.open", stumbling)
    report = index_images(model, photos, tmp_path / "index")
    assert report.images == 13 and [one.id for one in report.skipped] == ["a/01.png"]


def test_a_format_that_pillow_reads_by_another_program_is_not_handed_to_it(model, photos, tmp_path):
    picture(1).save(photos / "drawing.eps")
    report = index_images(model, photos, tmp_path / "index")
    assert report.images == 14 and [one.id for one in report.skipped] == ["drawing.eps"]


def test_a_folder_that_may_not_be_entered_is_skipped(model, photos, tmp_path, monkeypatch):
    asked = Path.is_dir

    def is_dir(path):
        if path.name == "b":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return asked(path)

    monkeypatch.setattr(Path, "is_dir", is_dir)
    report = index_images(model, photos, tmp_path / "index")
    assert report.images == 7 and [one.id for one in report.skipped] == ["b"]


def test_prune_keeps_what_lies_below_a_folder_that_cannot_be_listed(model, photos, tmp_path, monkeypatch):
    out, entries = tmp_path / "index", photograph_files._entries
    index_images(model, photos, out)

    def closed(folder):
        if folder.name == "a":
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return entries(folder)

    (photos / "b" / "00.png").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(photograph_files, "_entries", closed)
        report = index_images(model, photos, out, prune=True)
    assert (report.removed, report.images) == (1, 13)
    assert [one.id for one in report.skipped] == ["a"] and "cannot be listed" in report.skipped[0].problem


def test_linked_folders_are_walked_once(model, tmp_path):
    folder, other = tmp_path / "photos", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    picture(1).save(other / "far.png")
    (folder / "one").symlink_to(other)
    (folder / "two").symlink_to(other)
    (other / "back").symlink_to(folder)
    index_images(model, folder, tmp_path / "index")
    assert ids_of(tmp_path / "index") == ["one/far.png"]


def test_an_index_inside_the_folder_does_not_index_itself(model, photos):
    index_images(model, photos, photos / "index")
    assert index_images(model, photos, photos / "index").skipped == ()
