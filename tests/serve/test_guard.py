"""Whatever is asked: the headers that keep a page in its place, and no answer under a name that is not the server's."""

import pytest
from starlette.testclient import TestClient

from vldeformer.serve.app import search_app
from vldeformer.serve.guard import allowed_hosts

from .conftest import make_service, problem


@pytest.mark.parametrize("path", ["/", "/docs", "/search?q=ring", "/search", "/nothing", "/metrics", "/thumb/a/01.png"])
def test_every_answer_has_the_headers(client, path):
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; img-src 'self' blob:; script-src 'self';")
    assert "unsafe" not in headers["content-security-policy"] and "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin" and "access-control-allow-origin" not in headers


def status(client, host):
    return client.get("/health", headers={"host": host}).status_code


def test_a_server_of_this_machine_is_asked_by_its_own_names(client):
    for host in ("localhost", "localhost:8000", "LOCALHOST:1", "127.0.0.1:8000", "[::1]:8000", "[::1]"):
        assert status(client, host) == 200, host
    for host in ("evil.example", "evil.example:8000", "localhost.evil.example", "10.0.0.1", "", "[::2]:80", "127.0.0.1:80:80"):
        assert status(client, host) == 421, host
    refused = client.get("/health", headers={"host": "evil.example"})
    assert "evil.example" in problem(refused, 421) and refused.headers["x-content-type-options"] == "nosniff"


def test_a_server_bound_to_one_address_has_that_name_too():
    assert allowed_hosts("Photos.example") == ("localhost", "127.0.0.1", "::1", "photos.example")


def test_a_server_of_all_addresses_is_asked_by_an_address_and_by_no_name(folder):
    assert allowed_hosts("0.0.0.0") == allowed_hosts("::") == ()
    with TestClient(search_app(make_service(folder), ()), base_url="http://localhost") as client:
        assert {status(client, host) for host in ("10.0.0.7:8000", "[fe80::1]:80", "localhost:8000")} == {200}
        assert status(client, "evil.example") == 421


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", ["/search?q=ring", "/thumb/a/01.png", "/similar/a/01.png", "/metrics", "/static/page.js"])
def test_a_page_of_another_site_gets_nothing_that_costs_work(client, path, site):
    assert "another site" in problem(client.get(path, headers={"sec-fetch-site": site}), 403)
    assert "another site" in problem(client.get(path, headers={"origin": "http://evil.example"}), 403)
    assert "another site" in problem(client.get(path, headers={"origin": "null"}), 403)
    for own in ({"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {"origin": "http://localhost:8000"}):
        assert client.get(path, headers=own).status_code in (200, 404)


def test_the_page_itself_may_be_led_to_from_elsewhere(client):
    assert client.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 200


def test_two_hosts_are_refused(client):
    twice = [("host", "localhost"), ("host", "evil.example")]
    assert "one Host" in problem(client.get("/search?q=ring", headers=twice), 400)
