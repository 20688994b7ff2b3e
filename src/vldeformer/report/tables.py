"""Tables, each as Markdown and LaTeX for people and as CSV with plain numbers for programs; those that every run has."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from vldeformer.artifact import whole_file
from vldeformer.evaluation.measures import RECALLS, Estimate
from vldeformer.evaluation.result import DIRECTIONS, RetrievalResult
from vldeformer.report.metrics import verdict
from vldeformer.report.results import COMPARED, ResultSet
from vldeformer.report.settings import ReportSettings
from vldeformer.report.sources import Source, write_sources
from vldeformer.report.speed import Speed

LATEX_ESCAPES = str.maketrans({character: f"\\{character}" for character in "&%$#_{}"})
ARROWS = {"i2t": "Image to text", "t2i": "Text to image"}
RESULT_KEYS = {
    f"{direction}_{name}{end}": f"{direction}/{name}" if place is None else f"{direction}/intervals/{name}/{place}"
    for direction in DIRECTIONS
    for name in (*RECALLS, "median_rank")
    for end, place in (("", None), ("_low", 0), ("_high", 1))
} | {name: name for name in ("experiment", "protocol", "n_images", "n_captions", "mean_recall", "rsum")}
RESULT_KEYS |= {"mean_recall_low": "intervals/mean_recall/0", "mean_recall_high": "intervals/mean_recall/1"}
"""Column of a table → key in RESULT.json."""


@dataclass(frozen=True, eq=False)
class Table:
    """``shown``: text as people read it; ``numbers``: the same facts unrounded, an interval in columns of its own.

    sources: where each row of ``numbers`` came from; none: nothing is written about it.
    """

    name: str
    caption: str
    shown: pd.DataFrame
    numbers: pd.DataFrame
    sources: Sequence[Source] = field(default=())

    def markdown(self) -> str:
        """A pipe table under its caption; numbers stand right."""
        align = ["left"] + ["right"] * (self.shown.shape[1] - 1)
        return f"**{self.caption}**\n\n{self.shown.to_markdown(index=False, colalign=align, disable_numparse=True)}\n"

    def latex(self) -> str:
        """A booktabs table."""
        style = self.shown.style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis="columns")
        columns = "l" + "r" * (self.shown.shape[1] - 1)
        label = f"tab:{self.name.replace('_', '-')}"
        caption = self.caption.translate(LATEX_ESCAPES)
        text: str = style.to_latex(hrules=True, column_format=columns, caption=caption, label=label, position_float="centering")
        return text

    def save(self, folder: Path) -> None:
        """Write NAME.md, NAME.csv, NAME.tex and, if there are sources, NAME.sources.json."""
        texts = {"md": self.markdown(), "csv": self.numbers.to_csv(index=False, lineterminator="\n"), "tex": self.latex()}
        for suffix, text in texts.items():
            with whole_file(folder / f"{self.name}.{suffix}") as temporary:
                temporary.write_text(text, encoding="utf-8")
        if self.sources:
            write_sources(folder / f"{self.name}.csv", self.sources)


def recall_table(results: ResultSet, settings: ReportSettings) -> Table:
    """Recall of every experiment on the pairs that all share, then of those that were judged on the whole test set."""
    chosen = [result for protocol in (COMPARED, "test") for result in results.ordered(settings.titles, protocol)]
    shown, numbers, sources = [], [], []
    for result in chosen:
        title = settings.titles[result.experiment]
        row = {"Model": title, "Images / captions": _size(result)}
        exact: dict[str, object] = {
            "model": title,
            "experiment": result.experiment,
            "protocol": result.protocol,
            "n_images": len(result.image_ids),
            "n_captions": len(result.caption_ids),
        }
        for direction, estimates in zip(DIRECTIONS, (result.i2t, result.t2i), strict=True):
            for name in (*RECALLS, "median_rank"):
                if name != "median_rank":
                    row[f"{ARROWS[direction]} {name}"] = with_interval(estimates[name])
                exact |= columns(f"{direction}_{name}", estimates[name])
        row["Mean recall"] = with_interval(result.mean_recall)
        shown.append(row)
        numbers.append(exact | columns("mean_recall", result.mean_recall) | {"rsum": result.rsum})
        sources.append(Source(results.files([result]), RESULT_KEYS, "the title stands in the settings report.titles"))
    confidence = chosen[0].bootstrap.confidence
    caption = f"Recall in percent with {confidence:.0%} bootstrap intervals over images, data set {results.dataset}."
    return Table("recall", caption, pd.DataFrame(shown), pd.DataFrame(numbers), sources)


def drop_table(results: ResultSet, settings: ReportSettings) -> Table:
    """Average recall drop of every decomposed model against the joint one on the same pairs, beside the paper's claim."""
    baseline = results.need(settings.baseline, COMPARED)
    shown, numbers, sources = [], [], []
    for name in settings.decomposed:
        pairs = results.pairs(settings.baseline, name, COMPARED)
        joint, dual = (results.mean(side) for side in zip(*pairs.values(), strict=True))
        drop = results.drop(settings.baseline, name)
        judged = verdict(drop, settings.claimed_drop)
        shown.append(
            {
                "Model": settings.titles[name],
                "Seeds": str(len(pairs)),
                "Joint mean recall": f"{joint.value:.1f}",
                "Mean recall": f"{dual.value:.1f}",
                "Drop (points)": with_interval(drop, digits=2),
                "Paper": f"below {settings.claimed_drop:g}",
                "Claim here": judged,
            }
        )
        means = {"seeds": len(pairs), "baseline_mean_recall": joint.value, "mean_recall": dual.value}
        judgement = {"claim": settings.claimed_drop, "verdict": judged}
        numbers.append({"model": settings.titles[name], "experiment": name} | means | columns("drop", drop) | judgement)
        files = results.files([result for pair in pairs.values() for result in pair])
        sources.append(
            Source(files, {}, "mean over seeds of the joint model's mean recall less this one's; interval: images resampled")
        )
    caption = (
        f"Average recall drop against the joint model on the same {_size(baseline)} images / captions, paired intervals. "
        f"Held: the interval is below the paper's bound; unknown: the bound is inside it, or the joint model is worse by more "
        f"than the bound, so that there is no accuracy to keep. Data set {results.dataset}."
    )
    return Table("recall_drop", caption, pd.DataFrame(shown), pd.DataFrame(numbers), sources)


