"""Published recalls of other models: facts from config/published.csv, each with its source, and the table of them and ours.

A row belongs to the protocol ``DATASET-PROTOCOL`` of its first two columns. A blank number was not found.
"""

import csv
from pathlib import Path

from vldeformer.errors import InputError
from vldeformer.evaluation.measures import CUTOFFS
from vldeformer.evaluation.result import DIRECTIONS
from vldeformer.evaluation.run_report import Files, Published, Recall, RunReport
from vldeformer.report.sources import Source
from vldeformer.report.table import ARROWS, Column, Row, Said, Table, decimals

RECALL_COLUMNS = {f"{direction}_r{k}": (direction, f"R@{k}") for direction in DIRECTIONS for k in CUTOFFS}
TEXT_COLUMNS = ("dataset", "protocol", "model", "kind", "source")
NOT_RUN = "not run"


def read_published(path: Path) -> tuple[Published, ...]:
    """Read published.csv. Raises InputError naming the file and line of a wrong header, a bad number or a model given twice."""
    peers: dict[tuple[str, str], Published] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if set(rows.fieldnames or ()) != {*TEXT_COLUMNS, *RECALL_COLUMNS}:
                raise InputError(
                    f"{path}: expected the columns {', '.join((*TEXT_COLUMNS, *RECALL_COLUMNS))}, got {rows.fieldnames}"
                )
            for row in rows:
                where = f"{path} line {rows.line_num}"
                if None in row or None in row.values():
                    raise InputError(f"{where}: expected {len(rows.fieldnames or ())} columns; quote a text that holds a comma")
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
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise InputError(f"{where}: {name}: expected percent between 0 and 100, or nothing, got {text!r}")
    return value


def peers_table(report: RunReport) -> Table:
    """Under each published protocol the published models, then ours with the difference from a counterpart."""
    rows: list[Row] = []
    for protocol in report.published_protocols:
        published = {one.model: one for one in report.published if one.protocol == protocol}
        rows += [_published_row(one) for one in published.values()]
        for experiment in report.titles:
            counterpart = published.get(report.counterparts.get(experiment, ""))
            rows.append(_own_row(report, experiment, report.recall(experiment, protocol), protocol, counterpart))
    columns = [
        Column("protocol", "Protocol"),
        Column("model", "Model"),
        Column("experiment"),
        Column("kind", "Kind"),
        Column("status"),
    ]
    columns += [Column(name, f"{ARROWS[way]} {recall}", decimals(1)) for name, (way, recall) in RECALL_COLUMNS.items()]
    columns += [Column(f"{name}_difference") for name in RECALL_COLUMNS]
    columns += [Column("counterpart"), Column("source", "Source")]
    caption = (
        "Recall in percent of published models and of ours; blank: not found. In brackets: ours minus the published model that "
        f"the last column names. Data set {report.dataset}."
    )
    return Table("peers", caption, columns, rows)


def _published_row(one: Published) -> Row:
    values: dict[str, object] = {"protocol": one.protocol, "model": one.model, "experiment": "", "kind": one.kind}
    values |= {"status": "published", **one.recalls, "counterpart": "", "source": one.source}
    return Row(values, Source((), {}, f"{one.where}, read from: {one.source}"))


def _own_row(report: RunReport, experiment: str, found: Recall | None, protocol: str, counterpart: Published | None) -> Row:
    status, against = NOT_RUN if found is None else "run", "" if counterpart is None else counterpart.model
    values: dict[str, object] = {
        "protocol": protocol,
        "experiment": experiment,
        "kind": "",
        "status": status,
        "counterpart": against,
    }
    values["model"] = Said(report.titles[experiment], f"{report.titles[experiment]} (ours)")
    values["source"] = Said("", f"this run, minus {against}" if against else "")
    for name, (way, recall) in RECALL_COLUMNS.items():
        theirs = None if counterpart is None else counterpart.recalls[name]
        if found is None:
            values[name] = Said(None, NOT_RUN)
            continue
        ours = (found.i2t if way == "i2t" else found.t2i)[recall].value
        values[name] = ours
        if theirs is not None:
            values |= {name: Said(ours, f"{ours:.1f} ({ours - theirs:+.1f})"), f"{name}_difference": ours - theirs}
    keys = {name: f"{way}/{recall}" for name, (way, recall) in RECALL_COLUMNS.items()}
    differences = f"; differences: minus {counterpart.where}" if counterpart else ""
    files: Files = found.files if found else ()
    return Row(values, Source(files, keys if found else {}, f"{status}{differences}"), experiment)
