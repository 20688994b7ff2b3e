"""The five claims of the paper beside what the results say: a page made from files that git keeps, and from nothing else.

A claim is held if the whole interval allows it, not held if the whole interval forbids it, else unknown, as it is where nothing
was run.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vldeformer.artifact import read_json

HELD, NOT_HELD, UNKNOWN = "held", "not held", "unknown"
HEAD = """# The paper's claims and what our runs show

Made by `vldeformer claims` (`snakemake everything`); do not edit. *Held*: the whole 95 % interval over test images allows the
claim; *not held*: all of it forbids it; *unknown*: it allows both, or nothing was run. Means are over seeds, differences paired.
`scenes` is a small world made here and `flickr8k` a small model of its own: neither is the paper's data set.
"""
PAPER_DATASETS = ("coco", "flickr30k")


@dataclass(frozen=True)
class Finding:
    """What a data set says of a claim, why, and the file that says it."""

    verdict: str
    shown: str
    file: str


@dataclass(frozen=True)
class Found:
    """The files of one data set's folder; what is not there is empty."""

    folder: Path

    @property
    def dataset(self) -> str:
        """Its name."""
        return self.folder.name

    def json(self, name: str) -> dict[str, Any]:
        """A JSON file of it."""
        path = self.folder / name
        return dict(read_json(path)) if path.is_file() else {}

    def rows(self, name: str) -> list[dict[str, str]]:
        """The rows of a table of it."""
        path = self.folder / "tables" / f"{name}.csv"
        if not path.is_file():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def file(self, name: str) -> str:
        """A file of it as the page calls it."""
        return f"results/{self.dataset}/{name}"


def claims_page(folders: Sequence[Path]) -> str:
    """The page in Markdown about the data sets of these folders. Raises InputError naming a file that is cut short."""
    parts = [HEAD]
    for number, (claim, judge) in enumerate(CLAIMS, start=1):
        parts.append(f"## {number}. {claim}\n")
        parts.append("| data set | claim | what was measured | file |\n| --- | --- | --- | --- |")
        for folder in folders:
            found = Found(folder)
            for finding in judge(found):
                file = f"`{finding.file}`" if finding.file else ""
                parts.append(f"| {found.dataset} | **{finding.verdict}** | {finding.shown} | {file} |")
        parts.append("")
    return "\n".join(parts)


def faster(found: Found) -> list[Finding]:
    """Time of the joint model, extrapolated, by that of the decomposed one; medians of repeats, no interval."""
    speed = found.json("speed.json")
    bound = {row["quantity"]: row["value"] for row in found.rows("speed")}.get("claimed_speedup")
    if not speed or bound is None:
        return [not_run("speed")]
    times, least = speed["speedup"], float(bound)
    size = f"{speed['n_images']:,} images × {speed['n_captions']:,} captions"
    joint = f"{speed['joint_seconds_extrapolated']:,.0f} s, extrapolated from {speed['sampled_pairs']:,} pairs"
    shown = f"{times:,.0f} times: {size} in {speed['dual_seconds']:.2f} s against {joint}; bound {least:,.0f} times"
    return [Finding(HELD if times >= least else NOT_HELD, shown, found.file("speed.json"))]


def small_drop(found: Found) -> list[Finding]:
    """Recall drop of each trained decomposed model, over the most seeds there are."""
    name = next((name for name in ("ablations/metrics.json", "metrics.json") if found.json(name).get("recall_drops")), None)
    if name is None:
        return [not_run("recall drop")]
    findings = []
    for experiment, drop in found.json(name)["recall_drops"].items():
        if experiment == "untrained":
            continue
        verdict = {"held": HELD, "not held": NOT_HELD}.get(drop["verdict"], UNKNOWN)
        seeds = f", {drop['seeds']} seeds" if drop.get("seeds", 1) > 1 else ", 1 seed"
        findings.append(
            Finding(verdict, f"`{experiment}`: drop {points(drop)}{seeds}; bound {drop['claim']:g}", found.file(name))
        )
    return findings


