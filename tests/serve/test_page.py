"""The search page in a real browser, before a real `vldeformer serve`: typing, clicking, keys, pictures, troubles, hostile names."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import PIL.Image
import pytest

import vldeformer
from vldeformer.search.writing import index_images

BROWSER = Path("/usr/bin/chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("fastapi", reason="pip install 'vldeformer[serve]'")
pytestmark = pytest.mark.skipif(not BROWSER.is_file(), reason=f"no {BROWSER}: apt-get install chromium")

SCRIPT = "<img src=x onerror=document.title='run'>.png"
RIGHT_TO_LEFT = "صور/\u202eكلب.png"
LONG = "holidays/" + "very-long-name-" * 10 + "🐕.png"
GONE = "gone.png"
SHAPES = [(90, 60), (60, 90), (70, 70), (160, 60)]
TILES = "#photographs .tile"
SHOWN = "[...document.querySelectorAll('#photographs .tile')].map(tile => tile.title)"
PICTURE_FILE = {"name": "mine.png", "mimeType": "image/png"}


def draw(path, seed):
    """Large coloured blocks, in one of four shapes."""
    blocks = np.random.default_rng(seed).integers(256, size=(3, 4, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(blocks).resize(SHAPES[seed % 4], PIL.Image.Resampling.BILINEAR).save(path)


@pytest.fixture(scope="module")
def site(tmp_path_factory, model_folder):
    """A server of 34 pictures, four with names that are hard to show, one of those gone; ``names``, ``url`` and ``picture``."""
    folder = tmp_path_factory.mktemp("site")
    names = [f"{number:02}.png" for number in range(30)] + [SCRIPT, RIGHT_TO_LEFT, LONG, GONE]
    for seed, name in enumerate(names):
        draw(folder / "photos" / name, seed)
    index_images(model_folder("squares"), folder / "photos", folder / "pictures")
    (folder / "photos" / GONE).unlink()
    draw(folder / "mine.png", 3)
    joint = model_folder("squares", reading="joint")
    command = [sys.executable, "-m", "vldeformer.cli", "serve", folder / "pictures", "--port", "0", "--joint", joint]
    command += ["--rerank", "10", "--example", "a red ring", "--example", "a blue star"]
    path = os.pathsep.join([str(Path(vldeformer.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        said = process.stdout.readline()
        url = re.search(r"http://\S+/", said)
        assert url, f"the server said {said!r}"
        yield SimpleNamespace(names=names, url=url[0], picture=(folder / "mine.png").read_bytes())
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(BROWSER), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, site):
    """Opens the page; afterwards no request may have left the server, and the console holds only the failures told in ``failing``."""
    contexts, asked, told, failing = [], [], [], []

    def open_page(address="", width=1280, scheme="light", before=lambda page: None, fails=(), **options):
        context = chromium.new_context(viewport={"width": width, "height": 860}, color_scheme=scheme, **options)
        contexts.append(context)
        failing.extend(fails)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(f"error: {error}"))
        before(page)
        page.goto(site.url + address)
        until(page, "document.querySelector('#home').textContent !== 'Photographs'")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in told if not any(known in text for known in failing)] == []
    assert [url for url in asked if not url.startswith((site.url, f"blob:{site.url}"))] == []


def until(page, expression, given=None):
    """Waits for a condition in the page; Playwright's own waiting evaluates in the page, which its policy forbids."""
    end = time.monotonic() + 20
    while not page.evaluate(expression, given):
        assert time.monotonic() < end, f"not so after 20 s: {expression}"
        page.wait_for_timeout(20)


def say(page, text):
    """Types a query and waits for its photographs."""
    page.get_by_role("searchbox").fill(text)
    ready(page)


def ready(page, number=24):
    until(page, "n => document.querySelectorAll('#photographs .tile').length === n", number)
    until(page, "document.querySelector('#photographs').ariaBusy !== 'true'")


