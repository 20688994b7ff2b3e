"""Making an index: what is read, what is skipped, going on after a kill, adding, replacing, removing, refusing."""

import errno
import fcntl
import os
import shutil
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import vldeformer
from vldeformer.content_digest import digest
from vldeformer.search import writing
from vldeformer.search.index import SearchIndex
from vldeformer.search.layout import read_contents
from vldeformer.search.writing import index_images, remove_images

from .conftest import ids_of, picture, refusal


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(writing, "SHARD_IMAGES", 4)


def vectors_of(index):
    return {name: vector for ids, vectors in SearchIndex.open(index).parts() for name, vector in zip(ids, vectors, strict=True)}


def test_every_photograph_is_in_with_the_vector_that_the_encoder_gives(model, photos, tmp_path):
    report = index_images(model, photos, tmp_path / "index")
    names = sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.png"))
    assert (report.images, report.added, report.skipped, report.structure) == (14, 14, (), "flat")
    assert ids_of(tmp_path / "index") == names and {"a/same.png", "b/same.png"} <= set(names)
    encoder = vldeformer.load(model)
    expected = encoder.encode_images([PIL.Image.open(photos / name) for name in names])
    found = vectors_of(tmp_path / "index")
    np.testing.assert_allclose(np.stack([found[name] for name in names]), expected, atol=1e-5)


def test_a_file_that_becomes_unreadable_is_taken_out_and_one_that_goes_is_no_longer_reported(model, photos, tmp_path):
    out = tmp_path / "index"
    (photos / "bad.jpg").write_bytes(b"no photograph")
    index_images(model, photos, out)
    (photos / "a" / "01.png").write_bytes(b"no photograph any more")
    report = index_images(model, photos, out)
    assert (report.added, report.replaced, report.removed, report.images) == (0, 0, 1, 13)
    assert [one.id for one in report.skipped] == ["a/01.png", "bad.jpg"]
    (photos / "bad.jpg").unlink()
    assert [one.id for one in index_images(model, photos, out).skipped] == ["a/01.png"]
    picture(1).save(photos / "a" / "01.png")
    report = index_images(model, photos, out)
    assert (report.added, report.replaced, report.removed, report.images, report.skipped) == (1, 0, 0, 14, ())


def test_what_the_system_does_not_hand_over_stays_and_is_tried_again(model, photos, tmp_path, monkeypatch):
    out, opened = tmp_path / "index", PIL.Image.open
    index_images(model, photos, out)

    def refused(path, **options):
        if Path(path).name in ("01.png", "new.png"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, **options)

    picture(200).save(photos / "a" / "01.png")
    picture(201).save(photos / "new.png")
    shutil.move(photos / "b" / "00.png", tmp_path / "elsewhere.png")
    (photos / "b" / "00.png").symlink_to(tmp_path / "not mounted" / "00.png")
    with monkeypatch.context() as patch:
        patch.setattr("PIL.Image.open", refused)
        for prune in (False, True):
            report = index_images(model, photos, out, prune=prune)
            assert (report.added, report.replaced, report.removed, report.gone, report.images) == (0, 0, 0, 0, 14)
            problems = {one.id: one.problem for one in report.skipped}
            assert list(problems) == ["a/01.png", "b/00.png", "new.png"]
            assert "Permission denied" in problems["new.png"] and "No such file" in problems["b/00.png"]
    report = index_images(model, photos, out)
    assert (report.added, report.replaced, report.images) == (1, 1, 15)


def test_a_model_of_regions_without_a_detector_refuses_photographs_at_once(model_folder, photos, tmp_path):
    assert "carries no detector" in refusal(index_images, model_folder("oscar"), photos, tmp_path / "index")
    assert not (tmp_path / "index").exists()
    report = index_images(model_folder("oscar", extractor=True), photos, tmp_path / "index")
    assert report.images == 14


