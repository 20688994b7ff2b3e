"""Published recalls of other models: facts from config/published.csv, each with its source, and the table of them and ours.

A row belongs to the protocol ``DATASET-PROTOCOL`` of its first two columns. A blank number was not found.
"""

import contextlib
import csv
from pathlib import Path
from typing import Any

from vldeformer.errors import InputError
from vldeformer.evaluation.measures import CUTOFFS
from vldeformer.evaluation.result import DIRECTIONS
from vldeformer.evaluation.run_facts import Published
from vldeformer.evaluation.run_report import RunReport
from vldeformer.report.sources import Source
from vldeformer.report.table import ARROWS, EXPERIMENT, MODEL, ONE, Column, Row, Said, Table

RECALL_COLUMNS = {f"{direction}_r{k}": (direction, f"R@{k}") for direction in DIRECTIONS for k in CUTOFFS}
EXPECTED = ("dataset", "protocol", "model", "kind", "source", *RECALL_COLUMNS)
NOT_RUN = "not run"


def read_published(path: Path) -> tuple[Published, ...]:
    """Read published.csv. Raises InputError naming the file and line of a wrong header, a bad number or a model given twice."""
    peers: dict[tuple[str, str], Published] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if set(rows.fieldnames or ()) != set(EXPECTED):
                raise InputError(f"{path}: expected the columns {', '.join(EXPECTED)}, got {rows.fieldnames}")
            for row in rows:
                where = f"{path} line {rows.line_num}"
                if None in row or None in row.values():
                    raise InputError(f"{where}: expected {len(EXPECTED)} columns; quote a text that holds a comma")
                recalls = {name: _percent(where, name, row[name]) for name in RECALL_COLUMNS}
                texts = {name: row[name] for name in ("model", "kind", "source")}
                peer = Published(protocol=f"{row['dataset']}-{row['protocol']}", recalls=recalls, where=where, **texts)
                if (peer.protocol, peer.model) in peers:
                    raise InputError(f"{where}: model {peer.model!r} is there twice under {peer.protocol}; give it once")
                peers[peer.protocol, peer.model] = peer
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected a CSV file in UTF-8, got something else ({error})") from None
    return tuple(peers.values())


def _percent(where: str, name: str, text: str) -> float | None:
    if not text:
        return None
    with contextlib.suppress(ValueError):
        if 0 <= float(text) <= 100:
            return float(text)
    raise InputError(f"{where}: {name}: expected percent between 0 and 100, or nothing, got {text!r}")


def peers_table(report: RunReport) -> Table:
    """Under each published protocol the published models, then ours with the difference from a counterpart."""
    rows: list[Row] = []
    for protocol in report.published_protocols:
        published = {one.model: one for one in report.published if one.protocol == protocol}
        rows += [_published_row(one) for one in published.values()]
        for experiment in report.titles:
            rows.append(_own_row(report, experiment, protocol, published.get(report.counterparts.get(experiment, ""))))
    columns = [Column("protocol", "Protocol"), MODEL, EXPERIMENT, Column("kind", "Kind"), Column("status")]
    columns += [Column(name, f"{ARROWS[way]} {recall}", ONE) for name, (way, recall) in RECALL_COLUMNS.items()]
    columns += [Column(f"{name}_difference") for name in RECALL_COLUMNS]
    columns += [Column("counterpart"), Column("source", "Source")]
    caption = (
        "Recall in percent of published models and of ours; blank: not found. In brackets: ours minus the published model that "
        f"the last column names. Data set {report.dataset}."
    )
    return Table("peers", caption, columns, rows)


def _published_row(one: Published) -> Row:
    values = {**dict(one), **one.recalls, "experiment": "", "status": "published", "counterpart": ""}
    return Row(values, Source((), {}, f"{one.where}, read from: {one.source}"))


def _own_row(report: RunReport, experiment: str, protocol: str, counterpart: Published | None) -> Row:
    found, title = report.recall(experiment, protocol), report.titles[experiment]
    status, against = "run" if found else NOT_RUN, counterpart.model if counterpart else ""
    values: dict[str, Any] = {
        "protocol": protocol,
        "experiment": experiment,
        "kind": "",
        "status": status,
        "counterpart": against,
    }
    values["model"] = Said(title, f"{title} (ours)")
    values["source"] = Said("", f"this run, minus {against}" if against else "")
    for name, (way, recall) in RECALL_COLUMNS.items():
        ours = found.of(way)[recall].value if found else None
        theirs = counterpart.recalls[name] if counterpart else None
        if ours is None:
            values[name] = Said(None, NOT_RUN)
        elif theirs is None:
            values[name] = ours
        else:
            values |= {name: Said(ours, f"{ours:.1f} ({ours - theirs:+.1f})"), f"{name}_difference": ours - theirs}
    keys = {name: f"{way}/{recall}" for name, (way, recall) in RECALL_COLUMNS.items()}
    how = f"{status}; differences: minus {counterpart.where}" if counterpart else status
    return Row(values, Source(found.files, keys, how) if found else Source((), {}, how), experiment)
