"""Published recalls of other models beside ours: facts from config/published.csv, each with where it was read.

A row counts for the protocol ``DATASET-PROTOCOL`` of its two first columns. A blank number was not found; one of our models that
was not judged under the protocol stands there as "not run".
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vldeformer.errors import InputError
from vldeformer.evaluation.measures import CUTOFFS
from vldeformer.evaluation.result import DIRECTIONS, RetrievalResult
from vldeformer.report.results import ResultSet
from vldeformer.report.settings import ReportSettings
from vldeformer.report.sources import Source
from vldeformer.report.tables import ARROWS, Table

RECALL_COLUMNS = {f"{direction}_r{k}": (direction, f"R@{k}") for direction in DIRECTIONS for k in CUTOFFS}
TEXT_COLUMNS = ("dataset", "protocol", "model", "kind", "source")
NOT_RUN = "not run"

Recalls = dict[str, float | None]


@dataclass(frozen=True)
class Peer:
    """One published model under one protocol; ``recalls`` in percent by column name (``i2t_r1`` …), None: not found."""

    protocol: str
    model: str
    kind: str
    recalls: Recalls
    source: str
    where: str


def read_published(path: Path) -> tuple[Peer, ...]:
    """Read published.csv. Raises InputError naming the file and line of a wrong header, a bad number or a model given twice."""
    peers: dict[tuple[str, str], Peer] = {}
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
                peer = Peer(f"{row['dataset']}-{row['protocol']}", row["model"], row["kind"], recalls, row["source"], where)
                if (peer.protocol, peer.model) in peers:
                    raise InputError(f"{where}: model {peer.model!r} stands there twice under {peer.protocol}; give it once")
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


def peers_table(results: ResultSet, settings: ReportSettings, peers: Sequence[Peer]) -> Table:
    """Under each of ``report.published_protocols`` the published models, then ours with the difference from a counterpart.

    Raises InputError if nothing is published under a protocol, or a counterpart under none of them.
    """
    rows: list[_Row] = []
    for protocol in settings.published_protocols:
        published = {peer.model: peer for peer in peers if peer.protocol == protocol}
        if not published:
            raise InputError(f"report.published_protocols: nothing is published under {protocol!r}; add a row or leave it out")
        rows += [
            _Row(protocol, peer.model, peer.kind, "published", peer.recalls, source=peer.source, where=(peer.where,))
            for peer in published.values()
        ]
        for experiment, title in settings.titles.items():
            result = results.get(experiment, protocol)
            status = NOT_RUN if result is None else "run"
            recalls = dict.fromkeys(RECALL_COLUMNS) if result is None else _recalls(result)
            peer = published.get(settings.counterparts.get(experiment, ""))
            where = () if result is None else results.files([result])
            rows.append(_Row(protocol, title, "", status, recalls, experiment=experiment, counterpart=peer, where=where))
    known = {row.model for row in rows if row.status == "published"}
    for experiment, model in settings.counterparts.items():
        if model not in known:
            raise InputError(f"report.counterparts.{experiment}: expected a published model of these protocols, got {model!r}")
    caption = (
        "Recall in percent beside published models; blank: not found. In brackets: ours less the published model that the last "
        f"column names. Data set {results.dataset}."
    )
    frames = pd.DataFrame([row.shown() for row in rows]), pd.DataFrame([row.numbers() for row in rows])
    return Table("peers", caption, *frames, [row.origin() for row in rows])


@dataclass(frozen=True)
class _Row:
    """A published model, or one of ours with its counterpart."""

    protocol: str
    model: str
    kind: str
    status: str
    recalls: Recalls
    source: str = ""
    experiment: str = ""
    counterpart: Peer | None = None
    where: tuple[str, ...] = ()

    @property
    def differences(self) -> Recalls:
        """Ours less the counterpart's, where both are known."""
        theirs: Recalls = dict.fromkeys(RECALL_COLUMNS) if self.counterpart is None else self.counterpart.recalls
        return {name: _difference(self.recalls[name], theirs[name]) for name in RECALL_COLUMNS}

    def shown(self) -> dict[str, str]:
        ours = self.status != "published"
        row = {"Protocol": self.protocol, "Model": f"{self.model} (ours)" if ours else self.model, "Kind": self.kind}
        for name, (direction, recall) in RECALL_COLUMNS.items():
            value, difference = self.recalls[name], self.differences[name]
            cell = "" if value is None else f"{value:.1f}" if difference is None else f"{value:.1f} ({difference:+.1f})"
            row[f"{ARROWS[direction]} {recall}"] = NOT_RUN if self.status == NOT_RUN else cell
        return row | {"Source": self.source if self.counterpart is None else f"this run, less {self.counterpart.model}"}

    def numbers(self) -> dict[str, object]:
        return {
            "protocol": self.protocol,
            "model": self.model,
            "experiment": self.experiment,
            "kind": self.kind,
            "status": self.status,
            **self.recalls,
            **{f"{name}_difference": value for name, value in self.differences.items()},
            "counterpart": "" if self.counterpart is None else self.counterpart.model,
            "source": self.source,
        }

    def origin(self) -> Source:
        """Ours stand in a result file; a published one in a line of config/published.csv, which says where it was read."""
        if self.status == "published":
            return Source((), {}, f"{self.where[0]}, read from: {self.source}")
        against = "" if self.counterpart is None else f"; differences: less {self.counterpart.where}"
        keys = {name: f"{direction}/{recall}" for name, (direction, recall) in RECALL_COLUMNS.items()}
        return Source(self.where, keys if self.where else {}, f"{self.status}{against}")


def _recalls(result: RetrievalResult) -> Recalls:
    estimates = {"i2t": result.i2t, "t2i": result.t2i}
    return {name: estimates[direction][recall].value for name, (direction, recall) in RECALL_COLUMNS.items()}


def _difference(ours: float | None, theirs: float | None) -> float | None:
    return None if ours is None or theirs is None else ours - theirs