def test_a_path_that_is_not_utf8_is_refused_in_one_line(model, photos, tmp_path):
    odd = tmp_path / os.fsdecode(b"bad\xff")
    shutil.copytree(photos, odd)
    assert "expected a path in UTF-8" in refusal(index_images, model, odd, tmp_path / "index")
    assert "expected a path in UTF-8" in refusal(index_images, model, photos, odd / "index")
    assert not (tmp_path / "index").exists()


def test_a_file_of_a_desktop_among_the_shards_is_left_alone(model, photos, tmp_path):
    out = tmp_path / "index"
    index_images(model, photos, out)
    (out / "shards" / ".DS_Store").touch()
    picture(300).save(photos / "new.png")
    assert index_images(model, photos, out).added == 1 and (out / "shards" / ".DS_Store").is_file()


def test_paths_may_be_texts_and_ids_are_a_list(model, photos, tmp_path):
    assert index_images(str(model), str(photos), str(tmp_path / "index")).images == 14
    assert refusal(remove_images, tmp_path / "index", "a/01.png") == "ids: expected a list of ids, got one str; give ['a/01.png']"
    assert remove_images(str(tmp_path / "index"), ["a/01.png"]) == 13


class Killed(BaseException):
    """What no code catches."""


def killed_after(monkeypatch, shards, *given):
    """Index, and end after a shard is written that is not committed yet."""
    write, names = writing.write_shard, []

    def dying(folder, name, *rest):
        entry = write(folder, name, *rest)
        names.append(name)
        if len(names) > shards:
            raise Killed
        return entry

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(writing, "write_shard", dying)
        index_images(*given)


def test_a_killed_run_goes_on_to_the_same_bytes(model, photos, tmp_path, monkeypatch):
    (photos / "a" / "00 cut.jpg").write_bytes(b"\xff\xd8\xff")
    index_images(model, photos, tmp_path / "whole" / "index")
    out = tmp_path / "killed" / "index"
    killed_after(monkeypatch, 2, model, photos, out)
    assert len(list((out / "shards").iterdir())) == 3
    assert len(SearchIndex.open(out)) == 7, "what was committed can be searched"
    report = index_images(model, photos, out)
    assert (report.images, report.added) == (14, 7)
    assert digest(out) == digest(tmp_path / "whole" / "index")


def test_new_photographs_are_added_changed_ones_replaced_and_the_rest_is_not_read_again(model, photos, tmp_path, monkeypatch):
    out, read = tmp_path / "index", []
    index_images(model, photos, out)
    old = SearchIndex.open(out)
    before = (out / "shards" / "000000" / "vectors.npy").stat().st_mtime_ns
    picture(200).save(photos / "new.png")
    picture(201, (90, 50)).save(photos / "a" / "01.png")
    opened = writing.open_images(photos)
    monkeypatch.setattr(type(opened), "__getitem__", lambda self, name: (read.append(name), PIL.Image.open(photos / name))[1])
    report = index_images(model, photos, out)
    assert (report.added, report.replaced, report.images) == (1, 1, 15)
    assert sorted(read) == ["a/01.png", "new.png"]
    assert (out / "shards" / "000000" / "vectors.npy").stat().st_mtime_ns == before
    index = SearchIndex.open(out)
    assert index.search_image(picture(201, (90, 50)), 1)[0].id == "a/01.png"
    assert [hit.id for hit in index.search("a ring", 99)].count("a/01.png") == 1
    assert len(old) == 14 and old.search_image(picture(1), 1)[0].id == "a/01.png", "an open index keeps what it saw"


def test_images_are_removed_and_gone_ones_only_when_asked(model, photos, tmp_path):
    out = tmp_path / "index"
    index_images(model, photos, out)
    assert remove_images(out, ["a/01.png", "b/same.png"]) == 12
    assert not {"a/01.png", "b/same.png"} & set(ids_of(out))
    assert not {"a/01.png", "b/same.png"} & {hit.id for hit in SearchIndex.open(out).search("ring", 99)}
    assert "'none' is not in the index" in refusal(remove_images, out, ["a/03.png", "none"])
    assert "a/03.png" in ids_of(out)
    (photos / "b" / "00.png").unlink()
    kept = index_images(model, photos, out)
    assert (kept.gone, kept.added) == (1, 2) and "b/00.png" in ids_of(out), "what was removed by hand and is there comes back"
    pruned = index_images(model, photos, out, prune=True)
    assert (pruned.removed, pruned.added, pruned.replaced, pruned.gone) == (1, 0, 0, 0) and "b/00.png" not in ids_of(out)


