"""The five claims of the paper and what the results say: a page made from the reports that git keeps.

By which rules: ``evaluation.verdicts``. A claim is judged by the main model; what other models show is listed too. It is unknown
where nothing was run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vldeformer.evaluation.measures import Estimate
from vldeformer.evaluation.over_seeds import SeedEstimate
from vldeformer.evaluation.run_facts import COMPARED, Choice, Drop
from vldeformer.evaluation.run_report import REPORT, RunReport
from vldeformer.evaluation.verdicts import HELD, LEAST_SEEDS, NOT_HELD, UNKNOWN, is_positive, reaches
from vldeformer.report.table import seeds_in_words, speedup

OTHER = "other model"
HEAD = f"""# The paper's claims and what our runs show

Made by `vldeformer claims` (`snakemake everything`); do not edit. *Held*: the whole 95 % interval over seeds and test images
allows the claim; *not held*: all of it forbids it; *unknown*: it allows both, there are fewer than {LEAST_SEEDS} seeds, nothing
was run, or the joint model is worse by more than the bound of the drop; *no test*: the joint model is not clearly above the best
trivial baseline, so there is nothing to keep; *other model*: one that the claim is not about. The rule that decided comes last.
Means are over seeds, differences paired; the part of an interval that is due to seeds is widened by √(n / (n − 1)) for n seeds.
A number of several seeds without a t-interval is of an older report: its interval is over images alone.
Seeds are those of the training: all of them start from one pre-training, read one set of composed negatives and, where they are
distilled, learn from one joint model.
`scenes` is a small world made here, `flickr8k` 8,000 photographs read by a small model: neither is the paper's data set. On
`scenes` the pre-trained start is half of the pre-trained weights and half of random ones (`train.start`), but for `whole_start`.
"""
PAPER_DATASETS = ("coco", "flickr30k")


@dataclass(frozen=True)
class Finding:
    """What a data set says of a claim, why, and the file that says it."""

    verdict: str
    shown: str
    file: str = ""


@dataclass(frozen=True)
class Record:
    """What was run on a data set. ablated: None if the ablations were not run.

    elsewhere: the ablations have their own page, so this page does not judge them.
    """

    dataset: str
    run: RunReport | None
    ablated: RunReport | None
    elsewhere: bool = False

    @classmethod
    def load(cls, folder: Path) -> "Record":
        """Read the reports in results/DATASET that exist. Raises InputError naming a file that is not a report."""
        paths = (folder / REPORT, folder / "ablations" / REPORT)
        run, ablated = (RunReport.load(path) if path.is_file() else None for path in paths)
        return cls(folder.name, run, ablated)

    def found(self, verdict: str, shown: str, report: RunReport | None) -> Finding:
        """A finding of one of the two reports."""
        return Finding(verdict, shown, f"results/{self.dataset}/{'ablations/' if report is self.ablated else ''}{REPORT}")


def claims_page(folders: Sequence[Path]) -> str:
    """The page in Markdown about the data sets of these folders. Raises InputError naming a file that is not a report."""
    parts, records = [HEAD], [Record.load(folder) for folder in folders]
    for number, (claim, judge) in enumerate(CLAIMS, start=1):
        parts.append(f"## {number}. {claim}\n")
        parts.append("| data set | claim | what was measured | file |\n| --- | --- | --- | --- |")
        for record in records:
            for finding in judge(record):
                file = f"`{finding.file}`" if finding.file else ""
                parts.append(f"| {record.dataset} | **{finding.verdict}** | {finding.shown} | {file} |")
        parts.append("")
    return "\n".join(parts)


def faster(record: Record) -> list[Finding]:
    """Time of the joint model, extrapolated, divided by that of the decomposed one, with the ends that the repeats allow."""
    run = record.run
    if run is None or run.speed is None:
        return [_not_run("speed")]
    speed = run.speed
    size = f"{speed.n_images:,} images × {speed.n_captions:,} captions"
    joint = f"{speed.joint_seconds_extrapolated:,.0f} s, extrapolated from {speed.sampled_pairs:,} pairs"
    bound = f"bound {run.claimed_speedup:,.0f} times"
    verdict = reaches(speed.estimate, run.claimed_speedup)
    shown = f"{speedup(speed)}: {size} in {speed.dual_seconds:.2f} s against {joint}; {bound}; {verdict.rule}"
    return [record.found(verdict.word, shown, run)]


def small_drop(record: Record) -> list[Finding]:
    """Recall drop of the main model and of the others that the claim names, over the most seeds there are."""
    report = record.ablated or record.run
    findings = []
    for one in sorted(report.drops, key=lambda one: one.experiment) if report else ():
        if report and one.claimed:
            own = one.verdict.word if one.experiment == report.main else OTHER
            findings.append(record.found(own, f"{_drop(one)}; bound {one.claim:g}; {one.verdict.rule}", report))
    return findings or [_not_run("recall drop")]


def hard_negatives(record: Record) -> list[Finding]:
    """Whether the accuracy is kept with hard negatives and lost without them, then what they gain.

    Gains are in recall and in the compositional test.
    """
    report = record.ablated
    row = next((one for one in _choices(report, "negatives") if report and one.experiment == report.main), None)
    if report is None or row is None or row.gain is None:
        return [_not_ablated(record, "hard negatives")]
    drop, without = report.main_drop(), report.drop_of(row.reference or "")
    findings = []
    if without is not None:
        shown = f"They keep it: {_drop(drop)}; without, {_drop(without)}"
        findings.append(record.found(_needed(drop, without), shown, report))
    findings.append(record.found(*_judged(row, "They help: gain in mean recall"), report))
    composed = row.compositional_gain
    if composed is not None and isinstance(composed.value, Estimate):
        judged = is_positive(composed.value, composed.seeds)
        gain = f"{_points(composed.value)}, {seeds_in_words(composed.seeds)}"
        findings.append(record.found(judged.word, f"They help: gain in the compositional test {gain}; {judged.rule}", report))
    return findings


def small_target_set(record: Record) -> list[Finding]:
    """Gain of the pre-trained start over random weights at each size of the target set."""
    rows = _choices(record.ablated, "start")
    findings = []
    for row in sorted(rows, key=lambda one: (one.at is None, one.at or 0.0, one.experiment)):
        if row.gain is not None:
            size = f"{row.at:,.0f} target images" if row.at else "whole target set"
            judged = _judged(row, f"{size}, `{row.experiment}` against `{row.reference}`: gain")
            findings.append(record.found(*judged, record.ablated))
    return findings or [_not_ablated(record, "pre-trained start against random weights")]


def better_than_peers(record: Record) -> list[Finding]:
    """Our main model and the best published one that embeds each item alone, by the mean of six recalls."""
    if not record.dataset.startswith(PAPER_DATASETS):
        return [Finding(UNKNOWN, "the claim is of COCO and Flickr30k")]
    findings, run = [], record.run
    for one in run.recalls if run else ():
        peers = _published_means(run, one.protocol) if run and one.experiment == run.main else {}
        if peers and one.protocol != COMPARED:
            peer, own = max(peers, key=peers.__getitem__), one.mean_recall
            gain = Estimate(own.value - peers[peer], own.low - peers[peer], own.high - peers[peer])
            both = f"`{one.experiment}` {own.value:.1f}, best published {peer} {peers[peer]:.1f}"
            judged = is_positive(gain, 1)
            shown = f"{one.protocol}: {both}, more by {_points(gain)}; scales of pre-training differ; {judged.rule}"
            findings.append(record.found(judged.word, shown, run))
    return findings or [_not_run("recall next to published models")]


CLAIMS: tuple[tuple[str, Callable[[Record], list[Finding]]], ...] = (
    ("Decomposed retrieval is more than 1000 times faster than early interaction", faster),
    ("Average recall drops by less than 0.6 points against the early-interaction model", small_drop),
    ("Composed bi-modal hard negatives are what keeps the accuracy", hard_negatives),
    ("A small target set is enough, because the backbone knows the matching already; from scratch it fails", small_target_set),
    ("It beats visual-semantic-embedding models of the same scale on COCO and Flickr30k", better_than_peers),
)
"""Claims of the paper's abstracts, and the function that judges each."""


