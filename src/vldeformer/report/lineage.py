"""Follows the records that steps wrote next to their output, from an artifact down to the raw data.

Nothing is guessed: inputs are those that a record names, and a file without a record ends the lineage. Only the way from a
result to what it was measured on may come from the caller, and the output says so.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vldeformer.artifact import RECORD
from vldeformer.content_digest import digest
from vldeformer.errors import InputError
from vldeformer.report.sources import read_sources, sources_path
from vldeformer.report.step_record import StepRecord, find_record

MeasuredOn = Callable[[Path], tuple[str, tuple[Path, ...]]]
"""A file without record → what is known of it in words, and the folders that it was made from; ("", ()): nothing."""


CHANGED = "changed since it was read"


@dataclass(frozen=True)
class Link:
    """An artifact and what it was made of.

    ``role``: what it was to the stage that read it; ``recorded``: the digest that this stage saw; ``record``: what its own
    stage wrote about it, into ``record_file``; ``how``: where that is known from; ``inputs``: links of what it was made of.
    """

    path: Path
    role: str
    recorded: str | None
    record: StepRecord | None
    record_file: Path | None
    how: str
    inputs: tuple["Link", ...]

    @property
    def stage(self) -> str:
        """Name of the step, as the command line calls it."""
        command = (self.record and self.record.command) or []
        return str(command[1]) if len(command) > 1 else self.path.name

    @property
    def home(self) -> Path:
        """The folder that the step wrote, or its file if that is all."""
        return self.path if self.record_file is None or self.record_file.name != RECORD else self.record_file.parent

    def state(self) -> str:
        """Whether the present content is what was read."""
        if not self.path.exists():
            return "not here"
        if self.recorded is None:
            return "here"
        return "as it was read" if digest(self.path) == self.recorded else CHANGED


def follow(path: Path, measured_on: MeasuredOn | None = None) -> Link:
    """The lineage of a folder or file. Raises InputError if it is not there, or a record is damaged."""
    if not path.exists():
        raise InputError(f"{path}: expected an artifact, a result or a table, found none; name a folder or file that is here")
    return follow_file(path, measured_on)


def follow_file(path: Path, measured_on: MeasuredOn | None = None) -> Link:
    """The same of a file that may be gone, such as one that a table names."""
    return _follow(path, "", None, frozenset(), measured_on)


def _follow(path: Path, role: str, recorded: str | None, above: frozenset[Path], measured_on: MeasuredOn | None) -> Link:
    file = find_record(path)
    if file is not None and file not in above:  # a file in a step's own folder that this step did not make
        record, below = StepRecord.load(file), above | {file}
        inputs = tuple(
            _follow(Path(item.path), name, item.sha256, below, measured_on) for name, item in sorted(record.inputs.items())
        )
        return Link(path, role, recorded, record, file, f"record {file}", inputs)
    if sources_path(path).is_file() and path.suffix == ".csv":
        files = dict.fromkeys(name for source in read_sources(path) for name in source.files)
        inputs = tuple(_follow(Path(name), "source", None, above, measured_on) for name in files)
        how = f"sources {sources_path(path)}: no digest, code or time is recorded"
        return Link(path, role, recorded, None, None, how, inputs)
    words, folders = measured_on(path) if measured_on is not None else ("", ())
    inputs = tuple(_follow(folder, "judged", None, above, measured_on) for folder in folders)
    return Link(path, role, recorded, None, None, words or _end(path), inputs)


def _end(path: Path) -> str:
    if "artifacts" in path.parts or "results" in path.parts:
        return "missing link: no record says what it was made of"
    trackers = [folder.with_name(f"{folder.name}.dvc") for folder in [path, *path.parents] if folder.name]
    tracked = next((file for file in trackers if file.is_file()), None)
    return f"raw data, tracked by {tracked}" if tracked else "end of the chain: raw data, or made by what leaves no record"


def in_order(*links: Link) -> Iterator[Link]:
    """Every link once, inputs before what was made of them."""
    seen: set[tuple[Path, str | None]] = set()

    def visit(one: Link) -> Iterator[Link]:
        for below in one.inputs:
            yield from visit(below)
        if (one.path, one.recorded) not in seen:
            seen.add((one.path, one.recorded))
            yield one

    for link in links:
        yield from visit(link)


@dataclass(frozen=True)
class Stage:
    """One stage as it ran: what it wrote, and its record."""

    folder: Path
    record: StepRecord

    def settings(self) -> str:
        """JSON of what it read."""
        return json.dumps(self.record.settings, indent=1, ensure_ascii=False)


@dataclass(frozen=True)
class Lineage:
    """All stages behind several models, each once, and by experiment the stages behind it; none: no record was found."""

    stages: tuple[Stage, ...]
    behind: Mapping[str, tuple[Stage, ...]]


def trace(folders: Mapping[str, Path]) -> Lineage:
    """``folders``: experiment → what its recall was measured on. Inputs are followed as far as there are records."""
    stages: dict[Path, Stage] = {}
    behind = {}
    for experiment, folder in folders.items():
        found = {}
        for link in in_order(follow(folder)) if folder.exists() else ():
            if link.record is not None:
                found[link.home] = stages.setdefault(link.home, Stage(link.home, link.record))
        behind[experiment] = tuple(found.values())
    return Lineage(tuple(stages.values()), behind)
