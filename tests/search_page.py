"""The search page in a browser, and what tests ask of it."""

import json
import time
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

SCRIPT = "<img src=x onerror=document.title='run'>.png"
RIGHT_TO_LEFT = "صور/\u202eكلب.png"
LONG = "holidays/" + "very-long-name-" * 10 + "🐕.png"
ENCODED = "a%2Fb?q=1&c#d+e.png"
GONE = "gone.png"
NAMES = [f"{number:02}.png" for number in range(29)] + [SCRIPT, RIGHT_TO_LEFT, LONG, ENCODED, GONE]
SHAPES = [(90, 60), (60, 90), (70, 70), (160, 60)]
"""Of the pictures in turn."""

TILES = "#photographs .tile"
SHOWN = "[...document.querySelectorAll('#photographs .tile')].map(tile => tile.title)"
RERANKED = "document.querySelector('#times').textContent.includes('re-ranked')"
LARGE = "document.querySelector('#viewer img').src.includes('/image/')"


def until(page, expression, given=None):
    """Waits for a condition in the page; Playwright's own waiting evaluates in the page, which its policy forbids."""
    end = time.monotonic() + 30
    while not page.evaluate(expression, given):
        assert time.monotonic() < end, f"not so after 30 s: {expression}"
        page.wait_for_timeout(20)


def say(page, text):
    """Types a query and waits for its photographs."""
    page.get_by_role("searchbox").fill(text)
    until(page, "text => new URLSearchParams(location.search).get('q') === text", text)
    ready(page)


def ready(page, number=24):
    until(page, "n => document.querySelectorAll('#photographs .tile').length === n", number)
    until(page, "document.querySelector('#photographs').ariaBusy !== 'true'")


def asked_for(page):
    """Query of the address, and what stands behind #."""
    address = urlsplit(page.url)
    return {name: values[0] for name, values in (parse_qs(address.query) | parse_qs(address.fragment)).items()}


def answer(site, path):
    """What the server itself says."""
    with urlopen(site.url + path) as said:
        return json.load(said)


def ids_of(said):
    return [hit["id"] for hit in said["hits"]]


def knowing(site, **changes):
    """Lets the server say something else of itself."""

    def before(page):
        known = answer(site, "info") | changes
        page.route("**/info", lambda route: route.fulfill(json=known))

    return before


def stopped(page):
    """Stops the page's clock: its timers run only by ``page.clock.run_for``."""
    page.clock.install(time="2026-01-01T00:00:00Z")
    page.clock.pause_at("2026-01-01T01:00:00Z")


def refusing(pattern, status, line="no", headers=None, times=100):
    """Lets the first requests to such addresses fail."""

    def before(page):
        body = json.dumps({"error": line})
        page.route(pattern, lambda route: route.fulfill(status=status, body=body, headers=headers or {}), times=times)

    return before


def focused(page):
    return page.evaluate("document.activeElement.title || document.activeElement.id")
