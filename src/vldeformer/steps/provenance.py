"""``vldeformer provenance``: where an artifact, a result, a table or one cell of it came from, down to the raw data."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

if TYPE_CHECKING:
    from vldeformer.report.lineage import Link, MeasuredOn


def provenance(
    artifact: Annotated[Path, Parameter(help="folder or file of a step, RESULT.json or TABLE.csv")],
    other: Annotated[Path | None, Parameter(help="second artifact: show the first difference")] = None,
    /,
    *,
    row: Annotated[
        Sequence[str] | None,
        Parameter(
            metavar="TEXT...",
            consume_multiple=1,
            help="row of a table: cell texts that only this row has, e.g. decomposed test; with --column",
        ),
    ] = None,
    column: Annotated[
        str | None, Parameter(metavar="NAME", help="column of a table: a name in its first line; with --row")
    ] = None,
    config: Annotated[Path, Parameter(help="folder of the settings files")] = Path("config"),
    as_json: Annotated[bool, Parameter(name="--json", help="print one JSON object per line, inputs first")] = False,
) -> None:
    """Show what an artifact, result, table or cell was made from, down to the raw data.

    With two artifacts: show their first difference. The exit code is 1 if what was read has changed since.
    """
    import functools

    from vldeformer.errors import InputError
    from vldeformer.project.measured_on import measured_on
    from vldeformer.report.differences import first_difference
    from vldeformer.report.lineage import follow

    by_settings = functools.partial(measured_on, config_dir=config)
    if other is not None:
        if row is not None or column is not None:
            raise InputError("--row and --column are of one table; leave them out to compare two artifacts")
        found = first_difference(*(follow(path, by_settings) for path in (artifact, other)))
        print(json.dumps({"first_difference": found}) if as_json else found)
        return
    if row is None and column is None:
        _show([follow(artifact, by_settings)], as_json)
        return
    if row is None or column is None:
        raise InputError("a cell needs both --row and --column; give both or none")
    cell, links = _of_cell(artifact, row, column, by_settings)
    print(json.dumps(cell, ensure_ascii=False) if as_json else f"{cell['table']}: {cell['column']} = {cell['value']}")
    if not as_json:
        print(_where(cell))
    _show(links, as_json)


def _of_cell(table: Path, row: Sequence[str], column: str, by_settings: "MeasuredOn") -> "tuple[dict[str, Any], list[Link]]":
    from vldeformer.report.lineage import follow_file
    from vldeformer.report.sources import find_cell

    cell = find_cell(table, row, column)
    files, key = cell.source.of(column)
    described = {"table": str(table), "column": column, "value": cell.value, "files": list(files), "key": key}
    return described | {"how": cell.source.how}, [follow_file(Path(file), by_settings) for file in files]


def _where(cell: dict[str, Any]) -> str:
    from vldeformer.report.sources import value_in

    if not cell["files"]:
        return f"  {cell['how']}"
    if not cell["key"]:
        return f"  computed: {cell['how']}"
    (file,) = cell["files"]
    return f"  key {cell['key']} of {file}" + (f" = {value_in(Path(file), cell['key'])}" if Path(file).is_file() else "")


def _show(chains: "list[Link]", as_json: bool) -> None:
    import sys

    from vldeformer.report.lineage import CHANGED, in_order

    for link in in_order(*chains):
        if as_json:
            print(json.dumps(_plain(link), ensure_ascii=False))
        else:
            print("\n".join(_lines(link)))
    if any(link.state() == CHANGED for link in in_order(*chains)):
        sys.exit(1)


def _plain(link: "Link") -> dict[str, Any]:
    return {
        "path": str(link.path),
        "stage": link.stage,
        "sha256": link.recorded,
        "state": link.state(),
        "how": link.how,
        "seeds": dict(_seeds((link.record and link.record.settings) or {})),
        "record": link.record and link.record.model_dump(),
        "inputs": [str(below.path) for below in link.inputs],
    }


def _lines(link: "Link") -> Iterator[str]:
    content = f", sha256 {link.recorded[:12]}" if link.recorded else ""
    state = link.state()
    yield f"{link.path}: {state}{content}" + ("; `dvc pull`, or run the workflow" if state == "not here" else "")
    record = link.record
    if record is None:
        yield f"  {link.how}"
        return
    yield f"  made by {link.stage}: {record.time_in_words()}; {link.how}"
    yield f"  {record.code_in_words()}"
    yield f"  settings {json.dumps(record.settings, ensure_ascii=False, sort_keys=True)}"
    seeds = ", ".join(f"{name} {value}" for name, value in _seeds(record.settings or {}))
    yield f"  seeds {seeds or 'none among its settings'}"
    yield f"  {record.packages_in_words()}"
    yield f"  machine {record.machine_in_words()}"
    for below in link.inputs:
        yield f"  read {below.role}: {below.path}"


def _seeds(settings: dict[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _seeds(value, f"{place}{name}.")
        elif name == "seed":
            yield f"{place}{name}", value