def hard_negatives(found: Found) -> list[Finding]:
    """Gain of the composed negatives of both kinds over none: in recall, and in the compositional test."""
    name = "ablations/metrics.json"
    row = found.json(name).get("ablations", {}).get("negatives", {}).get(found.json(name).get("main", ""))
    if not row or not row["gain"]:
        return [not_run("hard negatives")]
    findings = [Finding(sign(row["gain"]), f"mean recall: gain {points(row['gain'])}, {seeds(row)}", found.file(name))]
    composed = row.get("compositional_gain")
    if composed:
        shown = f"compositional test: gain {points(composed)}, {seeds(row)}"
        findings.append(Finding(sign(composed), shown, found.file(name)))
    return findings


def small_target_set(found: Found) -> list[Finding]:
    """Gain of the pre-trained start over random weights at each size of the target set."""
    name = "ablations/metrics.json"
    rows = found.json(name).get("ablations", {}).get("start", {})
    gains = [row for row in rows.values() if row["gain"]]
    if not gains:
        return [not_run("pre-trained start against random weights")]
    findings = []
    for row in sorted(gains, key=lambda row: row["at"] or 0.0):
        size = f"{row['at']:,.0f} target images" if row["at"] and len(gains) > 1 else "whole target set"
        findings.append(Finding(sign(row["gain"]), f"{size}: gain {points(row['gain'])}, {seeds(row)}", found.file(name)))
    return findings


def better_than_peers(found: Found) -> list[Finding]:
    """Our best decomposed model beside the published ones that embed each item alone, by the mean of six recalls."""
    if not found.dataset.startswith(PAPER_DATASETS):
        return [Finding(UNKNOWN, "the claim is of COCO and Flickr30k", "")]
    rows = found.rows("peers")
    findings = []
    for protocol in dict.fromkeys(row["protocol"] for row in rows):
        own = [row for row in rows if row["protocol"] == protocol]
        ours = _means(row for row in own if row["status"] == "run" and row["experiment"] not in ("joint", "reranked"))
        peers = _means(row for row in own if row["status"] == "published" and row["kind"].startswith("dual"))
        if ours and peers:
            best, peer = max(ours, key=ours.__getitem__), max(peers, key=peers.__getitem__)
            held = ours[best] > peers[peer]
            shown = f"{protocol}: {best} {ours[best]:.1f}, best published {peer} {peers[peer]:.1f}; scales of pre-training differ"
            findings.append(Finding(HELD if held else NOT_HELD, shown, found.file("tables/peers.csv")))
    return findings or [not_run("recall beside published models")]


CLAIMS: tuple[tuple[str, Callable[[Found], list[Finding]]], ...] = (
    ("Decomposed retrieval is more than 1000 times faster than early interaction", faster),
    ("Average recall drops by less than 0.6 points against the early-interaction model", small_drop),
    ("Composed bi-modal hard negatives are what keeps the accuracy", hard_negatives),
    ("A small target set is enough, because the backbone knows the matching already; from scratch it fails", small_target_set),
    ("It beats visual-semantic-embedding models of the same scale on COCO and Flickr30k", better_than_peers),
)
"""Claims of the abstracts (shared/docs/method.md), and what judges each."""


def not_run(what: str) -> Finding:
    """Nothing was run."""
    return Finding(UNKNOWN, f"not run: {what}", "")


def sign(gain: dict[str, Any]) -> str:
    """Held if the whole interval is above 0."""
    return HELD if gain["low"] > 0 else NOT_HELD if gain["high"] <= 0 else UNKNOWN


def points(estimate: dict[str, Any]) -> str:
    """``0.78 points [-0.32, 1.87]``."""
    return f"{estimate['value']:.2f} points [{estimate['low']:.2f}, {estimate['high']:.2f}]"


def seeds(row: dict[str, Any]) -> str:
    """How many seeds a gain is the mean of."""
    count = len(row["gain"]["each_seed"])
    return f"{count} seeds" if count > 1 else "1 seed"


def _means(rows: Iterable[dict[str, str]]) -> dict[str, float]:
    """Model → mean of six recalls, of the rows of the table of peers in which all six were found."""
    names = [f"{direction}_r{cutoff}" for direction in ("i2t", "t2i") for cutoff in (1, 5, 10)]
    return {row["model"]: sum(float(row[name]) for name in names) / 6 for row in rows if all(row[name] for name in names)}