def asked_for(page):
    """Query of the address, and what stands behind #."""
    address = urlsplit(page.url)
    return {name: values[0] for name, values in (parse_qs(address.query) | parse_qs(address.fragment)).items()}


def answer(page, site, path):
    """What the server itself says."""
    return page.request.get(site.url + path).json()


def knowing(site, **changes):
    """Lets the server say something else of itself."""

    def before(page):
        known = answer(page, site, "info") | changes
        page.route("**/info", lambda route: route.fulfill(json=known))

    return before


def refusing(pattern, status, line="no", headers=None, times=100):
    """Lets the first requests to such addresses fail."""

    def before(page):
        body = json.dumps({"error": line})
        page.route(pattern, lambda route: route.fulfill(status=status, body=body, headers=headers or {}), times=times)

    return before


def focused(page):
    return page.evaluate("document.activeElement.title || document.activeElement.id")


def test_photographs_appear_while_one_types_in_their_own_shapes(opened, site):
    page = opened()
    assert page.locator("#holds").inner_text().startswith("34 photographs.")
    say(page, "a red ring")
    expected = answer(page, site, "search?q=a+red+ring&k=24")
    assert page.evaluate(SHOWN) == [hit["id"] for hit in expected["hits"]]
    lines = page.locator(f"{TILES} .line").all_inner_texts()
    assert all(f"{hit['score']:.3f}" in line for hit, line in zip(expected["hits"], lines, strict=True))
    assert re.match(r"24 photographs in [\d.]+ ms", page.get_by_role("status").inner_text())
    assert asked_for(page) == {"q": "a red ring"} and page.title() == "a red ring · pictures"
    sizes = "[...document.querySelectorAll('#photographs img')].map(i => [i.naturalWidth / i.naturalHeight, i.clientWidth / i.clientHeight])"
    assert len(page.evaluate(sizes)) >= 23
    for natural, drawn in page.evaluate(sizes):
        assert drawn == pytest.approx(natural, rel=0.03)


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
    assert before == [hit["id"] for hit in answer(page, site, "search?q=a+blue+star&k=24")["hits"]]


def test_a_photograph_opens_turns_and_closes_where_one_was(opened, site):
    page = opened("?q=a+red+ring")
    ready(page)
    ids = page.evaluate(SHOWN)
    page.locator(TILES).nth(3).click()
    viewer = page.get_by_role("dialog")
    viewer.wait_for()
    assert asked_for(page)["photo"] == ids[3] and "4 of 24" in viewer.inner_text()
    until(page, "document.querySelector('#viewer img').src.includes('/image/')")
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
    expected = [hit["id"] for hit in answer(page, site, f"similar/{first[1]}?k=24")["hits"]]
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
    assert page.evaluate("document.querySelector('#like img').naturalWidth") == 160
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


