"""The report as one page to read: the answer first, then tables, figures, examples, and where every number came from.

The page is one file: style, script, figures and pictures are inside it, and it forbids itself to load anything else. Its tables
and figures are those of the files, drawn by the same functions.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jinja2

from vldeformer.evaluation.measures import Estimate
from vldeformer.evaluation.run_facts import COMPARED
from vldeformer.evaluation.run_report import RunReport
from vldeformer.report.claims import CLAIMS, Record
from vldeformer.report.drawing import Chart
from vldeformer.report.figures import charts_of
from vldeformer.report.lineage import Lineage
from vldeformer.report.page_examples import ImageExample, TextExample
from vldeformer.report.page_gallery import Group
from vldeformer.report.table import Column, Table
from vldeformer.report.tables import tables_of

LONG_CAPTION = 40
"""Words of a caption that are shown before it is unfolded."""
SECTIONS = {
    "recall": (
        "Recall",
        "Recall at K is the share of queries with a right answer among the first K. Ties count against the model.",
        ("recalls", "recall", "recall_drop"),
    ),
    "speed": (
        "Speed",
        "The joint model reads every pair; the decomposed one reads every item once and compares vectors.",
        ("gallery_time", "speed"),
    ),
    "rerank": ("Re-ranking", "The decomposed model proposes, the joint model orders the best of what was proposed.", ("rerank",)),
    "compositional": (
        "Compositional test",
        "Does a model prefer the true caption to one with a word replaced, exchanged or added? Half right is chance.",
        ("compositional",),
    ),
    "peers": ("Published models", "Published numbers as their papers give them.", ("peers",)),
    "training": ("Training", "Every model is kept as it was when it was best on the validation split.", ("training",)),
}
"""Anchor → title, lead, and the figures and tables of a section."""
ABLATIONS = "One choice of the method changed at a time. A gain is counted seed by seed against the reference."


@dataclass(frozen=True)
class Examples:
    """Examples to look at. ``missing``: reasons in words for what cannot be shown."""

    groups: Sequence[Group]
    texts: Sequence[TextExample]
    images: Sequence[ImageExample]
    missing: Sequence[str]


@dataclass(frozen=True)
class Section:
    """Figures and tables about one question. figures: markup of the pictures and their caption."""

    anchor: str
    title: str
    lead: str
    figures: Sequence[tuple[Sequence[str], str]]
    tables: Sequence[Table]


def render_page(report: RunReport, ablated: RunReport | None, examples: Examples, lineage: Lineage) -> str:
    """The page as HTML.

    Args:
        report: of the main run.
        ablated: of the ablations, if the page is to have them; its drop over all seeds is then the answer.
        examples: answers and composed negatives.
        lineage: the steps behind each model.

    """
    record = Record(report.dataset, report, ablated, elsewhere=ablated is None)
    place = resources.files("vldeformer.report") / "page_template"
    style, script = ((place / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"beginning": beginning, "interval": _interval}
    template = environment.from_string((place / "page.html.j2").read_text(encoding="utf-8"))
    return template.render(
        dataset=report.dataset,
        main=report.main,
        main_title=report.titles[report.main],
        drop=(ablated or report).main_drop(),
        result=report.recall(report.main, COMPARED),
        speed=report.speed,
        claims=[(claim, judge(record)) for claim, judge in CLAIMS],
        sections=list(_sections(report, ablated)),
        examples=examples,
        lineage=lineage,
        titles=report.titles | (ablated.titles if ablated else {}),
        style=style,
        script=script,
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def beginning(text: str) -> str:
    """The first words of a long text; empty if it is short."""
    start = " ".join(text.split(maxsplit=LONG_CAPTION)[:LONG_CAPTION])[: 10 * LONG_CAPTION]
    return start if len(start) < len(" ".join(text.split())) else ""


def _sections(report: RunReport, ablated: RunReport | None) -> Iterator[Section]:
    charts, tables = {one.name: one for one in charts_of(report)}, {one.name: one for one in tables_of(report)}
    over_seeds = {one.name: one for one in tables_of(ablated)} if ablated else tables
    tables["recall_drop"] = over_seeds["recall_drop"]
    for anchor, (title, lead, names) in SECTIONS.items():
        drawn = [charts[name] for name in names if name in charts]
        section = _section(anchor, title, lead, drawn, [tables[name] for name in names if name in tables])
        if section.figures or section.tables:
            yield section
    if ablated is not None and ablated.ablations:
        made = [over_seeds[one.name] for one in ablated.ablations]
        yield _section("ablations", "Ablations", ABLATIONS, charts_of(ablated), made)


def _section(anchor: str, title: str, lead: str, charts: Iterable[Chart], tables: Sequence[Table]) -> Section:
    drawn = [(chart.page_svgs(), chart.caption) for chart in charts]
    return Section(anchor, title, lead, drawn, [table for table in tables if table.rows])


def _interval(value: Any, column: Column) -> str:
    """The interval of a cell, which the page shows below its value; empty if it has none."""
    if not isinstance(value, Estimate):
        return ""
    low, high = column.form(value.low), column.form(value.high)
    return f"{low} to {high}" if low.startswith("-") else f"{low}–{high}"
