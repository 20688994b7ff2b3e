"""The report as one page to read: the answer first, then tables, figures, examples, and where every number came from.

The page is one file: style, script, figures and pictures are inside it, and it forbids itself to load anything else.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import jinja2

from vldeformer.artifact import read_json
from vldeformer.report import page_figures as figures
from vldeformer.report import page_tables as tables
from vldeformer.report.claims import CLAIMS, Finding, Found
from vldeformer.report.page_gallery import Group
from vldeformer.report.page_negatives import ImageExample, TextExample
from vldeformer.report.page_provenance import Lineage
from vldeformer.report.results import COMPARED
from vldeformer.report.settings import ReportSettings
from vldeformer.report.speed import read_speed
from vldeformer.report.tables import speed_table

LONG_CAPTION = 40
"""Words of a caption that are shown before the rest must be asked for."""


@dataclass(frozen=True)
class Examples:
    """What is shown beside the numbers. ``missing``: reasons in words for what is not there."""

    groups: Sequence[Group]
    texts: Sequence[TextExample]
    images: Sequence[ImageExample]
    missing: Sequence[str]


@dataclass(frozen=True)
class Section:
    """Figures and tables about one question."""

    anchor: str
    title: str
    lead: str
    figures: Sequence[figures.Figure]
    tables: Sequence[tables.PageTable]


def render_page(
    folder: Path,
    settings: ReportSettings,
    ablations: ReportSettings | None,
    journals: Mapping[str, Path],
    examples: Examples,
    lineage: Lineage,
) -> str:
    """HTML of the results in ``folder`` (results/NAME). ``ablations``: settings of that target, if it was run.

    journals: title → journal.jsonl. Raises InputError naming a file that is not as the report writes it.
    """
    metrics = read_json(folder / "metrics.json")
    over_seeds = folder / "ablations" if ablations else folder  # the ablations' drop is over all seeds
    sections = [
        _recall(folder, over_seeds, settings),
        _speed(folder, settings),
        _rerank(folder),
        _compositional(folder),
        _peers(folder),
        _ablations(folder, ablations),
        _training(journals),
    ]
    present = [section for section in sections if section.figures or section.tables]
    claims: list[tuple[str, list[Finding]]] = [(claim, judge(Found(folder, ablations is not None))) for claim, judge in CLAIMS]
    place = resources.files("vldeformer.report") / "page_template"
    style, script = ((place / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["beginning"] = beginning
    template = environment.from_string((place / "page.html.j2").read_text(encoding="utf-8"))
    return template.render(
        dataset=metrics["dataset"],
        main=settings.main,
        main_title=settings.titles[settings.main],
        drop=read_json(over_seeds / "metrics.json")["recall_drops"][settings.main],
        result=metrics["models"][settings.main],
        speed=read_speed(folder / "speed.json"),
        claims=claims,
        sections=present,
        examples=examples,
        lineage=lineage,
        titles=(settings.titles | ablations.titles) if ablations else settings.titles,
        style=style,
        script=script,
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def beginning(text: str) -> str:
    """The first words of a long text; empty if it is short."""
    start = " ".join(text.split(maxsplit=LONG_CAPTION)[:LONG_CAPTION])[: 10 * LONG_CAPTION]
    return start if len(start) < len(" ".join(text.split())) else ""


def _recall(folder: Path, over_seeds: Path, settings: ReportSettings) -> Section:
    path, lost_path = folder / "tables" / "recall.csv", over_seeds / "tables" / "recall_drop.csv"
    shared, whole = (tables.read_table(path, tables.RECALL, where={"protocol": name}) for name in (COMPARED, "test"))
    drops = tables.read_table(lost_path, tables.DROP)
    drawn = figures.recall_figures([row for row in tables.read_rows(path) if row["protocol"] == COMPARED])
    told = {*settings.claimed, "reranked"}
    lost = [row for row in tables.read_rows(lost_path) if row["experiment"] in told]
    if lost:
        drawn.append(figures.drop_figure(lost, settings.claimed_drop))
    shown = [
        (shared, "On the pairs that every model scored, the joint one included."),
        (whole, "On the whole test set, which the joint model does not score: it would take too long."),
        (drops, ""),
    ]
    noted = [replace(table, caption=f"{table.caption} {note}".strip()) for table, note in shown if table and table.rows]
    lead = "Recall at K is the share of queries with a right answer among the first K. Ties count against the model."
    return Section("recall", "Recall", lead, drawn, noted)


def _speed(folder: Path, settings: ReportSettings) -> Section:
    path = folder / "speed.json"
    speed = read_speed(path)
    names = settings.titles[settings.baseline], settings.titles[settings.main]
    drawn = [figures.gallery_figure(speed, *names)] if speed.gallery_curve else []
    lead = "The joint model reads every pair; the decomposed one reads every item once and compares vectors."
    return Section("speed", "Speed", lead, drawn, [tables.plain_table(speed_table(speed, settings, path))])


def _rerank(folder: Path) -> Section:
    path = folder / "tables" / "rerank.csv"
    table = tables.read_table(path, tables.RERANK, title="k", first="Candidates")
    lead = "The decomposed model proposes, the joint model orders the best of what was proposed."
    return Section(
        "rerank", "Re-ranking", lead, [figures.rerank_figure(tables.read_rows(path))] if table else [], [table] if table else []
    )


def _compositional(folder: Path) -> Section:
    table = tables.read_table(folder / "tables" / "compositional.csv", tables.COMPOSITIONAL)
    lead = "Does a model prefer the true caption to one with a word replaced, exchanged or added? Half right is chance."
    return Section("compositional", "Compositional test", lead, [], [table] if table else [])


def _peers(folder: Path) -> Section:
    table = tables.read_table(folder / "tables" / "peers.csv", tables.PEERS)
    return Section(
        "peers", "Beside published models", "Published numbers as their papers give them.", [], [table] if table else []
    )


def _ablations(folder: Path, settings: ReportSettings | None) -> Section:
    drawn, made = [], []
    for name, ablation in settings.ablations.items() if settings else ():
        path = folder / "ablations" / "tables" / f"{name}.csv"
        table = tables.read_table(path, tables.ABLATION, title="choice", first=ablation.title)
        if table:
            made.append(table)
            if ablation.axis is not None:
                drawn.append(figures.ablation_figure(name, ablation, tables.read_rows(path)))
    lead = "One choice of the method changed at a time. A gain is counted seed by seed against the reference."
    return Section("ablations", "Ablations", lead, drawn, made)


def _training(journals: Mapping[str, Path]) -> Section:
    drawn = figures.training_figures(journals) if journals else []
    return Section("training", "Training", "Every model is kept as it was when it was best on the validation split.", drawn, [])
