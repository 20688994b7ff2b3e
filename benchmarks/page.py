"""Writes docs/benchmarks.md and its figures from the JSON files beside this script: `python benchmarks/page.py`.

A benchmark whose file is not there has the row "not measured". A test makes the page again and compares.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from page_figures import FIGURES
from page_rows import NOT_MEASURED, Row, table_rows
from page_texts import paragraphs

from vldeformer.artifact import read_json, whole_file

ROOT = Path(__file__).resolve().parent.parent
HERE, PICTURES = ROOT / "benchmarks", "docs/pictures"
NAMES = (
    "ceilings", "embed", "joint_against_decomposed", "random_features", "training_step", "exact_ranks", "nearest", "stages",
    "serve_load", "import_features", "float16_features", "grad_cache", "vilt_throughput",
)  # fmt: skip

Results = Mapping[str, Mapping[str, Any]]

OPENING = """# Benchmarks

What each part costs beside the way it is usually done, each in one run on one machine; what ran on another than the ceilings is
named under "The machine". Embedding, the reading of region features, the training step and exact ranks take turns with what they
are measured against; the others are measured one after the other, and the steps of the pipeline by Snakemake in a finished run.

`make benchmarks` measures all but ViLT on a GPU again and writes this page, in about half an hour on 2 quiet cores, and ten
minutes more the first time, when structures for search are built. It needs a finished run of `scenes` (`make reproduce`) and
Flickr30k's captions in `../shared/data`. `python benchmarks/run.py embed page` measures a part; the scripts and their files of
results are in [benchmarks/](../benchmarks/README.md).
"""


def main() -> None:
    """Write the page and the figures."""
    results = read_results(HERE)
    with whole_file(ROOT / "docs" / "benchmarks.md") as temporary:
        temporary.write_text(page(results), encoding="utf-8")
    for name in drawn(results):
        FIGURES[name].draw(ROOT / PICTURES / f"{name}.svg", results)
    print("docs/benchmarks.md: written")


def read_results(folder: Path) -> Results:
    """Name of a benchmark → its file, of those that are there."""
    return {name: read_json(folder / f"{name}.json") for name in NAMES if (folder / f"{name}.json").is_file()}


def drawn(results: Results) -> list[str]:
    """Names of the figures that can be drawn."""
    return [name for name, figure in FIGURES.items() if figure.ready(results)]


def page(results: Results) -> str:
    """The whole page as Markdown."""
    rows = table_rows(results)
    parts = [OPENING, machine(results), table(rows)]
    shown = set(drawn(results))
    parts += [f"![{FIGURES[name].title}](pictures/{name}.svg)\n" for name in FIGURES if name in shown]
    parts += ["## One by one\n", *paragraphs(results)]
    return "\n".join(parts)


def machine(results: Results) -> str:
    """The machine of the ceilings and what it can do at most; benchmarks that ran on another are named."""
    ceilings = results.get("ceilings")
    if ceilings is None:
        return f"## The machine\n\nIts ceilings: {NOT_MEASURED}.\n"
    own = ceilings["machine"]
    lines = ["## The machine", "", f"{own['cpu']}, {own['cores']} cores, {own['system']}, torch {own['torch']}.", ""]
    lines += ["| ceiling | |", "| --- | ---: |", *(f"| {name} | {value} |" for name, value in ceiling_rows(ceilings))]
    machines = {name: value.get("machine", {}) for name, value in results.items()}
    here = {key: own[key] for key in ("cpu", "system")}
    elsewhere = {name: each for name, each in machines.items() if not here.items() <= each.items()}
    others = [f"{name} ({each.get('cpu', 'processor not recorded')})" for name, each in elsewhere.items()]
    if others:
        lines += ["", f"Measured on another machine or before this one's last start: {', '.join(sorted(others))}."]
    loads = {name: each.get("load_average", 0) for name, each in machines.items()}
    busy = {name: load for name, load in loads.items() if load > own["cores"]}
    if busy:
        found = ", ".join(f"{name} (load {load:g})" for name, load in sorted(busy.items()))
        lines += ["", f"Others used the machine while these were measured: {found}."]
    return "\n".join([*lines, ""])


def ceiling_rows(ceilings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of each ceiling."""
    product, disk = ceilings["product_gflop_per_second"], ceilings["disk_read_gb_per_second"]
    return [
        *((f"matrix product, {name}", f"{value:,.0f} GFLOP/s") for name, value in product.items()),
        ("memory, read and written by a copy", f"{ceilings['memory_copy_gb_per_second']:.1f} GB/s"),
        *((f"a file read from end to end, {state}", f"{value:.2f} GB/s") for state, value in disk.items()),
    ]


def table(rows: Sequence[Row]) -> str:
    """One line a row."""
    head = ["## Measured against what was to be reached", "", "| work | against | to reach | measured | |", "|" + " --- |" * 5]
    return "\n".join(
        [*head, *(f"| {row.work} | {row.against} | {row.reach} | {row.measured} | {row.verdict} |" for row in rows), ""]
    )


if __name__ == "__main__":
    main()
