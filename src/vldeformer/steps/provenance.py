"""``vldeformer provenance``: where an artifact, a result, a table or one cell of it came from, down to the raw data."""

import argparse
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vldeformer.commands.arguments import add_command
from vldeformer.errors import InputError

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands
    from vldeformer.report.lineage import Link, MeasuredOn


def add_provenance(commands: "Commands") -> None:
    """The command ``provenance``."""
    summary = "an artifact, result, table or cell → all that made it, down to the raw data; of two: their first difference"
    added = add_command(commands, "provenance", _provenance, summary)
    added.add_argument("artifact", type=Path, metavar="ARTIFACT", help="folder or file of a stage, RESULT.json or TABLE.csv")
    added.add_argument("other", type=Path, nargs="?", metavar="OTHER", help="a second one, to name the first difference")
    texts = "of a table: texts of cells that only this row has, e.g. decomposed test; with --column"
    added.add_argument("--row", nargs="+", metavar="TEXT", help=texts)
    added.add_argument("--column", metavar="NAME", help="of a table: a name in its first line; with --row")
    added.add_argument("--config", type=Path, default=Path("config"), metavar="PATH", help="settings files (default: config)")
    added.add_argument("--json", action="store_true", help="one JSON object a line, inputs first")
    added.set_defaults(out=Path("provenance"))  # what a failure of the system is said of


def _provenance(given: argparse.Namespace) -> None:
    from vldeformer.commands.differences import first_difference
    from vldeformer.report.lineage import follow

    if (given.row is None) != (given.column is None):
        raise InputError("a cell needs both --row and --column; give both or none")
    if given.other is not None:
        if given.row is not None:
            raise InputError("--row and --column are of one table; leave them out to compare two artifacts")
        found = first_difference(*(follow(path, _by_settings(given)) for path in (given.artifact, given.other)))
        print(json.dumps({"first_difference": found}) if given.json else found)
        return
    if given.row is None:
        _show([follow(given.artifact, _by_settings(given))], given.json)
        return
    cell, links = _of_cell(given)
    print(json.dumps(cell, ensure_ascii=False) if given.json else f"{cell['table']}: {cell['column']} = {cell['value']}")
    if not given.json:
        print(_where(cell))
    _show(links, given.json)


def _of_cell(given: argparse.Namespace) -> "tuple[dict[str, Any], list[Link]]":
    from vldeformer.report.lineage import follow_file
    from vldeformer.report.sources import find_cell

    cell = find_cell(given.artifact, given.row, given.column)
    files, key = cell.source.of(given.column)
    described = {"table": str(given.artifact), "column": given.column, "value": cell.value, "files": list(files), "key": key}
    return described | {"how": cell.source.how}, [follow_file(Path(file), _by_settings(given)) for file in files]


def _where(cell: dict[str, Any]) -> str:
    from vldeformer.report.sources import value_in

    if not cell["files"]:
        return f"  {cell['how']}"
    if not cell["key"]:
        return f"  computed: {cell['how']}"
    (file,) = cell["files"]
    return f"  key {cell['key']} of {file}" + (f" = {value_in(Path(file), cell['key'])}" if Path(file).is_file() else "")


def _by_settings(given: argparse.Namespace) -> "MeasuredOn":
    from vldeformer.commands.measured_on import measured_on

    return functools.partial(measured_on, config_dir=given.config)


def _show(chains: "list[Link]", as_json: bool) -> None:
    from vldeformer.report.lineage import in_order

    for link in in_order(*chains):
        if as_json:
            print(json.dumps(_plain(link), ensure_ascii=False))
        else:
            print("\n".join(_lines(link)))


def _plain(link: "Link") -> dict[str, Any]:
    return {
        "path": str(link.path),
        "stage": link.stage,
        "sha256": link.recorded,
        "state": link.state(),
        "how": link.how,
        "seeds": dict(_seeds((link.record or {}).get("settings") or {})),
        "record": link.record,
        "inputs": [str(below.path) for below in link.inputs],
    }


def _lines(link: "Link") -> Iterator[str]:
    from vldeformer.report.record_words import code_in_words, machine_in_words, packages_in_words, time_in_words

    content = f", sha256 {link.recorded[:12]}" if link.recorded else ""
    state = link.state()
    yield f"{link.path}: {state}{content}" + ("; `dvc pull`, or run the workflow" if state == "not here" else "")
    record = link.record
    if record is None:
        yield f"  {link.how}"
        return
    yield f"  made by {link.stage}: {time_in_words(record)}; {link.how}"
    yield f"  {code_in_words(record['code'] or {})}"
    yield f"  settings {json.dumps(record['settings'], ensure_ascii=False, sort_keys=True)}"
    seeds = ", ".join(f"{name} {value}" for name, value in _seeds(record["settings"] or {}))
    yield f"  seeds {seeds or 'none among its settings'}"
    yield f"  {packages_in_words(record)}"
    yield f"  machine {machine_in_words(record['machine'] or {})}"
    for below in link.inputs:
        yield f"  read {below.role}: {below.path}"


def _seeds(settings: dict[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _seeds(value, f"{place}{name}.")
        elif name == "seed":
            yield f"{place}{name}", value
