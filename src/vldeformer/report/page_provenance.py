"""The steps behind each model of the page, first to last, from the records that they wrote next to their output."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vldeformer.artifact import RECORD
from vldeformer.report.lineage import Link, Record, follow, in_order
from vldeformer.report.record_words import code_in_words, machine_in_words, packages_in_words, time_in_words


@dataclass(frozen=True)
class Stage:
    """One stage as it ran. inputs: (name, path, sha256); settings: JSON of what it read; anchor: its place on the page."""

    folder: str
    anchor: str
    code: str
    time: str
    machine: str
    packages: str
    inputs: tuple[tuple[str, str, str], ...]
    settings: str


@dataclass(frozen=True)
class Lineage:
    """All stages of the page's models, each once, and by experiment the stages behind it; none: no record was found."""

    stages: tuple[Stage, ...]
    behind: Mapping[str, tuple[Stage, ...]]


def trace(folders: Mapping[str, Path]) -> Lineage:
    """``folders``: experiment → what its recall was measured on. Inputs are followed as far as there are records."""
    stages: dict[Path, Stage] = {}
    behind = {}
    for experiment, folder in folders.items():
        links = in_order(follow(folder)) if folder.exists() else ()
        found = {}
        for link in links:
            if link.record is not None:
                home = _home(link)
                found[home] = stages.setdefault(home, _stage(home, link.record))
        behind[experiment] = tuple(found.values())
    return Lineage(tuple(stages.values()), behind)


def _home(link: Link) -> Path:
    """The folder that a stage wrote, or its file if that is all."""
    return link.path if link.record_file is None or link.record_file.name != RECORD else link.record_file.parent


def _stage(home: Path, record: Record) -> Stage:
    return Stage(
        folder=home.as_posix(),
        anchor=f"stage-{'-'.join(home.parts[1:])}",
        code=code_in_words(record["code"] or {}).removeprefix("code "),
        time=time_in_words(record),
        machine=machine_in_words(record["machine"] or {}),
        packages=packages_in_words(record),
        inputs=tuple((name, item["path"], item["sha256"]) for name, item in record["inputs"].items()),
        settings=json.dumps(record["settings"], indent=1, ensure_ascii=False),
    )
