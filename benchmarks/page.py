"""Write docs/benchmarks.md from page.md.j2 and the JSON files in this folder: `python benchmarks/page.py`.

A new benchmark needs a script that writes NAME.json, and a section in page.md.j2 that prints what is in `NAME`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jinja2

from vldeformer.artifact import read_json, whole_file

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "benchmarks.md"


def main() -> None:
    """Write the page."""
    with whole_file(PAGE) as temporary:
        temporary.write_text(page(read_results(HERE)), encoding="utf-8")
    print("docs/benchmarks.md: written")


def read_results(folder: Path) -> dict[str, Any]:
    """Name of a benchmark → its result."""
    return {path.stem: read_json(path) for path in sorted(folder.glob("*.json"))}


def page(results: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    shown = {"goal": goal, "table": table, "elsewhere": elsewhere(results), "busy": busy(results)}
    return environment.get_template("page.md.j2").render(results, **shown)


def goal(
    work: str, against: str, value: float, least: float | None = None, most: float | None = None, unit: str = "", more: str = "",
    met: bool = True,
) -> str:  # fmt: skip
    """A row of the table of goals.

    Args:
        work: what is measured.
        against: what it is compared with.
        value: what was measured.
        least: the goal, if larger is better.
        most: the goal, if smaller is better.
        unit: unit of these three.
        more: text after the measured value.
        met: False if another condition of this goal failed.
    """
    reached = met and (value >= least if least is not None else value <= (most or 0))
    asked = f"≥ {least:,g}" if least is not None else f"≤ {most:,g}"
    found = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    return f"| {work} | {against} | {asked}{unit} | {found}{unit}{more} | {'met' if reached else '**not met**'} |"


def table(columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]] | Mapping[str, Mapping[str, Any]]) -> str:
    """A Markdown table: heading → format of a cell, such as ``{p50_ms:.2f}``; ``{name}`` is the key of a row."""
    named = [{"name": key.replace("_", " "), **row} for key, row in rows.items()] if isinstance(rows, Mapping) else rows
    lines = [columns, ("---" if number == 0 else "---:" for number in range(len(columns)))]
    lines += [[cell.format(**row) for cell in columns.values()] for row in named]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def elsewhere(results: Mapping[str, Any]) -> list[str]:
    """Benchmarks that ran on another processor or system than the ceilings, each with its processor."""
    here = results["ceilings"]["machine"]
    machines = {name: value["machine"] for name, value in results.items()}
    others = {name: own for name, own in machines.items() if any(own[key] != here[key] for key in ("cpu", "system"))}
    return [f"{name} ({own['cpu']})" for name, own in others.items()]


def busy(results: Mapping[str, Any]) -> list[str]:
    """Benchmarks during which other programs used the machine, each with the load at its end."""
    machines = {name: value["machine"] for name, value in results.items()}
    loaded = {name: own["load_average"] for name, own in machines.items() if own["load_average"] > own["cores"]}
    return [f"{name} (load {load:g})" for name, load in loaded.items()]


if __name__ == "__main__":
    main()
