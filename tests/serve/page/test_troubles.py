"""What the page says when something is wrong, and how it goes on."""

import pytest
from search_page import TILES, knowing, ready, refusing, say

PICTURE_FILE = {"name": "mine.png", "mimeType": "image/png"}


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


def test_a_query_of_too_many_words_is_refused_in_words(opened):
    page = opened("?q=" + "words+" * 500, fails=["400"])
    alert = page.get_by_role("alert")
    alert.get_by_text("The server cannot read this question.").wait_for()
    assert "2000" in alert.inner_text().replace(",", "") and not alert.get_by_role("button").count()


@pytest.mark.parametrize(
    ("status", "said"),
    [(429, "Too many searches are waiting."), (503, "The server cannot answer now."), (500, "The server failed (500).")],
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
