"""Photographs on the page: large, like others, of one's own, with hostile names, in windows of any width."""

from urllib.parse import quote

import pytest
from search_page import (
    ENCODED,
    GONE,
    LARGE,
    LONG,
    RERANKED,
    RIGHT_TO_LEFT,
    SCRIPT,
    SHOWN,
    TILES,
    answer,
    asked_for,
    focused,
    ready,
    until,
)

OUTSIDE = """[...document.querySelectorAll('button, img, p, h2')].filter(one => one.checkVisibility()
    && !one.closest('.unseen') && one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML)"""
NAMELESS = """[...document.querySelectorAll('button, a, input:not([hidden])')].filter(one => !(one.ariaLabel
    || one.textContent.trim() || one.labels?.length || one.querySelector('img[alt]'))).map(one => one.outerHTML)"""
PICTURE_FILE = {"name": "mine.png", "mimeType": "image/png"}


def test_a_photograph_opens_turns_and_closes_where_one_was(opened, site):
    page = opened("?q=a+red+ring")
    ready(page)
    ids = page.evaluate(SHOWN)
    page.locator(TILES).nth(3).click()
    viewer = page.get_by_role("dialog")
    viewer.wait_for()
    assert asked_for(page)["photo"] == ids[3] and "4 of 24" in viewer.inner_text()
    until(page, LARGE)
    page.keyboard.press("ArrowRight")
    until(page, "id => document.querySelector('#viewed').title === id", ids[4])
    page.get_by_role("button", name="Previous photograph").click()
    page.get_by_role("button", name="Previous photograph").click()
    until(page, "id => document.querySelector('#viewed').title === id", ids[2])
    page.keyboard.press("Escape")
    until(page, "location.hash === ''")
    assert not viewer.is_visible() and focused(page) == ids[2]
    page.go_forward()
    viewer.wait_for()
    page.go_back()
    until(page, "!document.querySelector('#viewer').open")
    page.go_back()
    until(page, "location.href === 'about:blank'")


def test_the_first_and_last_photograph_end_the_turning(opened):
    page = opened("?q=a+red+ring")
    ready(page)
    page.locator(TILES).last.click()
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("ArrowRight")
    assert "24 of 24" in page.get_by_role("dialog").inner_text()
    assert page.locator("#viewer .next").get_attribute("aria-disabled") == "true"


def test_more_like_this_and_back(opened, site):
    page = opened("?q=a+red+ring")
    ready(page)
    first = page.evaluate(SHOWN)
    page.locator(TILES).nth(1).click()
    page.get_by_role("dialog").get_by_role("button", name="More like this").click()
    until(page, "location.search.startsWith('?similar=')")
    until(page, "id => document.querySelector('#photographs .tile').title !== id", first[0])
    expected = [hit["id"] for hit in answer(site, f"similar/{first[1]}?k=24")["hits"]]
    ready(page)
    assert page.evaluate(SHOWN) == expected and focused(page) == expected[0]
    assert asked_for(page) == {"similar": first[1]} and first[1] in page.locator("#like").inner_text()
    assert not page.get_by_role("dialog").is_visible() and page.locator("#box").input_value() == ""
    page.go_back()
    until(page, "ids => document.querySelector('#photographs .tile').title === ids", first[0])
    assert page.locator("#box").input_value() == "a red ring" and not page.locator("#like").is_visible()


def test_a_picture_is_chosen_dropped_or_pasted(opened, site):
    give = """([bytes, type]) => {
        const moved = new DataTransfer();
        moved.items.add(new File([new Uint8Array(bytes)], `${type}.png`, { type: "image/png" }));
        const how = { bubbles: true, cancelable: true, dataTransfer: moved, clipboardData: moved };
        if (type === "drop") document.body.dispatchEvent(new DragEvent("dragenter", how));
        const shown = !document.querySelector("#drop").hidden;
        document.body.dispatchEvent(type === "drop" ? new DragEvent("drop", how) : new ClipboardEvent("paste", how));
        return shown;
    }"""
    page = opened()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Search with a picture").click()
    chooser.value.set_files(PICTURE_FILE | {"buffer": site.picture})
    ready(page)
    chosen = page.evaluate(SHOWN)
    assert chosen[0] == "03.png" and "Like mine.png" in page.locator("#like").inner_text()
    until(page, "document.querySelector('#like img').naturalWidth === 160")
    assert not page.locator("#switch").is_visible()
    for way in ("drop", "paste"):
        page.locator("#home").click()
        until(page, "!document.querySelector('#photographs .tile')")
        assert page.evaluate(give, [list(site.picture), way]) == (way == "drop")
        ready(page)
        assert page.evaluate(SHOWN) == chosen and f"Like {way}.png" in page.locator("#like").inner_text()
        assert not page.locator("#drop").is_visible()
    page.reload()
    page.get_by_text("The picture is gone.").wait_for()