def _not_run(what: str) -> Finding:
    return Finding(UNKNOWN, f"not run: {what}")


def _not_ablated(record: Record, what: str) -> Finding:
    """No ablation was run, or another page has it."""
    if not record.elsewhere:
        return _not_run(what)
    return Finding(UNKNOWN, f"{what}: not judged here but by `snakemake ablations`, on another page")


def _needed(drop: Drop, without: Drop) -> str:
    """Held if the accuracy is kept with something and lost without it; not held if it is kept without, or lost with it."""
    kept, lost = drop.verdict.word, without.verdict.word
    if kept == NOT_HELD or lost == HELD:
        return NOT_HELD
    return HELD if (kept, lost) == (HELD, NOT_HELD) else UNKNOWN


def _points(estimate: Estimate) -> str:
    """``0.78 points [-0.32, 1.87]``, and the t-interval of several seeds."""
    shown = f"{estimate.value:.2f} points [{estimate.low:.2f}, {estimate.high:.2f}]"
    if not isinstance(estimate, SeedEstimate) or estimate.t_low is None:
        return shown
    return f"{shown}, t-interval over seeds [{estimate.t_low:.2f}, {estimate.t_high:.2f}]"


def _choices(report: RunReport | None, ablation: str) -> tuple[Choice, ...]:
    found = report.ablation(ablation) if report else None
    return found.choices if found else ()


def _gain(row: Choice) -> str:
    """The gain of a row of an ablation, over the seeds that it and its reference were run with."""
    each = list(row.gain_by_seed.values())
    apart = f" ({', '.join(f'{gain:+.2f}' for gain in each)})" if len(each) > 1 else ""
    return f"{_points(row.gain)}, {seeds_in_words(len(each))}{apart}" if row.gain else ""


def _judged(row: Choice, what: str) -> tuple[str, str]:
    """Verdict about the gain of a row, and its words with the rule."""
    judged = row.verdict
    assert judged is not None, "only rows with a gain are judged"
    return judged.word, f"{what} {_gain(row)}; {judged.rule}"


def _drop(one: Drop) -> str:
    return f"`{one.experiment}`: drop {_points(one.drop)}, {seeds_in_words(one.seeds)}"


def _published_means(report: RunReport, protocol: str) -> dict[str, float]:
    """Published model that embeds each item alone → mean of its six recalls, where all six were found."""
    dual = [one for one in report.published if one.protocol == protocol and one.kind.startswith("dual")]
    complete = {one.model: [value for value in one.recalls.values() if value is not None] for one in dual}
    return {model: sum(values) / len(values) for model, values in complete.items() if len(values) == 6}
