"""The five claims of the paper beside what the results say: a page made from files that git keeps, and from nothing else.

A claim is held if the whole interval allows it, not held if the whole interval forbids it, else unknown, as it is where nothing
was run. It is judged by the main model; what other models show stands beside it.
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

HELD, NOT_HELD, UNKNOWN, BESIDE = "held", "not held", "unknown", "beside"
HEAD = """# The paper's claims and what our runs show

Made by `vldeformer claims` (`snakemake everything`); do not edit. *Held*: the whole 95 % interval over test images allows the
claim; *not held*: all of it forbids it; *unknown*: it allows both, nothing was run, or the joint model is worse by more than the
bound of the drop, so that there is no accuracy to keep; *beside*: of a model that the claim is not about.
Means are over seeds, differences paired.
Seeds are those of the training: all of them start from one pre-training, read one set of composed negatives and, where they are
distilled, learn from one joint model.
`scenes` is a small world made here and `flickr8k` a small model of its own: neither is the paper's data set. On `scenes` the
pre-trained start is half of the pre-trained weights and half of random ones (`train.start`), but for `whole_start`.
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
    """Recall drop of the main model and, beside it, of what it is compared with; over the most seeds there are."""
    for name in ("ablations/metrics.json", "metrics.json"):
        with found.json(name) as metrics:
            findings = []
            for experiment, drop in _claimed(metrics).items():
                verdict = drop["verdict"] if experiment == _main(metrics) else BESIDE
                findings.append(Finding(verdict, f"{_drop(experiment, drop)}; bound {drop['claim']:g}", found.file(name)))
        if findings:
            return findings
    return [not_run("recall drop")]


def hard_negatives(found: Found) -> list[Finding]:
    """Whether the accuracy is kept with hard negatives and lost without, then what is gained by them.

    Gains are in recall and in the compositional test.
    """
    name = "ablations/metrics.json"
    with found.json(name) as metrics:
        experiment = _main(metrics)
        row = metrics.get("ablations", {}).get("negatives", {}).get(experiment)
        if not row or not row["gain"]:
            return [not_ablated(found, "hard negatives")]
        drops, without = metrics["recall_drops"], row["reference"]
        both = f"{_drop(experiment, drops[experiment])}; without, {_drop(without, drops[without])}"
        findings = [Finding(needed(drops[experiment], drops[without]), f"They keep it: {both}", found.file(name))]
        findings.append(Finding(sign(row["gain"]), f"They help: gain in mean recall {_gain(row)}", found.file(name)))
        composed = row.get("compositional_gain")
        if composed:
            shown = f"They help: gain in the compositional test {points(composed)}, {seeds(composed['seeds'])}"
            findings.append(Finding(sign(composed), shown, found.file(name)))
        return findings


def small_target_set(found: Found) -> list[Finding]:
    """Gain of the pre-trained start over random weights at each size of the target set."""
    name = "ablations/metrics.json"
    with found.json(name) as metrics:
        gains = {name: row for name, row in metrics.get("ablations", {}).get("start", {}).items() if row["gain"]}
        findings = []
        for experiment, row in sorted(gains.items(), key=lambda item: item[1]["at"] or math.inf):
            size = f"{row['at']:,.0f} target images" if row["at"] else "whole target set"
            shown = f"{size}, `{experiment}` against `{row['reference']}`: gain {_gain(row)}"
            findings.append(Finding(sign(row["gain"]), shown, found.file(name)))
        return findings or [not_ablated(found, "pre-trained start against random weights")]


def better_than_peers(found: Found) -> list[Finding]:
    """Our main model beside the published ones that embed each item alone, by the mean of six recalls."""
    if not found.dataset.startswith(PAPER_DATASETS):
        return [Finding(UNKNOWN, "the claim is of COCO and Flickr30k", "")]
    with found.json("metrics.json") as metrics:
        experiment = _main(metrics)
        judged = metrics.get("models", {}).get(experiment, {})
        recalls = {
            name: value["mean_recall"] for name, value in judged.items() if isinstance(value, dict) and "protocol" in value
        }
    findings = []
    with found.rows("peers") as rows:
        published = [row for row in rows if row["status"] == "published" and row["kind"].startswith("dual")]
        for protocol, mean in recalls.items():
            peers = _means(row for row in published if row["protocol"] == protocol)
            if peers:
                peer = max(peers, key=peers.__getitem__)
                gain = {end: mean[end] - peers[peer] for end in ("value", "low", "high")}
                beside = f"{protocol}: `{experiment}` {mean['value']:.1f}, best published {peer} {peers[peer]:.1f}"
                shown = f"{beside}, more by {points(gain)}; scales of pre-training differ"
                findings.append(Finding(sign(gain), shown, found.file("tables/peers.csv")))
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


def needed(drop: dict[str, Any], without: dict[str, Any]) -> str:
    """Held if the accuracy is kept with something and lost without it; not held if it is kept without, or lost with it."""
    if drop["verdict"] == NOT_HELD or without["verdict"] == HELD:
        return NOT_HELD
    return HELD if (drop["verdict"], without["verdict"]) == (HELD, NOT_HELD) else UNKNOWN


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
    each = list(row["gain"]["each_seed"].values())
    apart = f" ({', '.join(f'{gain:+.2f}' for gain in each)})" if len(each) > 1 else ""
    return f"{points(row['gain'])}, {seeds(len(each))}{apart}"


def _drop(experiment: str, drop: dict[str, Any]) -> str:
    return f"`{experiment}`: drop {points(drop)}, {seeds(drop.get('seeds', 1))}"


def _main(metrics: dict[str, Any]) -> str:
    """The model that the claims are judged by."""
    return str(metrics.get("main") or metrics.get("recall_drop", {}).get("model", ""))


def _claimed(metrics: dict[str, Any]) -> dict[str, Any]:
    """Experiment → recall drop, of the models that the settings call claimed."""
    return {name: drop for name, drop in metrics.get("recall_drops", {}).items() if drop.get("claimed", True)}


def _means(rows: Iterable[dict[str, str]]) -> dict[str, float]:
    """Model → mean of six recalls, of the rows of the table of peers in which all six were found."""
    names = [f"{direction}_r{cutoff}" for direction in ("i2t", "t2i") for cutoff in (1, 5, 10)]
    return {row["model"]: sum(float(row[name]) for name in names) / 6 for row in rows if all(row[name] for name in names)}
