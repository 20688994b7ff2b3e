"""An index that changes while it is served."""

import shutil

import pytest
from starlette.testclient import TestClient

from vldeformer.search.index import SearchIndex
from vldeformer.search.writing import index_images, remove_images
from vldeformer.serve.app import search_app

from .conftest import make_photos, make_service, picture


@pytest.fixture
def place(model, tmp_path):
    make_photos(tmp_path / "photos")
    index_images(model, tmp_path / "photos", tmp_path / "index")
    return tmp_path


def ids(client):
    return {hit["id"] for hit in client.get("/search?q=ring&k=200").json()["hits"]}


def test_what_was_added_and_removed_is_found_and_not_found(place, model):
    service = make_service(place / "index")
    with TestClient(search_app(service, ()), base_url="http://localhost") as client:
        before, encoder = ids(client), service.live.now.index.encoder
        assert not service.live.refresh()
        picture(77).save(place / "photos" / "new.png")
        index_images(model, place / "photos", place / "index")
        remove_images(place / "index", ["a/03.png"])
        assert ids(client) == before, "what was opened stays as it is"
        assert service.live.refresh() and not service.live.refresh()
        assert ids(client) == before - {"a/03.png"} | {"new.png"}
        assert client.get("/image/a/03.png").status_code == 404 and client.get("/image/new.png").status_code == 200
        assert client.get("/health").json()["images"] == client.get("/info").json()["images"] == 29
        assert service.live.now.index.encoder is encoder, "the model is not loaded again"


def test_the_running_server_looks_by_itself(place, model, monkeypatch):
    monkeypatch.setattr("vldeformer.serve.app.LOOK_SECONDS", 0.01)
    with TestClient(search_app(make_service(place / "index"), ()), base_url="http://localhost") as client:
        remove_images(place / "index", ["a/03.png"])
        assert any(client.get("/health").json()["images"] == 28 for _ in range(20_000))


def failing(times, real=SearchIndex.reopened):
    """``reopened``, for which there are too many open files the first ``times`` times."""
    left = [OSError(24, "Too many open files")] * times

    def reopened(self):
        if left:
            raise left.pop()
        return real(self)

    return reopened


def test_what_the_system_refuses_for_a_while_is_tried_again_and_told_once(place, monkeypatch, caplog):
    service = make_service(place / "index")
    remove_images(place / "index", ["a/03.png"])
    monkeypatch.setattr(SearchIndex, "reopened", failing(3))
    assert [service.live.refresh() for _ in range(5)] == [False, False, False, True, False]
    assert len(service.live.now.index) == 28 and caplog.text.count("Too many open files") == 1
    service.close()


def test_the_running_server_goes_on_looking_after_that(place, monkeypatch):
    monkeypatch.setattr("vldeformer.serve.app.LOOK_SECONDS", 0.01)
    monkeypatch.setattr(SearchIndex, "reopened", failing(1))
    with TestClient(search_app(make_service(place / "index"), ()), base_url="http://localhost") as client:
        remove_images(place / "index", ["a/03.png"])
        assert any(client.get("/health").json()["images"] == 28 for _ in range(2_000))


@pytest.mark.parametrize("damage", ["broken", "gone", "other model"])
def test_an_index_that_cannot_be_opened_is_not_taken(place, model_folder, damage, caplog):
    service = make_service(place / "index")
    with TestClient(search_app(service, ()), base_url="http://localhost") as client:
        before = ids(client)
        if damage == "broken":
            (place / "index" / "contents.json").write_text('{"shards": [{"name": "nowhere", "rows": 3}]}')
        else:
            shutil.rmtree(place / "index")
        if damage == "other model":
            index_images(model_folder("squares", "mean_all"), place / "photos", place / "index")
        assert not service.live.refresh() and not service.live.refresh()
        assert ids(client) == before and client.get("/search?q=something else").status_code == 200
        assert caplog.text.count("not taken") == (0 if damage == "gone" else 1)
