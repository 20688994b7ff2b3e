"""The page in a real browser: nothing leaves it, nothing is wrong in it, and it fits a phone."""

import itertools
from pathlib import Path

import pytest

BROWSER = Path("/usr/bin/chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(not BROWSER.is_file(), reason=f"no {BROWSER}: apt-get install chromium")
OUTSIDE = """[...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1
    && !one.closest('.scroll, pre, .hidden, .skip')).map(one => one.outerHTML.slice(0, 80))"""
PAPER = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture
def address(page_file):
    return page_file.as_uri()


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(BROWSER), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, address):
    """Opens the page in a window; afterwards no request may have left it and nothing may stand in its console."""
    contexts, asked, told = [], [], []

    def open_page(width=1200, scheme="light"):
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert told == [] and [url for url in asked if not url.startswith("data:")] == [address] * len(contexts)


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (1200, "dark"), (360, "light")])
def test_figures_and_pictures_are_drawn_and_nothing_sticks_out(opened, tmp_path, width, scheme):
    page = opened(width, scheme)
    sizes = page.evaluate("[...document.querySelectorAll('.panels > svg')].map(one => [one.clientWidth, one.clientHeight])")
    assert len(sizes) == 5 and all(min(size) > 100 for size in sizes)
    assert page.evaluate("[...document.images].every(one => one.naturalWidth > 0 && one.clientWidth > 20)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width and page.evaluate(OUTSIDE) == []
    assert page.title() == "VLDeformer on w: what decomposing costs and gains"
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert (tmp_path / "page.png").stat().st_size > 20_000


def test_the_page_follows_the_system_and_the_switch(opened):
    light, dark = opened(scheme="light"), opened(scheme="dark")
    papers = light.evaluate(PAPER), dark.evaluate(PAPER)
    assert papers[0] != papers[1]
    button = dark.get_by_role("button", name="Theme: system")
    button.focus()
    dark.keyboard.press("Enter")
    assert dark.evaluate(PAPER) == papers[0]
    dark.get_by_role("button", name="Theme: light").click()
    assert dark.evaluate(PAPER) == papers[1]


def test_a_number_unfolds_its_source(opened):
    page = opened()
    link = page.locator("td a").first
    target = link.get_attribute("href")
    assert not page.locator(target).is_visible()
    link.click()
    page.wait_for_function(f"document.querySelector('{target}').closest('details').open")
    assert page.locator(target).is_visible() and "subset.json" in page.locator(target).inner_text()


def test_a_screen_reader_finds_names(opened):
    page = opened()
    assert page.evaluate("[...document.images].every(one => one.alt)")
    assert page.evaluate(
        "[...document.querySelectorAll('.panels > svg')].every(one => one.getAttribute('aria-label').length > 10)"
    )
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(one => Number(one.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1 and all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert page.evaluate("[...document.querySelectorAll('.scroll')].every(one => one.tabIndex === 0 && one.ariaLabel)")


def test_it_prints_in_black_on_white_without_what_is_for_the_screen(opened):
    page = opened(scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(PAPER) == "rgb(255, 255, 255)"
    assert not page.locator("#theme").is_visible() and not page.locator("nav").is_visible()
