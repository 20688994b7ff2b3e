"""The five claims of the paper beside what the results say: a page made from files that git keeps, and from nothing else.

A claim is held if the whole interval allows it, not held if the whole interval forbids it, else unknown, as it is where nothing
was run.
"""

import contextlib
import csv
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vldeformer.artifact import read_json
from vldeformer.errors import InputError

HELD, NOT_HELD, UNKNOWN = "held", "not held", "unknown"
HEAD = """# The paper's claims and what our runs show

Made by `vldeformer claims` (`snakemake everything`); do not edit. *Held*: the whole 95 % interval over test images allows the
claim; *not held*: all of it forbids it; *unknown*: it allows both, or nothing was run. Means are over seeds, differences paired.
Seeds are those of the training: all of them start from one pre-training, read one set of composed negatives and, where they are
distilled, learn from one joint model.
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
    """The files of one data set's folder; what is not there is empty.

    ``ablated``: whether the target `ablations` counts, if its files are there.
    What a judge makes of a file it makes inside the ``with`` of the file: a file that is not as the report writes it is an
    InputError that names it.
    """

    folder: Path
    ablated: bool = True

    @property
    def dataset(self) -> str:
        """Its name."""
        return self.folder.name

    @contextlib.contextmanager
    def json(self, name: str) -> Iterator[dict[str, Any]]:
        """A JSON file of it."""
        path = self.folder / name
        with _as_reported(path):
            counts = path.is_file() and (self.ablated or not name.startswith("ablations/"))
            value = read_json(path) if counts else {}
            if not isinstance(value, dict):
                raise TypeError(f"no JSON object: {str(value)[:60]}")
            yield value

    @contextlib.contextmanager
    def rows(self, name: str) -> Iterator[list[dict[str, str]]]:
        """The rows of a table of it."""
        path = self.folder / "tables" / f"{name}.csv"
        with _as_reported(path), contextlib.ExitStack() as opened:
            file = opened.enter_context(path.open(encoding="utf-8", newline="")) if path.is_file() else ()
            yield list(csv.DictReader(file))

    def file(self, name: str) -> str:
        """A file of it as the page calls it."""
        return f"results/{self.dataset}/{name}"


@contextlib.contextmanager
def _as_reported(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{path}: expected a file as the report writes it, got another ({what}); report again") from None


def claims_page(folders: Sequence[Path]) -> str:
    """The page in Markdown about the data sets of these folders. Raises InputError naming a file that is none of a report's."""
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
    with found.rows("speed") as rows:
        bounds = [float(row["value"]) for row in rows if row["quantity"] == "claimed_speedup"]
    with found.json("speed.json") as speed:
        if not speed or not bounds:
            return [not_run("speed")]
        times, least = speed["speedup"], bounds[0]
        size = f"{speed['n_images']:,} images × {speed['n_captions']:,} captions"
        joint = f"{speed['joint_seconds_extrapolated']:,.0f} s, extrapolated from {speed['sampled_pairs']:,} pairs"
        shown = f"{times:,.0f} times: {size} in {speed['dual_seconds']:.2f} s against {joint}; bound {least:,.0f} times"
        return [Finding(HELD if times >= least else NOT_HELD, shown, found.file("speed.json"))]


def small_drop(found: Found) -> list[Finding]:
    """Recall drop of each model that the claim is about, over the most seeds there are."""
    for name in ("ablations/metrics.json", "metrics.json"):
        with found.json(name) as metrics:
            findings = []
            for experiment, drop in _claimed(metrics).items():
                verdict = {"held": HELD, "not held": NOT_HELD}.get(drop["verdict"], UNKNOWN)
                shown = f"`{experiment}`: drop {points(drop)}, {seeds(drop.get('seeds', 1))}; bound {drop['claim']:g}"
                findings.append(Finding(verdict, shown, found.file(name)))
        if findings:
            return findings
    return [not_run("recall drop")]


