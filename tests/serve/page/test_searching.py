"""Searching on the page: by typing, by keys, by its address, re-ranked."""

import re
from urllib.parse import quote

import pytest
from search_page import NAMES, RERANKED, SHOWN, TILES, answer, asked_for, focused, ids_of, ready, say, stopped, until

SIZES = """[...document.querySelectorAll('#photographs img')].map(
    one => [one.naturalWidth / one.naturalHeight, one.clientWidth / one.clientHeight])"""
PLACES = """[...document.querySelectorAll('#photographs li')].map(
    one => [one.offsetTop, one.offsetLeft, one.offsetWidth])"""


def test_photographs_appear_while_one_types_in_their_own_shapes(opened, site):
    page = opened(before=stopped)
    assert page.locator("#holds").inner_text().startswith("34 photographs.")
    page.get_by_role("searchbox").fill("a red ring")
    page.clock.run_for(199)
    assert asked_for(page) == {}
    page.clock.run_for(1)
    ready(page)
    expected = answer(site, "search?q=a+red+ring&k=24")
    assert page.evaluate(SHOWN) == [hit["id"] for hit in expected["hits"]]
    lines = page.locator(f"{TILES} .line").all_inner_texts()
    assert all(f"{hit['score']:.3f}" in line for hit, line in zip(expected["hits"], lines, strict=True))
    assert re.match(r"24 photographs in [\d.]+ ms", page.get_by_role("status").inner_text())
    assert asked_for(page) == {"q": "a red ring"} and page.title() == "a red ring · pictures"
    assert len(page.evaluate(SIZES)) >= 23
    for natural, drawn in page.evaluate(SIZES):
        assert drawn == pytest.approx(natural, rel=0.03)


def test_a_thumb_that_does_not_come_keeps_a_place_and_holds_up_no_other(opened):
    held = []

    def before(page):
        stopped(page)
        page.route("**/thumb/03.png", lambda route: held.append(route))

    page = opened("?similar=02.png", before=before, fails=["404"])
    while len(held) < 1:
        page.wait_for_timeout(20)
    page.wait_for_timeout(500)
    assert page.locator(TILES).count() == 0
    page.clock.run_for(400)
    ready(page)
    before_it_comes = page.evaluate(PLACES)
    held[0].continue_()
    until(page, "document.querySelector('#photographs .tile[title=\"03.png\"] img').naturalWidth === 160")
    assert page.evaluate(PLACES) == before_it_comes


def test_letters_typed_in_one_go_are_one_step_back(opened):
    page = opened()
    page.get_by_role("searchbox").press_sequentially("a red ring", delay=60)
    ready(page)
    until(page, "location.search === '?q=a+red+ring'")
    page.go_back()
    until(page, "location.search === ''")
    assert page.locator("#welcome").is_visible() and page.locator(TILES).count() == 0


def test_an_answer_that_comes_late_does_not_replace_a_newer_one(opened, site):
    held = []
    page = opened(before=lambda page: page.route("**/search?q=slow*", lambda route: held.append(route)))
    page.get_by_role("searchbox").fill("slow")
    page.get_by_role("searchbox").press("Enter")
    until(page, "location.search === '?q=slow'")
    say(page, "a blue star")
    before = page.evaluate(SHOWN)
    for route in held:
        route.abort()  # the page has given up on it already
    page.wait_for_timeout(300)
    assert len(held) == 1 and page.evaluate(SHOWN) == before
    assert before == ids_of(answer(site, "search?q=a+blue+star&k=24"))


