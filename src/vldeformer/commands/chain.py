"""The records that stages left beside their output, followed from an artifact down to the raw data, and compared.

Nothing is guessed: an input is what a record says it was, and a file without a record ends the chain. Only from a result to
what it was measured on leads the plan, as no record does, and that is said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vldeformer.artifact import RECORD, digest, read_json
from vldeformer.commands.explaining import stages_behind
from vldeformer.errors import InputError
from vldeformer.report.sources import read_sources, sources_path
from vldeformer.stages.provenance import record_path

KEPT = ("inputs", "code", "settings", "packages", "python", "machine", "finished", "wall_seconds", "command")
"""What is read of a record."""
NEAR = 3
"""A record is looked for in a folder and in those just above it: train/provenance.json is that of train/model/weights too."""


@dataclass(frozen=True)
class Link:
    """An artifact and what it was made of.

    ``role``: what it was to the stage that read it; ``recorded``: the digest that this stage saw; ``record``: what its own
    stage wrote about it; ``how``: what is known in its stead; ``inputs``: links of what it was made of.
    """

    path: Path
    role: str
    recorded: str | None
    record: dict[str, Any] | None
    how: str
    inputs: tuple["Link", ...]

    @property
    def stage(self) -> str:
        """Name of the step, as the command line calls it."""
        command = (self.record or {}).get("command") or []
        return str(command[1]) if len(command) > 1 else self.path.name

    def state(self) -> str:
        """Whether what lies there now is what was read."""
        if not self.path.exists():
            return "not here"
        if self.recorded is None:
            return "here"
        return "as it was read" if digest(self.path) == self.recorded else "changed since it was read"


def follow(path: Path, config_dir: Path) -> Link:
    """The chain of a folder or file. Raises InputError if it is not there, or a record is damaged."""
    if not path.exists():
        raise InputError(f"{path}: expected an artifact, a result or a table, found none; name a folder or file that is here")
    return _follow(path, config_dir, "", None, frozenset())


def _follow(path: Path, config_dir: Path, role: str, recorded: str | None, above: frozenset[Path]) -> Link:
    record = find_record(path)
    if record is not None and record not in above:  # what lies in a stage's own folder was not made by that stage
        known = _read(record)
        given = sorted(known["inputs"].items())
        below = above | {record}
        inputs = tuple(_follow(Path(item["path"]), config_dir, name, item["sha256"], below) for name, item in given)
        return Link(path, role, recorded, known, f"record {record}", inputs)
    if sources_path(path).is_file() and path.suffix == ".csv":
        files = dict.fromkeys(file for source in read_sources(path) for file in source.files)
        inputs = tuple(_follow(Path(file), config_dir, "source", None, above) for file in files)
        return Link(path, role, recorded, None, f"sources {sources_path(path)}: no digest, code or time is recorded", inputs)
    return _by_plan(path, config_dir, role, recorded, above)


def find_record(path: Path) -> Path | None:
    """Beside a file, or in the folder or the nearest one above it that a stage wrote."""
    own = [record_path(path)] if path.suffix else []
    for candidate in [*own, *(folder / RECORD for folder in [path, *path.parents][:NEAR])]:
        if candidate.is_file():
            return candidate
    return None


def _by_plan(path: Path, config_dir: Path, role: str, recorded: str | None, above: frozenset[Path]) -> Link:
    try:
        stages = stages_behind(path, config_dir)
    except InputError as error:
        return Link(path, role, recorded, None, f"no record, and its settings are not here: {error}", ())
    if stages:
        _, _, folder = stages[-1]
        # The compositional test writes no folder of its own: it read the items and the model.
        test = stages[-1][0] == "compositional"
        read = [folder for stage, _, folder in stages if stage in ("compositional-items", "train")] if test else [folder]
        how = f"no record; by the present settings it was measured on {' and '.join(map(str, read))}"
        return Link(path, role, recorded, None, how, tuple(_follow(item, config_dir, "judged", None, above) for item in read))
    return Link(path, role, recorded, None, _end(path), ())


def _end(path: Path) -> str:
    if "artifacts" in path.parts or "results" in path.parts:
        return "missing link: no record says what it was made of"
    trackers = [folder.with_name(f"{folder.name}.dvc") for folder in [path, *path.parents] if folder.name]
    tracked = next((file for file in trackers if file.is_file()), None)
    return f"raw data, tracked by {tracked}" if tracked else "end of the chain: raw data, or made by what leaves no record"


def _read(record: Path) -> dict[str, Any]:
    value = read_json(record)
    try:
        known: dict[str, Any] = {name: value.get(name) for name in KEPT}
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
