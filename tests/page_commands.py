"""Commands that the pages show: in blocks of code, one a line, without their comments."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "config/README.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
PROGRAMS = "vldeformer|make|snakemake|dvc|pip|python|hf|jupyter|accelerate|curl"
LINE = re.compile(rf"(?:{PROGRAMS}) [^.(].*")


class Shown(NamedTuple):
    """A command on a page. needs: what a test lacks to run it, from its comment ``# needs ...``; else empty."""

    page: str
    command: str
    needs: str


def shown_commands() -> list[Shown]:
    """All of them, in the order of the pages."""
    return [found for page in PAGES for found in commands_of(page.name, page.read_text(encoding="utf-8"))]


def commands_of(page: str, text: str) -> list[Shown]:
    """Those of one page: in blocks that are indented or fenced as ``sh``."""
    fenced = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    unfenced = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    indented = "\n".join(line[4:] for line in unfenced.splitlines() if line.startswith("    "))
    found = []
    for line in re.sub(r"\\\n\s*", "", f"{fenced}\n{indented}").splitlines():
        if LINE.match(line):
            command, _, comment = line.partition(" #")
            needs = re.match(r" needs ([^;:,]+)", comment)
            found += [Shown(page, one.strip(), needs[1].strip() if needs else "") for one in re.split(r"&&|\s{6,}", command)]
    return [one for one in found if LINE.match(one.command)]
