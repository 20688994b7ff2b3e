"""The stages behind each model of the page, first to last, from the provenance.json that each stage wrote beside its output."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vldeformer.artifact import RECORD, read_json
from vldeformer.errors import InputError


@dataclass(frozen=True)
class Stage:
    """One stage as it ran. inputs: (name, path, sha256); settings: JSON of what it read; anchor: its place on the page."""

    folder: str
    anchor: str
    code: str
    finished: str
    seconds: float
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
    behind = {experiment: tuple(_chain(folder, stages)) for experiment, folder in folders.items()}
    return Lineage(tuple(stages.values()), behind)


def _chain(folder: Path, known: dict[Path, Stage]) -> list[Stage]:
    """The stages before a folder's and its own, the earliest first; ``known`` gains those that were not there."""
    home = next((place for place in (folder, *folder.parents) if (place / RECORD).is_file()), None)
    if home is None:
        return []
    path = home / RECORD
    record = read_json(path)
    found: dict[Path, Stage] = {}
    try:
        for item in record["inputs"].values():
            for stage in _chain(Path(item["path"]), known):
                found[Path(stage.folder)] = stage
        known.setdefault(home, _stage(home, record))
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: expected where the artifact came from ({error} is missing or wrong); make it again") from None
    return [*found.values(), known[home]]


def _stage(home: Path, record: Mapping[str, Any]) -> Stage:
    code, machine = record["code"], record["machine"]
    commit = f" at {code['commit'][:12]}" if code["commit"] else ""
    changed = " with uncommitted changes" if code["dirty"] else ""
    told = ", ".join(str(value) for key, value in machine.items() if value and key != "cores")
    return Stage(
        folder=home.as_posix(),
        anchor=f"stage-{'-'.join(home.parts[1:])}",
        code=f"{code['version']}{commit}{changed}",
        finished=record["finished"],
        seconds=record["wall_seconds"],
        machine=f"{told}, {machine['cores']} cores",
        packages=", ".join(f"{name} {version}" for name, version in record["packages"].items() if version),
        inputs=tuple((name, item["path"], item["sha256"]) for name, item in record["inputs"].items()),
        settings=json.dumps(record["settings"], indent=1, ensure_ascii=False),
    )
