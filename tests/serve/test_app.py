"""The API: the answers of `SearchIndex` to the bit, and one line with the right status for whatever cannot be answered."""

import html.parser
import shutil

import pytest
from starlette.testclient import TestClient

from vldeformer.data.photographs import write_photographs
from vldeformer.errors import InputError
from vldeformer.search.index import SearchIndex
from vldeformer.search.joint_reranker import JointReranker
from vldeformer.search.writing import index_images
from vldeformer.serve.app import search_app

from .conftest import ODD_NAMES, encoded, make_photos, make_service, picture, problem

QUERIES = ["a red ring", "two blue stars left of a box", "🦊 & <b>ring</b>", "قطة على سجادة", "a\x00ring", "a star " * 200]


def shown(answer):
    return [(hit["id"], hit["score"]) for hit in answer["hits"]]


@pytest.mark.parametrize("text", QUERIES)
def test_a_text_has_the_answer_of_the_index_to_the_bit(client, folder, text):
    index = SearchIndex.open(folder)
    answer = client.get("/search", params={"q": text, "k": 7}).json()
    assert answer["query"] == text
    assert shown(answer) == [(hit.id, hit.score) for hit in index.search(text, 7)]
    assert [hit["rank"] for hit in answer["hits"]] == list(range(1, 8)) and {hit["joint"] for hit in answer["hits"]} == {None}
    assert answer["note"] == index.unread(text)
    times = answer["times_ms"]
    assert times["rerank"] is None and 0 < times["encode"] + times["search"] <= times["total"]


def test_the_same_text_again_has_the_same_bytes_and_is_not_searched_again(client, service, monkeypatch):
    first = client.get("/search", params={"q": "asked twice", "k": 3})
    monkeypatch.setattr(SearchIndex, "encode_text", None)
    assert client.get("/search", params={"q": "asked twice", "k": 3}).content == first.content
    assert len(service._remembered) <= 512


def test_what_is_remembered_is_bounded(folder, monkeypatch):
    monkeypatch.setattr("vldeformer.serve.service.REMEMBERED", 3)
    service = make_service(folder)
    with TestClient(search_app(service, ()), base_url="http://localhost") as client:
        for number in range(8):
            client.get("/search", params={"q": f"text {number}"})
        assert [key[1] for key in service._remembered] == ["text 5", "text 6", "text 7"]


def test_reranking_orders_the_best_and_leaves_the_others_behind_them(client, folder, joint_model):
    index = SearchIndex.open(folder)
    rerank = JointReranker(joint_model, index.images)
    answer = client.get("/search", params={"q": "a red ring", "k": 9, "rerank": 1}).json()
    first = rerank("a red ring", index.search("a red ring", 6))
    assert [(hit["id"], hit["joint"]) for hit in answer["hits"][:6]] == [(hit.id, hit.joint) for hit in first]
    rest = [(hit.id, hit.score) for hit in index.search("a red ring", 9)[6:]]
    assert shown(answer)[6:] == rest and {hit["joint"] for hit in answer["hits"][6:]} == {None}
    fewer = client.get("/search", params={"q": "a red ring", "k": 2, "rerank": 1}).json()
    assert shown(fewer) == shown(answer)[:2], "k changes nothing but the length"
    assert answer["times_ms"]["rerank"] > 0


def test_a_photograph_to_re_rank_that_has_gone_is_one_line(model, joint_model, tmp_path):
    make_photos(tmp_path / "photos")
    index_images(model, tmp_path / "photos", tmp_path / "index")
    with TestClient(search_app(make_service(tmp_path / "index", joint_model), ()), base_url="http://localhost") as client:
        shutil.rmtree(tmp_path / "photos")
        assert "a photograph cannot be read now" in problem(client.get("/search?q=ring&rerank=1"), 409)


def test_joint_on_every_image_is_the_time_of_a_pair_times_the_images(client, service):
    answer = client.get("/search", params={"q": "a red ring", "k": 1}).json()
    assert answer["joint_all_ms"] == pytest.approx(29 * 1e3 * service.joint.pair_seconds, abs=1e-3) and answer["joint_all_ms"] > 0