def hard_negatives(found: Found) -> list[Finding]:
    """Gain of hard negatives over none, in recall and in the compositional test, of the main model and of a long training."""
    name, findings = "ablations/metrics.json", []
    with found.json(name) as metrics:
        for ablation, experiment in (("negatives", metrics.get("main", "")), ("long", "long")):
            row = metrics.get("ablations", {}).get(ablation, {}).get(experiment)
            if not row or not row["gain"]:
                continue
            findings.append(Finding(sign(row["gain"]), f"`{experiment}`: gain in mean recall {_gain(row)}", found.file(name)))
            composed = row.get("compositional_gain")
            if composed:
                shown = f"`{experiment}`: gain in the compositional test {points(composed)}, {seeds(composed['seeds'])}"
                findings.append(Finding(sign(composed), shown, found.file(name)))
    return findings or [not_ablated(found, "hard negatives")]


def small_target_set(found: Found) -> list[Finding]:
    """Gain of the pre-trained start over random weights at each size of the target set."""
    name = "ablations/metrics.json"
    with found.json(name) as metrics:
        gains = [row for row in metrics.get("ablations", {}).get("start", {}).values() if row["gain"]]
        findings = []
        for row in sorted(gains, key=lambda row: row["at"] or math.inf):
            size = f"{row['at']:,.0f} target images" if row["at"] else "whole target set"
            findings.append(Finding(sign(row["gain"]), f"{size}: gain {_gain(row)}", found.file(name)))
        return findings or [not_ablated(found, "pre-trained start against random weights")]


def better_than_peers(found: Found) -> list[Finding]:
    """Our best decomposed model beside the published ones that embed each item alone, by the mean of six recalls."""
    if not found.dataset.startswith(PAPER_DATASETS):
        return [Finding(UNKNOWN, "the claim is of COCO and Flickr30k", "")]
    with found.json("metrics.json") as metrics:
        claimed = _claimed(metrics)
    findings = []
    with found.rows("peers") as rows:
        for protocol in dict.fromkeys(row["protocol"] for row in rows):
            own = [row for row in rows if row["protocol"] == protocol]
            ours = _means(row for row in own if row["status"] == "run" and row["experiment"] in claimed)
            peers = _means(row for row in own if row["status"] == "published" and row["kind"].startswith("dual"))
            if ours and peers:
                best, peer = max(ours, key=ours.__getitem__), max(peers, key=peers.__getitem__)
                verdict = HELD if ours[best] > peers[peer] else NOT_HELD
                beside = f"{protocol}: {best} {ours[best]:.1f}, best published {peer} {peers[peer]:.1f}"
                findings.append(Finding(verdict, f"{beside}; scales of pre-training differ", found.file("tables/peers.csv")))
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


def not_ablated(found: Found, what: str) -> Finding:
    """No ablation was run, or what was is the subject of another page."""
    if found.ablated:
        return not_run(what)
    return Finding(UNKNOWN, f"{what}: not judged here but by `snakemake ablations`, on a page of its own", "")


def sign(gain: dict[str, Any]) -> str:
    """Held if the whole interval is above 0."""
    return HELD if gain["low"] > 0 else NOT_HELD if gain["high"] <= 0 else UNKNOWN


def points(estimate: dict[str, Any]) -> str:
    """``0.78 points [-0.32, 1.87]``."""
    return f"{estimate['value']:.2f} points [{estimate['low']:.2f}, {estimate['high']:.2f}]"


def seeds(count: int) -> str:
    """How many seeds a number is the mean of."""
    return f"{count} seeds" if count > 1 else "1 seed"


def _gain(row: dict[str, Any]) -> str:
    """The gain of a row of an ablation, over the seeds that it and its reference were run with."""
    return f"{points(row['gain'])}, {seeds(len(row['gain']['each_seed']))}"


def _claimed(metrics: dict[str, Any]) -> dict[str, Any]:
    """Experiment → recall drop, of the models that the settings call claimed."""
    return {name: drop for name, drop in metrics.get("recall_drops", {}).items() if drop.get("claimed", True)}


def _means(rows: Iterable[dict[str, str]]) -> dict[str, float]:
    """Model → mean of six recalls, of the rows of the table of peers in which all six were found."""
    names = [f"{direction}_r{cutoff}" for direction in ("i2t", "t2i") for cutoff in (1, 5, 10)]
    return {row["model"]: sum(float(row[name]) for name in names) / 6 for row in rows if all(row[name] for name in names)}