def test_hostile_names_and_queries_stay_text(opened, site):
    page = opened("?q=x", fails=["404"])
    ready(page)
    page.get_by_role("button", name="Show more").click()
    ready(page, 34)
    for name in (SCRIPT, RIGHT_TO_LEFT, LONG, ENCODED):
        place = page.evaluate(SHOWN).index(name)
        page.locator(TILES).nth(place).click()
        page.get_by_role("dialog").wait_for()
        until(page, LARGE)
        until(page, "[60, 70, 90, 160].includes(document.querySelector('#viewer img').naturalWidth)")
        heading = page.locator("#viewed").text_content()
        cut = heading.startswith("holidays/very") and heading.endswith("🐕.png") and len(heading) < 50
        assert cut if name == LONG else heading == name
        page.keyboard.press("Escape")
        until(page, "location.hash === ''")
    gone = page.locator(TILES).nth(page.evaluate(SHOWN).index(GONE))
    assert gone.inner_text().startswith(GONE)
    gone.click()
    page.get_by_text("This photograph cannot be shown.").wait_for()
    for name in (SCRIPT, RIGHT_TO_LEFT, LONG, ENCODED):
        page.goto(f"{site.url}?similar={quote(name)}")
        ready(page)
        assert page.locator("#like bdi").get_attribute("title") == name not in page.evaluate(SHOWN)
        until(page, "[60, 70, 90, 160].includes(document.querySelector('#like img').naturalWidth)")
    for query in (SCRIPT, RIGHT_TO_LEFT, "🐕 in 雪", "\0"):
        page.goto(f"{site.url}?q={quote(query)}")
        until(page, "document.querySelector('#photographs .tile') || document.querySelector('#trouble *')")
    assert page.locator("img[src='x']").count() == 0 and page.title() != "run"


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark"), (2560, "light")])
def test_it_fits_its_window_and_every_control_has_a_name(opened, tmp_path, width, scheme):
    page = opened("?q=a+red+ring&rerank=1", width=width, scheme=scheme, fails=["404"])
    until(page, RERANKED)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(part => part < 60)")
    assert dark == (scheme == "dark")
    for state in ("found", "viewer"):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        until(page, "document.getAnimations().length === 0")
        assert page.evaluate(OUTSIDE) == []
        page.screenshot(path=tmp_path / f"{state}.png")
        assert (tmp_path / f"{state}.png").stat().st_size > 10_000
        if state == "found":
            page.locator(TILES).first.click()
            page.get_by_role("dialog").wait_for()
    assert page.evaluate(NAMELESS) == []


def test_a_finger_turns_to_the_next_photograph(opened):
    page = opened("?q=a+red+ring", width=360, has_touch=True, is_mobile=True)
    ready(page)
    second = page.evaluate(SHOWN)[1]
    page.locator(TILES).first.tap()
    page.get_by_role("dialog").wait_for()
    page.evaluate("""() => {
        const frame = document.querySelector("#viewer .frame");
        const touch = (clientX) => [new Touch({ identifier: 1, target: frame, clientX, clientY: 300 })];
        frame.dispatchEvent(new TouchEvent("touchstart", { touches: touch(300), changedTouches: touch(300) }));
        frame.dispatchEvent(new TouchEvent("touchend", { touches: [], changedTouches: touch(100) }));
    }""")
    until(page, "id => document.querySelector('#viewed').title === id", second)


def test_nothing_moves_for_those_who_ask_for_that(opened):
    page = opened("?q=a+red+ring", reduced_motion="reduce")
    ready(page)
    page.get_by_role("switch", name="Re-rank").check()
    until(page, RERANKED)
    assert page.evaluate("document.getAnimations().length") == 0
