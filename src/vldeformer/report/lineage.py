"""Follows the records that steps wrote next to their output, from an artifact down to the raw data.

Nothing is guessed: inputs are those that a record names, and a file without a record ends the lineage. Only the way from a
result to what it was measured on may come from the caller, and the output says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vldeformer.artifact import RECORD, digest, read_json, record_path
from vldeformer.errors import InputError
from vldeformer.evaluation.experiment_record import provenance_in
from vldeformer.report.sources import read_sources, sources_path

REPORTED = "report.provenance.json"
"""The record of a folder that holds what several stages wrote: it names the ``outputs`` that it is of."""
KEPT = ("inputs", "code", "settings", "packages", "python", "machine", "finished", "wall_seconds", "command")
"""What is read of a record."""
NEAR = 3
"""A record is looked for in a folder and in those just above it: train/provenance.json is that of train/model/weights too."""

Record = dict[str, Any]
"""All keys of ``KEPT``; None: not recorded."""
MeasuredOn = Callable[[Path], tuple[str, tuple[Path, ...]]]
"""A file without record → what is known of it in words, and the folders that it was made from; ("", ()): nothing."""


@dataclass(frozen=True)
class Link:
    """An artifact and what it was made of.

    ``role``: what it was to the stage that read it; ``recorded``: the digest that this stage saw; ``record``: what its own
    stage wrote about it, into ``record_file``; ``how``: where that is known from; ``inputs``: links of what it was made of.
    """

    path: Path
    role: str
    recorded: str | None
    record: Record | None
    record_file: Path | None
    how: str
    inputs: tuple["Link", ...]

    @property
    def stage(self) -> str:
        """Name of the step, as the command line calls it."""
        command = (self.record or {}).get("command") or []
        return str(command[1]) if len(command) > 1 else self.path.name

    def state(self) -> str:
        """Whether the present content is what was read."""
        if not self.path.exists():
            return "not here"
        if self.recorded is None:
            return "here"
        return "as it was read" if digest(self.path) == self.recorded else "changed since it was read"


def follow(path: Path, measured_on: MeasuredOn | None = None) -> Link:
    """The lineage of a folder or file. Raises InputError if it is not there, or a record is damaged."""
    if not path.exists():
        raise InputError(f"{path}: expected an artifact, a result or a table, found none; name a folder or file that is here")
    return _follow(path, "", None, frozenset(), measured_on)


def follow_file(path: Path, measured_on: MeasuredOn | None = None) -> Link:
    """The same of a file that may be gone, such as one that a table names."""
    return _follow(path, "", None, frozenset(), measured_on)


def _follow(path: Path, role: str, recorded: str | None, above: frozenset[Path], measured_on: MeasuredOn | None) -> Link:
    record = find_record(path)
    if record is not None and record not in above:  # a file in a step's own folder that this step did not make
        known = _read(record)
        given = sorted(known["inputs"].items())
        below = above | {record}
        inputs = tuple(_follow(Path(item["path"]), name, item["sha256"], below, measured_on) for name, item in given)
        return Link(path, role, recorded, known, record, f"record {record}", inputs)
    if sources_path(path).is_file() and path.suffix == ".csv":
        files = dict.fromkeys(file for source in read_sources(path) for file in source.files)
        inputs = tuple(_follow(Path(file), "source", None, above, measured_on) for file in files)
        how = f"sources {sources_path(path)}: no digest, code or time is recorded"
        return Link(path, role, recorded, None, None, how, inputs)
    words, read = measured_on(path) if measured_on is not None else ("", ())
    inputs = tuple(_follow(item, "judged", None, above, measured_on) for item in read)
    return Link(path, role, recorded, None, None, words or _end(path), inputs)


def find_record(path: Path) -> Path | None:
    """In a file (the record of an experiment), next to it, or in the folder or the nearest one above it that a stage wrote."""
    if provenance_in(path) is not None:
        return path
    own = [record_path(path)] if path.suffix else []
    for candidate in own:
        if candidate.is_file():
            return candidate
    for folder in [path, *path.parents][:NEAR]:
        if (folder / RECORD).is_file():
            return folder / RECORD
        if (folder / REPORTED).is_file() and _is_output(path, folder):
            return folder / REPORTED
    return None


def _is_output(path: Path, folder: Path) -> bool:
    record = read_json(folder / REPORTED)
    outputs = record.get("outputs", []) if isinstance(record, dict) else []
    return path == folder or path.relative_to(folder).parts[0] in outputs


def _end(path: Path) -> str:
    if "artifacts" in path.parts or "results" in path.parts:
        return "missing link: no record says what it was made of"
    trackers = [folder.with_name(f"{folder.name}.dvc") for folder in [path, *path.parents] if folder.name]
    tracked = next((file for file in trackers if file.is_file()), None)
    return f"raw data, tracked by {tracked}" if tracked else "end of the chain: raw data, or made by what leaves no record"


def _read(record: Path) -> Record:
    value = provenance_in(record) or read_json(record)
    try:
        known: Record = {name: value.get(name) for name in KEPT}
        for item in known["inputs"].values():
            str(item["path"]), str(item["sha256"])
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(f"{record}: expected the record of a stage, got something else ({error!r}); make it again") from None
    return known


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
