"""Copies the headline and the tables of a finished run into README.md, between `<!-- results: DATASET -->` and `<!-- end -->`.

Run by `make readme`. A test calls `filled` and fails when README.md differs from the results.
"""

import re
from pathlib import Path

from vldeformer.evaluation.run_report import REPORT, RunReport
from vldeformer.report.tables import tables_of

ROOT = Path(__file__).resolve().parent.parent
OVER_SEEDS = ("recall_drop", "negatives", "start", "clean")
"""Tables of the target `ablations` that the README shows, where they exist; the others are in results/DATASET/ablations."""
FIGURES = {"recalls": "Recalls with intervals", "gallery_time": "Time of a query", "training": "Training curves"}
SECTION = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(readme: str, root: Path) -> str:
    """README with the results of every data set that has some; a data set without results keeps its old text."""
    return SECTION.sub(
        lambda match: match[1] + (_section(root, match[2]) or match[0][len(match[1]) : -len(match[3])]) + match[3], readme
    )


def _section(root: Path, dataset: str) -> str:
    results = root / "results" / dataset
    if not (results / REPORT).is_file():
        return ""
    run, ablated = RunReport.load(results / REPORT), results / "ablations" / REPORT
    tables = {table.name: table for table in tables_of(run)}
    over_seeds = {table.name: table for table in tables_of(RunReport.load(ablated))} if ablated.is_file() else tables
    shown = [tables["headline"], tables["recall"], *(over_seeds[name] for name in OVER_SEEDS if name in over_seeds)]
    figures = [f"![{title}](results/{dataset}/figures/{name}.svg)" for name, title in FIGURES.items()]
    parts = [table.markdown().strip() for table in shown] + figures + [tables["speed"].markdown().strip()]
    return "\n".join(f"{part}\n" for part in parts) + "\n"


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(filled(path.read_text(encoding="utf-8"), ROOT), encoding="utf-8")
