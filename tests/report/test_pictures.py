"""Sheets of pictures, composed images as pictures, and marked words."""

import io

import numpy as np
import PIL.Image
import pytest

from vldeformer.data.records import Regions
from vldeformer.report.pictures import marked_changes, pasted, picture_sheet

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (90, 90, 90)


def plain(colour, size=20):
    return np.full((size, size, 3), colour, dtype=np.uint8)


def regions(*boxes, tags):
    return Regions(np.zeros((len(boxes), 1), np.float32), np.array(boxes, np.float32).reshape(-1, 4), tags)


def test_a_notebook_shows_a_sheet_with_every_picture_title_box_and_tag():
    boxes = regions((0.5, 0, 1, 0.5), (0, 0, 0.25, 0.25), tags=("red ring", "star"))
    sheet = picture_sheet(
        [plain(RED)] * 3, ["one", "two words " * 8, ""], [boxes, boxes, regions(tags=())], columns=2, heading="All"
    )
    first, second, third, empty = sheet.axes
    assert sheet.get_suptitle() == "All"
    assert [text.get_text() for text in first.texts] == ["one", "red ring", "star"]
    assert "\n" in second.texts[0].get_text()
    x, y = first.lines[0].get_data()
    assert (min(x), max(x), min(y), max(y)) == (9.5, 19.5, -0.5, 9.5), "the edges of the pixels in the box"
    assert not third.lines and third.images and not empty.images
    image = PIL.Image.open(io.BytesIO(sheet._repr_png_()))
    assert image.size == tuple((sheet.get_size_inches() * sheet.dpi).astype(int))
    assert {RED, (255, 255, 255)} <= {colour for _, colour in image.convert("RGB").getcolors(1 << 20)}


def test_titles_lie_below_their_pictures_and_within_the_sheet():
    sheet = picture_sheet([plain(RED)] * 5, ["a long caption of many words, " * 5] * 5, columns=3, heading="Heading")
    sheet.draw_without_rendering()
    bounds = [text.get_window_extent() for panel in sheet.axes for text in panel.texts]
    assert min(bound.y0 for bound in bounds) >= 0 and sheet.bbox.y1 >= max(bound.y1 for bound in bounds)
    upper, lower = sheet.axes[0], sheet.axes[3]
    assert upper.texts[0].get_window_extent().y0 > lower.get_window_extent().y1, "no title lies on the picture below"


def test_a_sheet_needs_a_title_for_each_picture_and_a_picture():
    with pytest.raises(ValueError):
        picture_sheet([plain(RED)], ["one", "two"])
    with pytest.raises(ValueError):
        picture_sheet([plain(RED)], ["one"], [])
    with pytest.raises(ValueError, match="at least one picture"):
        picture_sheet([], [])


def test_regions_are_cut_out_and_put_where_they_were():
    own = plain(GREY)
    own[:4, :4] = RED
    canvas = pasted(own, [(own, np.array([[0, 0, 0.2, 0.2]])), (plain(BLUE), np.array([[0.5, 0.25, 1.01, 0.5]]))])
    expected = plain(GREY)
    expected[:4, :4] = RED
    expected[5:10, 10:20] = BLUE
    assert np.array_equal(canvas, expected) and canvas.dtype == np.uint8


@pytest.mark.parametrize(
    ("before", "after", "marked"),
    [
        ("a red box", "a blue box", "a <del>red</del> <ins>blue</ins> box"),
        ("an orange box", "a blue box", "<del>an orange</del> <ins>a blue</ins> box"),
        ("a box", "a big box", "a <ins>big</ins> box"),
        ("a <b> & c", "a <b>", "a &lt;b&gt; <del>&amp; c</del>"),
        ("same", "same", "same"),
    ],
)
def test_words_that_go_and_come_are_marked(before, after, marked):
    assert marked_changes(before, after) == marked