def test_a_store_is_indexed_by_its_ids(model_folder, tiny, region_store, tmp_path):
    model = model_folder("oscar")
    report = index_images(model, tiny.regions, tmp_path / "index")
    index = SearchIndex.open(tmp_path / "index")
    assert report.images == len(region_store.ids) == len(index)
    name = region_store.ids[3]
    hit = index.search_image(region_store[name], 1)[0]
    assert (hit.id, hit.path) == (name, None)
    assert "carries no detector" in refusal(index_images, model, tiny.pixels, tmp_path / "pixels")
    assert not (tmp_path / "pixels").exists()


@pytest.mark.slow
def test_pixels_go_through_the_detector_that_the_model_carries(model_folder, tiny, region_store, tmp_path):
    model = model_folder("oscar", extractor=True)
    index_images(model, tiny.pixels, tmp_path / "pixels")
    index_images(model, tiny.regions, tmp_path / "regions")
    pixels, regions = vectors_of(tmp_path / "pixels"), vectors_of(tmp_path / "regions")
    assert pixels.keys() >= regions.keys()
    for name, vector in regions.items():
        np.testing.assert_allclose(pixels[name], vector, atol=2e-3)  # the store keeps float16


def test_wrong_targets_and_sources_are_refused_and_nothing_is_written(model, model_folder, photos, tmp_path):
    out, other = tmp_path / "index", tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("mine")
    (tmp_path / "nothing").mkdir()
    assert "it holds other things" in refusal(index_images, model, photos, other)
    assert "found none" in refusal(index_images, model, tmp_path / "nothing", out)
    assert "found none" in refusal(index_images, model, tmp_path / "missing", out)
    assert "expected" in refusal(index_images, tmp_path / "nothing", photos, out)
    assert not out.exists()
    index_images(model, photos, out)
    assert "another model" in refusal(index_images, model_folder("squares", "mean_all"), photos, out)
    shutil.copytree(photos, tmp_path / "copy")
    assert f"index of {photos}" in refusal(index_images, model, tmp_path / "copy", out)


def test_a_second_writer_is_told_to_wait(model, photos, tmp_path):
    out = tmp_path / "index"
    index_images(model, photos, out)
    with (out / ".lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "another command is writing" in refusal(index_images, model, photos, out)
        assert "another command is writing" in refusal(remove_images, out, ["a/01.png"])
    assert remove_images(out, ["a/01.png"]) == 13


def test_a_structure_covers_what_was_there_and_is_built_anew_when_much_is_new(model, photos, tmp_path):
    out = tmp_path / "index"
    for number in range(16):
        picture(300 + number).save(photos / f"{number}.png")
    assert index_images(model, photos, out, structure="hnsw").built
    first = read_contents(out).structure
    assert (first.kind, first.rows) == ("hnsw", 30)
    picture(400).save(photos / "late.png")
    assert not index_images(model, photos, out).built and read_contents(out).structure == first
    index = SearchIndex.open(out)
    assert index.structure == "hnsw" and index.search_image(picture(400), 1)[0].id == "late.png"
    exact = {name: float(vector @ index.encode_text("a red ring")) for name, vector in vectors_of(out).items()}
    assert [hit.id for hit in index.search("a red ring", 31)] == sorted(exact, key=lambda name: -exact[name])
    for number in range(8):
        picture(500 + number).save(photos / f"more{number}.png")
    assert index_images(model, photos, out).built and read_contents(out).structure.rows == 39
    assert [path.name for path in out.glob("*.faiss")] == ["hnsw-39.faiss"]
    assert index_images(model, photos, out, structure="auto").structure == "flat" and not list(out.glob("*.faiss"))
