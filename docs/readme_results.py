"""Writes what README.md and docs/ say of results, between `<!-- results: PART -->` and `<!-- end -->`.

Run by `make readme`. All numbers come from the committed files in results/ and benchmarks/. A test calls ``filled`` and fails
when a page differs from them. A part keeps its text if its data set has no results, and says "Not run" if only its ablations have
none.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from vldeformer.evaluation.run_facts import COMPARED, Drop
from vldeformer.evaluation.run_report import REPORT, RunReport
from vldeformer.evaluation.verdicts import reaches
from vldeformer.report.figures import charts_of
from vldeformer.report.settings import READ_ELSEWHERE, READ_ELSEWHERE_NOTE
from vldeformer.report.table import DROP, MEAN_RECALL, duration, seeds_in_words, speedup
from vldeformer.report.tables import tables_of

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "docs/results.md")
PART = re.compile(r"(<!-- results: ([\w /]+) -->\n).*?(<!-- end -->)", re.DOTALL)
MOST_ROWS = 7
"""Of a table in README.md."""
FIGURES = {
    "recalls": "Recalls with intervals",
    "gallery_time": "Time of a query against the number of images",
    "training": "Training curves",
    "rerank": "Recall and cost of re-ranking",
}
"""Name of a figure → its text; those of ablations have their titles."""


def filled(page: str, root: Path) -> str:
    """A page with the parts that the results in ``root`` give."""
    return PART.sub(lambda found: found[1] + (_text(root, found[2]) or found[0][len(found[1]) : -len(found[3])]) + found[3], page)


def _text(root: Path, part: str) -> str:
    name, _, dataset = part.partition(" ")
    run, own = (root / "results" / one / REPORT for one in (dataset.split("/")[0] or "scenes", dataset or "scenes"))
    if not run.is_file():
        return ""
    if not own.is_file():
        return "Not run.\n"
    main, report = RunReport.load(run), RunReport.load(own)
    texts: dict[str, Callable[[], str]] = {
        "claims": lambda: _claims(main, root),
        "time": lambda: _time(json.loads((root / "benchmarks" / "stages.json").read_text(encoding="utf-8"))),
        "summary": lambda: _summary(report),
        "tables": lambda: "\n".join(_tables_and_figures(report, dataset)),
    }
    return texts[name]()


def _claims(report: RunReport, root: Path) -> str:
    """What the default run says of speed and recall, and what it does not show."""
    drop, speed = report.main_drop(), report.speed
    lines = []
    if speed is not None:
        faster = reaches(speed.estimate, report.claimed_speedup)
        lines.append(
            f"- **Speed: {speedup(speed)} faster.** It matches {speed.n_images:,} images with {speed.n_captions:,} captions in "
            f"{duration(speed.dual_seconds)}; the joint model needs {duration(speed.joint_seconds_extrapolated)}, extrapolated "
            f"from {speed.sampled_pairs:,} pairs. The paper claims more than {report.claimed_speedup:,.0f} times: "
            f"**{faster.word}** here ({faster.rule})."
        )
    lines.append(
        f"- **Recall drop: {_drop(drop)} points**, {seeds_in_words(drop.seeds)}. Mean recall: {drop.joint_mean_recall:.1f} % for "
        f"the joint model, {drop.mean_recall:.1f} % for the decomposed one. The paper claims a drop below {drop.claim:g}: "
        f"**{drop.verdict.word}** here ({drop.verdict.rule})."
    )
    elsewhere = ""
    photographs = root / "results" / "flickr8k" / REPORT
    if photographs.is_file():
        other = RunReport.load(photographs).main_drop()
        elsewhere = f" On Flickr8k the same claim is **{other.verdict.word}** ({other.verdict.rule})."
    lines.append(
        "- **Limits: small data.** These numbers are of `scenes`, small pictures that the pipeline draws."
        f"{elsewhere} The paper's runs on COCO and Flickr30k are configured but we have not run them. We worked from the paper's "
        "abstract and its released code."
    )
    return "\n".join(lines) + "\n"


def _time(stages: dict[str, dict[str, float]]) -> str:
    """How long the default run takes."""
    total, machine = stages["total"], stages["machine"]
    return (
        f"The pipeline took {duration(total['seconds'])} on {machine['cores']} cores ({machine['cpu']}); set-up takes "
        "a few minutes more.\n"
    )


def _summary(report: RunReport) -> str:
    """At most seven models: mean recall, recall drop, time and verdict."""
    drops, speed = {one.experiment: one for one in report.drops}, report.speed
    seconds = {report.baseline: speed.joint_seconds_extrapolated, report.main: speed.dual_seconds} if speed else {}
    lines = ["| Model | Mean recall (%) | Recall drop (points) | Time | Drop claim |", "| :-- | --: | --: | --: | --: |"]
    for experiment in _chosen(report):
        found, drop = report.recall(experiment, COMPARED), drops.get(experiment)
        cells = [MEAN_RECALL.text(found.mean_recall if found else None), _drop(drop) if drop else ""]
        cells += [duration(seconds[experiment]) if experiment in seconds else "", drop.verdict.word if drop else ""]
        title = report.titles[experiment].replace(READ_ELSEWHERE, f"\N{NO-BREAK SPACE}{READ_ELSEWHERE.strip()}")
        name = f"**{title}**" if experiment == report.main else title
        lines.append(" | ".join([f"| {name}", *(cell.replace(" ", "\N{NO-BREAK SPACE}") for cell in cells)]) + " |")
    pairs, main = report.recall(report.main, COMPARED), report.main_drop()
    sizes = f"{pairs.n_images:,} images, {pairs.n_captions:,} captions, " if pairs else ""
    note = f"{sizes}{seeds_in_words(main.seeds)}; [{report.confidence:.0%} intervals]."
    if speed is not None:
        note += f" Time: {speed.n_images:,} images and {speed.n_captions:,} captions on {speed.hardware}; "
        note += f"joint model extrapolated from {speed.sampled_pairs:,} pairs."
    marked = any(report.titles[one].endswith(READ_ELSEWHERE) for one in _chosen(report))
    return "\n".join([*lines, "", f"{note}{f' {READ_ELSEWHERE_NOTE}' if marked else ''}"]) + "\n"


def _chosen(report: RunReport) -> list[str]:
    """The joint and the main model, the best trivial baseline, then other decomposed models, in the report's order."""
    measured = [one.experiment for one in report.under(COMPARED)]
    wanted = [report.baseline, report.main, report.main_drop().trivial, *(one.experiment for one in report.drops), *measured]
    chosen = list(dict.fromkeys(one for one in wanted if one in measured))[:MOST_ROWS]
    return [one for one in report.titles if one in chosen]


def _drop(one: Drop) -> str:
    return DROP.text(one.drop)


def _tables_and_figures(report: RunReport, place: str) -> Iterator[str]:
    """Every table under its name, then every figure."""
    ablations = {ablation.name: ablation.title for ablation in report.ablations}
    ablations |= {f"{name}_cost": f"{title}: recall and cost" for name, title in ablations.items()}
    for table in tables_of(report):
        yield f"### {ablations.get(table.name) or table.name.replace('_', ' ').capitalize()}\n"
        yield table.markdown()
    yield "### Figures\n"
    for chart in charts_of(report):
        title = FIGURES.get(chart.name) or ablations[chart.name]
        yield f"![{title}](../results/{place}/figures/{chart.name}.svg)\n"


if __name__ == "__main__":
    for page in PAGES:
        path = ROOT / page
        path.write_text(filled(path.read_text(encoding="utf-8"), ROOT), encoding="utf-8")