def test_files_that_are_no_pictures_are_refused_in_words(opened, site):
    page = opened(before=knowing(site, max_upload_mb=1), fails=["415"])
    page.locator("#file").set_input_files({"name": "list.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
    page.get_by_role("alert").get_by_text("list.pdf is not a picture.").wait_for()
    page.locator("#file").set_input_files({"name": "page.jpg", "mimeType": "image/jpeg", "buffer": b"<script>alert(1)</script>"})
    page.get_by_role("alert").get_by_text("This file is not a picture that can be read.").wait_for()
    page.locator("#file").set_input_files(PICTURE_FILE | {"buffer": bytes(2 << 20)})
    page.get_by_role("alert").get_by_text("A picture may have 1 MB.").wait_for()
    say(page, "a red ring")
    assert page.get_by_role("alert").inner_text() == ""


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
    tops = page.evaluate("[...document.querySelectorAll('#photographs li')].map(one => [one.offsetTop, one.offsetLeft, one.offsetWidth])")
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
    until(page, "!document.querySelector('#viewer').open")
    page.keyboard.press("s")
    until(page, "location.search.startsWith('?similar=')")
    assert asked_for(page) == {"similar": ids[0]}
    assert page.evaluate("document.querySelectorAll('#photographs .tile[tabindex=\"0\"]').length") == 1


def test_reranking_shows_what_moved_and_what_it_took(opened, site):
    page = opened("?q=a+red+ring")
    ready(page)
    page.get_by_role("switch", name="Re-rank").check()
    until(page, "document.querySelector('#times').textContent.includes('re-ranked')")
    plain = [hit["id"] for hit in answer(page, site, "search?q=a+red+ring&k=24")["hits"]]
    ranked = answer(page, site, "search?q=a+red+ring&k=24&rerank=1")["hits"]
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
    page = opened(f"?q=a+red+ring&rerank=1#photo={site.names[5]}")
    until(page, "document.querySelector('#times').textContent.includes('re-ranked')")
    assert page.get_by_role("switch", name="Re-rank", include_hidden=True).is_checked()
    if site.names[5] in page.evaluate(SHOWN):
        until(page, "id => document.querySelector('#viewed').title === id", site.names[5])


def test_show_more_goes_on_to_the_last_photograph(opened, site):
    page = opened("?q=a+red+ring", fails=["404"])
    ready(page)
    first = page.evaluate(SHOWN)
    page.get_by_role("button", name="Show more").click()
    ready(page, 34)
    shown = page.evaluate(SHOWN)
    assert shown[:24] == first and sorted(shown) == sorted(site.names)
    assert not page.get_by_role("button", name="Show more").is_visible() and focused(page) == shown[24]


def test_hostile_names_and_queries_stay_text(opened, site):
    page = opened("?q=x", fails=["404"])
    ready(page)
    page.get_by_role("button", name="Show more").click()
    ready(page, 34)
    for name in (SCRIPT, RIGHT_TO_LEFT, LONG):
        place = page.evaluate(SHOWN).index(name)
        page.locator(TILES).nth(place).click()
        page.get_by_role("dialog").wait_for()
        until(page, "document.querySelector('#viewer img').src.includes('/image/')")
        assert page.evaluate("document.querySelector('#viewer img').naturalWidth") in (60, 70, 90, 160)
        heading = page.locator("#viewed").text_content()
        assert heading == name if name != LONG else heading.startswith("holidays/very") and heading.endswith("🐕.png") and len(heading) < 50
        page.keyboard.press("Escape")
        until(page, "location.hash === ''")
    gone = page.locator(TILES).nth(page.evaluate(SHOWN).index(GONE))
    assert gone.inner_text().startswith(GONE)
    for query in (SCRIPT, RIGHT_TO_LEFT, "🐕 in 雪", "\0"):
        page.goto(f"{site.url}?{'&'.join(['q=' + re.sub('.', lambda one: ''.join(f'%{byte:02x}' for byte in one[0].encode()), query)])}")
        until(page, "document.querySelector('#photographs .tile') || document.querySelector('#trouble *')")
    assert page.locator("img[src='x']").count() == 0 and page.title() != "run"


def test_a_query_of_too_many_words_is_refused_in_words(opened):
    page = opened("?q=" + "words+" * 500, fails=["400"])
    alert = page.get_by_role("alert")
    alert.get_by_text("The server cannot read this question.").wait_for()
    assert "2000" in alert.inner_text().replace(",", "") and not alert.get_by_role("button").count()


@pytest.mark.parametrize(
    ("status", "said"),
    [(429, "Too many searches are waiting."), (503, "Too many searches are waiting."), (500, "The server failed (500).")],
)
def test_troubles_of_the_server_in_words(opened, status, said):
    page = opened("?q=x", before=refusing("**/search?*", status, "as said <b>here</b>", times=1), fails=[str(status)])
    alert = page.get_by_role("alert")
    alert.get_by_text(said).wait_for()
    assert "as said <b>here</b>" in alert.inner_text() and page.locator(TILES).count() == 0
    alert.get_by_role("button", name="Try again").click()
    ready(page)
    assert alert.inner_text() == ""


def test_a_busy_server_is_asked_again_when_it_says(opened):
    page = opened("?q=x", before=refusing("**/search?*", 503, headers={"Retry-After": "1"}, times=1), fails=["503"])
    page.get_by_text("Trying again in 1 s.").wait_for()
    ready(page)


def test_a_picture_that_the_server_finds_too_large(opened, site):
    page = opened(before=refusing("**/search/image*", 413, "expected at most 20 MB"), fails=["413"])
    page.locator("#file").set_input_files(PICTURE_FILE | {"buffer": site.picture})
    page.get_by_role("alert").get_by_text("The picture is too large.").wait_for()


def test_a_server_that_has_gone_and_comes_back(opened):
    page = opened("?q=a+red+ring", fails=["ERR_CONNECTION_REFUSED"])
    ready(page)
    page.route("**/search?*", lambda route: route.abort("connectionrefused"), times=1)
    page.get_by_role("searchbox").fill("a blue star")
    page.get_by_role("alert").get_by_text("The server does not answer.").wait_for()
    page.get_by_role("searchbox").press("Enter")
    ready(page)


def test_without_a_connection_it_says_so_and_goes_on_later(opened):
    page = opened(fails=["ERR_INTERNET_DISCONNECTED"])
    page.context.set_offline(True)
    page.get_by_role("searchbox").fill("a blue star")
    page.get_by_role("alert").get_by_text("You are offline.").wait_for()
    page.context.set_offline(False)
    ready(page)


def test_photographs_stay_when_only_reranking_fails(opened):
    page = opened("?q=a+red+ring", before=refusing("**/search?*rerank=1", 409, "rerank: gone"), fails=["409"])
    ready(page)
    page.get_by_role("switch", name="Re-rank").check()
    page.get_by_role("alert").get_by_text("These photographs cannot be re-ranked.").wait_for()
    assert page.locator(TILES).count() == 24


@pytest.mark.parametrize(("images", "joint"), [(0, True), (34, False)])
def test_an_empty_index_and_one_without_a_joint_model(opened, site, images, joint):
    page = opened(before=knowing(site, images=images, joint=joint))
    assert page.locator("#switch").is_visible() == joint
    assert page.get_by_role("searchbox").is_disabled() == (images == 0)
    assert page.get_by_text("This index holds no photographs yet.").is_visible() == (images == 0)


def test_examples_are_offered(opened):
    page = opened()
    page.get_by_role("button", name="a blue star").click()
    ready(page)
    assert page.locator("#box").input_value() == "a blue star"


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark"), (2560, "light")])
def test_it_fits_its_window_and_every_control_has_a_name(opened, tmp_path, width, scheme):
    page = opened("?q=a+red+ring&rerank=1", width=width, scheme=scheme, fails=["404"])
    until(page, "document.querySelector('#times').textContent.includes('re-ranked')")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(part => part < 60)")
    assert dark == (scheme == "dark")
    for state in ("found", "viewer"):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        outside = "[...document.querySelectorAll('button, img, p, h2')].filter(one => one.checkVisibility() && !one.closest('.unseen')"
        assert page.evaluate(f"{outside} && one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML)") == []
        page.screenshot(path=tmp_path / f"{state}.png")
        assert (tmp_path / f"{state}.png").stat().st_size > 10_000
        if state == "found":
            page.locator(TILES).first.click()
            page.get_by_role("dialog").wait_for()
    names = "[...document.querySelectorAll('button, a, input:not([hidden])')].filter(one => !(one.ariaLabel || one.textContent.trim() || one.labels?.length || one.querySelector('img[alt]')))"
    assert page.evaluate(f"{names}.map(one => one.outerHTML)") == []