def test_without_a_joint_model_reranking_is_refused(folder):
    with TestClient(search_app(make_service(folder), ()), base_url="http://localhost") as client:
        assert "--joint MODEL" in problem(client.get("/search?q=ring&rerank=1"), 400)
        assert client.get("/info").json()["joint"] is False
        assert client.get("/search?q=ring").json()["joint_all_ms"] is None


def test_more_like_this_by_any_id(client, folder):
    index = SearchIndex.open(folder)
    for image_id in ("a/03.png", *(f"a/{name}" for name in ODD_NAMES)):
        found = client.get("/search", params={"q": "ring", "k": 200}).json()["hits"]
        place = next(hit for hit in found if hit["id"] == image_id)["image"].removeprefix("/image/")
        if "%2F" in image_id:
            continue  # this client decodes an address twice; test_server asks for it
        answer = client.get(f"/similar/{place}?k=4").json()
        assert answer["query"] == image_id
        assert shown(answer) == [(hit.id, hit.score) for hit in index.similar(image_id, 4)]
        assert client.get(f"/thumb/{place}").headers["content-type"] == "image/jpeg"


def test_a_photograph_that_is_sent_in_has_the_answer_of_the_index(client, folder):
    index, sent = SearchIndex.open(folder), picture(3)
    answer = client.post("/search/image?k=5", files={"file": ("<b>.png", encoded(sent))}).json()
    assert answer["query"] == "<b>.png" and answer["hits"][0]["id"] == "a/03.png"
    assert shown(answer) == [(hit.id, hit.score) for hit in index.search_image(sent, 5)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "q: is missing"),
        ({"q": ""}, "expected some words"),
        ({"q": " \n\t"}, "expected some words"),
        ({"q": "ring", "k": "0"}, "k: expected greater than or equal to 1"),
        ({"q": "ring", "k": "201"}, "k: expected less than or equal to 200"),
        ({"q": "ring", "k": "many"}, "k: expected a valid integer"),
        ({"q": "ring", "k": "9" * 5000}, "k: expected"),
        ({"q": "ring", "rerank": "maybe"}, "rerank: expected a valid boolean"),
        ({"q": "a" * 2001}, "q: "),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(client, query, expected):
    line = problem(client.get("/search", params=query), 400)
    assert line.startswith(expected) or expected in line
    assert len(line) < 300


def test_half_a_character_in_the_address_is_searched_as_what_cannot_be_read(client):
    answer = client.get("/search?q=%ED%A0%80%FFring").json()
    assert "\N{REPLACEMENT CHARACTER}ring" in answer["query"] and len(answer["hits"]) == 24


def test_addresses_that_are_not_there(client):
    assert "no such address" in problem(client.get("/nothing"), 404)
    assert "POST is not for this address" in problem(client.post("/search"), 405)
    assert client.post("/search").headers["allow"] == "GET"
    assert "not in the index" in problem(client.get("/similar/a/nothing.png"), 404)
    for name in ("docs.html", "..%2Fapp.py", "nothing.js"):
        problem(client.get(f"/static/{name}"), 404)


def test_what_fails_unforeseen_is_one_line_and_not_told_outside(folder, monkeypatch, caplog):
    service = make_service(folder)
    monkeypatch.setattr("vldeformer.serve.answers.by_text", lambda *given: 1 / 0)
    with TestClient(search_app(service, ()), base_url="http://localhost") as client:
        answer = client.get("/search?q=ring")
    assert "the server's log says what" in problem(answer, 500)
    assert answer.headers["x-content-type-options"] == "nosniff" and "division by zero" in caplog.text


@pytest.mark.parametrize("lost", ["store", "id"])
def test_a_store_that_has_lost_photographs_is_no_wrong_question(model, tmp_path, lost):
    make_photos(tmp_path / "photos")
    store, files = tmp_path / "store", {f"{number}": f"a/{number:02}.png" for number in range(9)}
    write_photographs(store, tmp_path / "photos", files)
    index_images(model, store, tmp_path / "index")
    service = make_service(tmp_path / "index")
    if lost == "store":
        shutil.rmtree(store)
    else:
        write_photographs(store, tmp_path / "photos", {"0": "a/00.png"})
    with TestClient(search_app(service, ()), base_url="http://localhost") as client:
        asked = [client.get("/search?q=ring"), client.get("/similar/0")]
        asked.append(client.post("/search/image", files={"file": ("a.png", encoded(picture(3)))}))
    assert {answer.status_code for answer in asked} <= {200, 503}
    assert all("/tmp" not in answer.text and str(tmp_path) not in answer.text for answer in asked)


