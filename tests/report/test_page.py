import html.parser
import re
from collections import Counter

import pytest
from page_world import make_world

from vldeformer.cli import main
from vldeformer.evaluation.over_seeds import SeedEstimate
from vldeformer.evaluation.run_report import RunReport
from vldeformer.report.figures import charts_of
from vldeformer.report.page import LONG_CAPTION, beginning

LOADED = {"src", "href", "xlink:href", "srcset", "poster", "data", "action"}


class Markup(html.parser.HTMLParser):
    """Tags, ids, links and loaded things of a page, and the cells of its rows by the row's first words."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.loaded, self.rows, self.row, self.hung = Counter(), Counter(), [], [], None, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        named = dict(attributes)
        self.ids[named.get("id")] += 1
        self.hung += [name for name in named if name.startswith("on")]
        self.loaded += [value for name, value in attributes if name in LOADED]
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td") and self.rows:
            self.rows[-1].append(["", None])
        if tag == "a" and self.rows and self.rows[-1]:
            self.rows[-1][-1][1] = named

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1][0] += data


@pytest.fixture
def world(page_world):
    return page_world


@pytest.fixture(scope="module")
def text(page_file):
    return page_file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def markup(text):
    return Markup(text)


def test_captions_and_titles_stay_text(text, markup):
    assert markup.tags["script"] == 1 and not markup.hung and markup.tags["b"] == markup.tags["i"] == 0
    assert "&lt;script&gt;document.title" in text and "Joint &lt;b&gt;early&lt;/b&gt;" in text and "{{ braces }}" in text
    assert "&lt;/pre&gt;&lt;script&gt;alert(2)" in text


def test_nothing_is_loaded_and_every_link_leads_somewhere(text, markup):
    outside = [value for value in markup.loaded if not value.startswith(("data:", "#"))]
    assert not outside and not re.search(r"url\(['\"]?https?:|@import", text)
    ids = {name for name in markup.ids if name}
    assert not {value[1:] for value in markup.loaded if value.startswith("#")} - ids
    assert not [name for name in ids if markup.ids[name] > 1]
    assert "default-src 'none'" in text


def test_a_number_is_that_of_the_result_and_leads_to_its_file(world, markup):
    row = next(row for row in markup.rows if row and row[0][0].startswith("Decomposed & more"))
    result = world.results["decomposed"]
    measured = [result.i2t, result.t2i]
    expected = [one[name] for one in measured for name in ("R@1", "R@5", "R@10")] + [result.mean_recall]
    assert [cell[0].split("\n")[0] for cell in row[2:]] == [f"{one.value:.1f}{one.low:.1f}–{one.high:.1f}" for one in expected]
    assert row[1][0] == "12 / 60" and row[2][1]["title"] == f"{world.root}/results/w/decomposed/subset.json, key i2t/R@1"
    assert markup.ids[row[2][1]["href"][1:]] == 1


def test_pictures_figures_and_negatives_are_there(text, markup):
    assert markup.tags["img"] > 40 and text.count('role="img"') == 5
    drawn = "".join(re.findall(r"<svg role.*?</svg>", text, flags=re.DOTALL))
    assert "<ins>" in text and text.count("<rect x=") == drawn.count("<rect x=") + 12


def test_figures_take_their_colours_from_the_page(text):
    drawn = "".join(re.findall(r"<svg role.*?</svg>", text, flags=re.DOTALL))
    assert "var(--series-0)" in drawn and not re.search(r"(fill|stroke): #[0-9a-f]{6}", drawn)


def test_what_was_not_run_is_said(world, tmp_path):
    given = world.arguments(pictures=False, negatives=False, joint=False)
    assert main(["page", *given, "--out", str(tmp_path / "index.html")]) == 0
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    for said in (
        "This data set has no pictures here",
        "No hard negatives were composed",
        "The joint model was not scored",
        "hard negatives: not judged here but by snakemake ablations",
    ):
        assert said in text
    assert "<img " not in text and "The joint model is right" not in text and "<ins>" not in text
    assert "A wrong picture comes first" in text and 'class="id">i0' in text


def test_the_drop_is_that_over_all_seeds_where_the_ablations_were_run(tmp_path):
    arguments, results = make_world(tmp_path).arguments(), tmp_path / "results" / "w"
    report = RunReport.load(results / "report.json")
    (drop,) = report.drops
    found = drop.model_copy(update={"drop": SeedEstimate(-0.12, -0.5, 0.3), "seeds": 5})
    report.model_copy(update={"drops": (found,), "speed": None}).save(results / "ablations" / "report.json")
    given = [*arguments, "--ablations", str(tmp_path / "report.json")]
    assert main(["page", *given, "--out", str(tmp_path / "index.html")]) == 0
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "is <strong>-0.12 points</strong> on the pairs that both models scored, over 5 seeds." in text
    assert (
        "here that is <strong>held</strong> (the whole interval is below the bound)." in text
        and "results/w/ablations/report.json" in text
    )


def test_the_figures_of_the_page_are_those_of_the_files(world, text):
    drawn = re.findall(r"<svg role.*?</svg>", text, flags=re.DOTALL)
    report = RunReport.load(world.root / "results" / "w" / "report.json")
    charts = {chart.name: chart for chart in charts_of(report)}
    names = ("recalls", "gallery_time", "training")
    assert [svg.strip() for svg in drawn] == [svg.strip() for name in names for svg in charts[name].page_svgs()]
    assert {f"{name}.svg" for name in names} == {path.name for path in (world.root / "results/w/figures").glob("*.svg")}


def test_a_page_without_its_report_is_one_line(world, tmp_path, capsys):
    report = world.root / "results" / "w" / "report.json"
    kept = report.read_bytes()
    report.unlink()
    try:
        assert main(["page", *world.arguments(), "--out", str(tmp_path / "index.html")]) == 2
    finally:
        report.write_bytes(kept)
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and str(report) in error and not list(tmp_path.iterdir())


def test_a_long_caption_has_a_beginning_and_a_short_one_none():
    assert beginning("a dog " * 10) == ""
    assert len(beginning("word " * 500).split()) == LONG_CAPTION
    assert 0 < len(beginning("x" * 2000)) <= 10 * LONG_CAPTION