def test_everything_works_by_keys_alone(opened):
    page = opened()
    page.locator("#home").focus()
    page.keyboard.press("/")
    assert focused(page) == "box"
    page.keyboard.type("a red ring")
    page.keyboard.press("Enter")
    ready(page)
    ids = page.evaluate(SHOWN)
    page.keyboard.press("ArrowDown")
    assert focused(page) == ids[0]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    tops = page.evaluate(PLACES)
    second = sorted({top for top, _, _ in tops})[1]
    middle = tops[2][1] + tops[2][2] / 2
    below = min((i for i, one in enumerate(tops) if one[0] == second), key=lambda i: abs(tops[i][1] + tops[i][2] / 2 - middle))
    assert focused(page) == ids[below]
    page.keyboard.press("End")
    assert focused(page) == ids[-1]
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    assert focused(page) == "box"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('#viewer').open && document.activeElement.closest('#photographs .tile')")
    page.keyboard.press("s")
    until(page, "location.search.startsWith('?similar=')")
    assert asked_for(page) == {"similar": ids[0]}
    assert page.evaluate("document.querySelectorAll('#photographs .tile[tabindex=\"0\"]').length") == 1


def test_reranking_shows_what_moved_and_what_it_took(opened, site):
    page = opened("?q=a+red+ring")
    ready(page)
    page.get_by_role("switch", name="Re-rank").check()
    until(page, RERANKED)
    plain = ids_of(answer(site, "search?q=a+red+ring&k=24"))
    ranked = answer(site, "search?q=a+red+ring&k=24&rerank=1")["hits"]
    assert page.evaluate(SHOWN) == [hit["id"] for hit in ranked] != plain
    expected = []
    for place, hit in enumerate(ranked):
        steps = plain.index(hit["id"]) - place
        expected.append(f"▲{steps}" if steps > 0 else f"▼{-steps}" if steps < 0 else "")
    assert any(expected[:10]) and not any(expected[10:])
    signs = "[...document.querySelectorAll('#photographs .tile')].map(tile => tile.querySelector('.moved')?.textContent ?? '')"
    assert page.evaluate(signs) == expected
    times = page.locator("#times").inner_text()
    assert re.search(r"decomposed [\d.]+ ms\s+re-ranked [\d.]+ m?s\s+joint on every image ≈ [\d.]+ m?s\s*[\d.,]+× as long", times)
    assert "10 re-ranked" in page.get_by_role("status").inner_text() and asked_for(page) == {"q": "a red ring", "rerank": "1"}
    page.locator(TILES).first.click()
    assert f"joint score {ranked[0]['joint']:.2f}" in page.get_by_role("dialog").inner_text()
    page.keyboard.press("Escape")
    page.get_by_role("switch", name="Re-rank").uncheck()
    until(page, "id => document.querySelector('#photographs .tile').title === id", plain[0])
    until(page, "!document.querySelector('.moved')")
    assert page.evaluate(SHOWN) == plain


def test_an_address_shows_what_it_says(opened, site):
    third = ids_of(answer(site, "search?q=a+red+ring&k=24&rerank=1"))[2]
    page = opened(f"?q=a+red+ring&rerank=1#photo={quote(third)}")
    until(page, RERANKED)
    until(page, "id => document.querySelector('#viewed').title === id", third)
    assert "3 of 24" in page.get_by_role("dialog").inner_text()
    assert page.get_by_role("switch", name="Re-rank", include_hidden=True).is_checked()
    page.keyboard.press("Escape")
    until(page, "location.hash === ''")
    assert page.evaluate(SHOWN)[2] == third


def test_show_more_goes_on_to_the_last_photograph(opened, site):
    page = opened("?q=a+red+ring", fails=["404"])
    ready(page)
    first = page.evaluate(SHOWN)
    page.get_by_role("button", name="Show more").click()
    ready(page, 34)
    shown = page.evaluate(SHOWN)
    assert shown[:24] == first and sorted(shown) == sorted(NAMES)
    assert not page.get_by_role("button", name="Show more").is_visible() and focused(page) == shown[24]


def test_examples_are_offered(opened):
    page = opened()
    page.get_by_role("button", name="a blue star").click()
    ready(page)
    assert page.locator("#box").input_value() == "a blue star"