def test_an_index_that_cannot_be_searched_is_not_told_with_its_path(folder, monkeypatch, caplog):
    def failing(*given):
        raise InputError(f"{folder}/shards/1: missing")

    with TestClient(search_app(make_service(folder), ()), base_url="http://localhost") as client:
        monkeypatch.setattr(SearchIndex, "search_vector", failing)
        monkeypatch.setattr(SearchIndex, "similar", failing)
        asked = [client.get("/search?q=ring"), client.get("/similar/a/03.png")]
        asked.append(client.post("/search/image", files={"file": ("a.png", encoded(picture(3)))}))
    assert all("the server's log says what" in problem(answer, 503) for answer in asked)
    assert caplog.text.count(f"{folder}/shards/1: missing") == 3


def test_info_and_health(client):
    info = client.get("/info").json()
    assert info == {
        "name": "index", "images": 29, "structure": "flat", "structure_meaning": "every vector is compared, exact",
        "model": info["model"], "width": 32, "joint": True, "max_k": 200, "rerank_candidates": 6, "max_upload_mb": 20,
        "examples": ["a red ring"],
    }  # fmt: skip
    assert info["model"].endswith("/model") and info["model"].count("/") == 1
    assert client.get("/health").json() == {"status": "ok", "images": 29}


class Addresses(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.found = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.found += [value for name, value in attrs if name in ("src", "href")]


def test_the_pages_load_nothing_from_elsewhere(client):
    for page in ("/", "/docs"):
        answer, reader = client.get(page), Addresses()
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        reader.feed(answer.text)
        assert all(place.startswith(("/", "#", "data:")) and not place.startswith("//") for place in reader.found)
        for place in reader.found:
            assert place.startswith(("#", "data:")) or client.get(place).status_code == 200, place
    assert "script" not in reader.tags, "/docs needs none"


def test_the_description_names_every_route_and_no_answer_that_is_never_given(client):
    schema = client.get("/openapi.json").json()
    by_id = {"/similar/{image_id}", "/image/{image_id}", "/thumb/{image_id}"}
    assert set(schema["paths"]) == by_id | {"/search", "/search/image", "/info", "/health", "/metrics"}
    assert "422" not in str(schema["paths"]) and "ValidationError" not in str(schema)
    answers = {path: set(next(iter(methods.values()))["responses"]) for path, methods in schema["paths"].items()}
    assert answers["/search"] == {"200", "400", "409", "503"}
    assert answers["/search/image"] == {"200", "400", "408", "413", "415", "503"}
    assert answers["/similar/{image_id}"] == {"200", "400", "404", "503"}
    assert "pq4" in schema["components"]["schemas"]["Info"]["properties"]["structure"]["description"]
    page = client.get("/docs").text
    assert all(path in page for path in schema["paths"]) and "curl -F file=@photo.jpg" in page


def test_a_step_that_is_not_taken_is_not_counted(folder):
    with TestClient(search_app(make_service(folder), ()), base_url="http://localhost") as client:
        assert client.get("/similar/a/03.png").json()["times_ms"]["encode"] is None
        text = client.get("/metrics").text
    assert 'vldeformer_step_seconds_count{step="search"} 1.0' in text
    assert 'step="encode"' not in text and 'step="rerank"' not in text


def test_metrics_count_by_route(client):
    for name in ("x", "y", "z"):
        client.get(f"/thumb/{name}")
    text = client.get("/metrics").text
    assert 'vldeformer_requests_total{method="GET",route="/thumb/{image_id:any}",status="404"} 3.0' in text
    assert "vldeformer_images 29.0" in text and "vldeformer_requests_in_flight 1.0" in text
    assert 'vldeformer_step_seconds_count{step="encode"}' in text and "/thumb/x" not in text