def speed_table(speed: Speed, settings: ReportSettings, path: Path | None = None) -> Table:
    """Time of both models for the whole test set and the speed-up between them, beside the paper's; ``path``: of speed.json."""
    pairs, items = speed.n_images * speed.n_captions, speed.n_images + speed.n_captions
    paper = f"{settings.claimed_speedup:g}+ times"
    of_all = speed.sampled_images >= speed.n_images and speed.sampled_captions >= speed.n_captions
    scaled = f"scaled from {speed.sampled_images:,} images and {speed.sampled_captions:,} captions"
    rows = [
        ("Items through the transformer", f"{pairs:,} pairs", f"{items:,} images and captions", ""),
        (
            "Time an item",
            f"{duration_text(speed.pair_ms)} a pair",
            f"{duration_text(speed.image_ms)} an image, {duration_text(speed.caption_ms)} a caption",
            "",
        ),
        ("Ranking", "", f"{duration_text(speed.ranking_ms)} measured", ""),
        (
            "Whole test set",
            f"{duration_text(1000 * speed.joint_seconds_extrapolated)} extrapolated",
            f"{duration_text(1000 * speed.dual_seconds)} {'measured' if of_all else scaled}",
            "",
        ),
        ("Speed-up", "1", f"{speed.speedup:,.0f} times", paper),
    ]
    titles = ["Quantity", settings.titles[settings.baseline], settings.titles[settings.main], "Paper"]
    exact = speed.model_dump(exclude={"gallery_curve", "batch"}) | {f"batch_{k}": v for k, v in speed.batch.model_dump().items()}
    numbers = pd.DataFrame(
        [*exact.items(), ("claimed_speedup", settings.claimed_speedup)], columns=["quantity", "value"], dtype=object
    )
    caption = (
        f"Time for {speed.n_images:,} images and {speed.n_captions:,} captions: reading of stored inputs, forward passes and "
        f"ranking, models loaded; the joint time is extrapolated from {speed.sampled_pairs:,} pairs. "
        f"{speed.hardware}, {speed.device}, {speed.threads} threads, {speed.precision}; "
        f"median of {speed.repeats} runs after {speed.warmup} to warm up; "
        f"batches of {speed.batch.pairs} pairs, {speed.batch.images} images, {speed.batch.captions} captions."
    )
    files = () if path is None else (path.as_posix(),)
    keys = {name: name.replace("batch_", "batch/") for name in exact}
    sources = [
        Source(files, {"value": keys[name]} if name in keys else {}, "a setting of the report") for name in numbers["quantity"]
    ]
    return Table("speed", caption, pd.DataFrame(rows, columns=titles), numbers, sources)


def write_tables(folder: Path, tables: Sequence[Table]) -> None:
    """Write every table in its three forms."""
    for table in tables:
        table.save(folder)


def with_interval(estimate: Estimate, digits: int = 1) -> str:
    """``89.2 [87.3, 90.8]``."""
    return f"{estimate.value:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def columns(name: str, estimate: Estimate) -> dict[str, float]:
    """A value and the ends of its interval as ``name``, ``name_low`` and ``name_high``."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _size(result: RetrievalResult) -> str:
    return f"{len(result.image_ids):,} / {len(result.caption_ids):,}"


def duration_text(milliseconds: float) -> str:
    """Three figures in the unit that suits: 0.412 ms, 12.3 s, 25.1 min, 3.40 h."""
    for unit, size in (("h", 3_600_000.0), ("min", 60_000.0), ("s", 1000.0)):
        if milliseconds >= size:
            return f"{milliseconds / size:#.3g} {unit}".replace(". ", " ")
    return f"{milliseconds:#.3g} ms".replace(". ", " ")
