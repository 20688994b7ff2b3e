"""Photographs that go out: JPEGs made here, of images of the index and of nothing else."""

import io
import shutil

import numpy as np
import PIL.Image
import pytest
from starlette.testclient import TestClient

from vldeformer.data.pixels import PixelStore
from vldeformer.search.writing import index_images
from vldeformer.serve import shown_pictures
from vldeformer.serve.app import search_app

from .conftest import make_service, picture, problem


def opened(answer):
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
    return PIL.Image.open(io.BytesIO(answer.content))


@pytest.fixture
def place(model, tmp_path):
    """One large photograph on its side, with a place in its EXIF data."""
    (tmp_path / "photos").mkdir()
    exif = PIL.Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "taken at home"
    picture(1, (2_000, 1_000)).save(tmp_path / "photos" / "large.jpg", exif=exif)
    (tmp_path / "photos" / "page.jpg").write_bytes(b"<script>alert(1)</script>")
    index_images(model, tmp_path / "photos", tmp_path / "index")
    return tmp_path


@pytest.fixture
def client(place):
    with TestClient(search_app(make_service(place / "index"), ()), base_url="http://localhost") as client:
        yield client


def test_photographs_are_made_anew_upright_and_small(client):
    for kind, size in (("image", (800, 1_600)), ("thumb", (160, 320))):
        with opened(client.get(f"/{kind}/large.jpg")) as image:
            assert image.format == "JPEG" and image.size == size and not image.getexif()
            whole = picture(1, (2_000, 1_000)).rotate(-90, expand=True).resize(size)
            off = np.abs(np.asarray(image, dtype=int) - np.asarray(whole, dtype=int))
            assert off.mean() < 3


def test_a_small_picture_is_not_enlarged(client, place, model):
    picture(2, (70, 50)).save(place / "photos" / "small.png")
    index_images(model, place / "photos", place / "index")
    with TestClient(search_app(make_service(place / "index"), ()), base_url="http://localhost") as client:
        assert opened(client.get("/thumb/small.png")).size == (70, 50)


def test_what_the_browser_has_is_not_sent_again_until_the_file_changes(client, place):
    first = client.get("/thumb/large.jpg")
    tag = first.headers["etag"]
    again = client.get("/thumb/large.jpg", headers={"if-none-match": tag})
    assert again.status_code == 304 and not again.content and again.headers["etag"] == tag
    assert "max-age" in first.headers["cache-control"] and "private" in first.headers["cache-control"]
    picture(3, (2_000, 1_000)).save(place / "photos" / "large.jpg")
    changed = client.get("/thumb/large.jpg", headers={"if-none-match": tag})
    assert changed.status_code == 200 and changed.content != first.content


@pytest.mark.parametrize(
    "path",
    [
        "../secret.png",
        "..%2Fsecret.png",
        "%2e%2e%2fsecret.png",
        "%252e%252e%252fsecret.png",
        "..%5csecret.png",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "a/../../secret.png",
        "large.jpg/../page.jpg",
        "large.jpg%00",
        "page.jpg",
        "",
    ],
)
def test_only_images_of_the_index_are_shown(client, place, path):
    picture(9).save(place / "secret.png")
    for kind in ("image", "thumb", "similar"):
        answer = client.get(f"/{kind}/{path}")
        assert answer.status_code == 404 and "image/jpeg" not in answer.headers["content-type"]
        problem(answer, 404)


def test_a_link_that_leaves_the_folder_after_it_was_indexed_is_not_followed_to_what_is_no_photograph(client, place):
    (place / "photos" / "large.jpg").unlink()
    (place / "photos" / "large.jpg").symlink_to("/etc/passwd")
    assert "cannot be read now" in problem(client.get("/image/large.jpg"), 404)


def test_a_photograph_that_is_gone_or_damaged_is_one_line(client, place):
    file = place / "photos" / "large.jpg"
    file.write_bytes(file.read_bytes()[:500])
    assert "cannot be read now" in problem(client.get("/image/large.jpg"), 404)
    shutil.rmtree(place / "photos")
    assert "cannot be read now" in problem(client.get("/thumb/large.jpg"), 404)
    assert client.get("/search?q=ring").status_code == 200, "searching needs no photograph"


def test_pixels_are_drawn_and_regions_are_not(tiny, model, model_folder, tmp_path):
    index_images(model, tiny.pixels, tmp_path / "pixels")
    index_images(model_folder("oscar"), tiny.regions, tmp_path / "regions")
    store = PixelStore(tiny.pixels)
    with TestClient(search_app(make_service(tmp_path / "pixels"), ()), base_url="http://localhost") as client:
        shown = np.asarray(opened(client.get(f"/image/{store.ids[0]}")), dtype=int)
        assert np.abs(shown - store[store.ids[0]]).mean() < 10
    with TestClient(search_app(make_service(tmp_path / "regions"), ()), base_url="http://localhost") as client:
        assert "kept as regions" in problem(client.get(f"/image/{store.ids[0]}"), 404)
        files = {"file": ("a.png", encoded_picture())}
        assert "carries no detector" in problem(client.post("/search/image", files=files), 400)


def encoded_picture():
    file = io.BytesIO()
    picture(1).save(file, "PNG")
    return file.getvalue()


def test_memory_for_pictures_is_bounded(folder, monkeypatch):
    service = make_service(folder)
    index, shown = service.live.now.index, service.pictures
    ids = [name for names, _ in index.parts() for name in names]
    one = len(shown.jpeg(index, ids[0], "1", 320))
    monkeypatch.setattr(shown_pictures, "KEPT_BYTES", 4 * one)
    for name in ids:
        shown.jpeg(index, name, "1", 320)
    assert 0 < sum(map(len, shown._kept.values())) == shown._bytes <= 4 * one
    assert (ids[-1], "1", 320) in shown._kept and (ids[0], "1", 320) not in shown._kept
    service.close()
