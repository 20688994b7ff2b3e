"""The table of the page of benchmarks: what each row measures, against what, what was to be reached, what was found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

NOT_MEASURED = "not measured"

Results = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    """``met``: None where nothing was to be reached or nothing was measured; ``ratio``: found and target, times, to be drawn."""

    work: str
    against: str
    reach: str
    measured: str = NOT_MEASURED
    met: bool | None = None
    ratio: tuple[float, float] | None = None

    @property
    def verdict(self) -> str:
        """The last column."""
        return {True: "met", False: "**not met**", None: ""}[self.met]


@dataclass(frozen=True)
class Asked:
    """A row before it is measured: the file that it reads, and what makes measured text, verdict and ratio of it."""

    work: str
    against: str
    reach: str
    file: str
    found: Callable[[Mapping[str, Any]], tuple[str, bool | None, tuple[float, float] | None]]

    def row(self, results: Results) -> Row:
        """With what was found, if there is a file."""
        if self.file not in results:
            return Row(self.work, self.against, self.reach)
        return Row(self.work, self.against, self.reach, *self.found(results[self.file]))


def table_rows(results: Results) -> list[Row]:
    """All rows, in the order of the work."""
    return [asked.row(results) for asked in ASKED]


def times(value: float, target: float, beside: str = "") -> tuple[str, bool, tuple[float, float]]:
    """A ratio that should be at least ``target``."""
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{shown}×{beside}", value >= target, (value, target)


def training(case: str) -> Callable[[Mapping[str, Any]], tuple[str, bool | None, tuple[float, float] | None]]:
    """Pairs a second of both loops."""

    def found(value: Mapping[str, Any]) -> tuple[str, bool | None, tuple[float, float] | None]:
        if case not in value:
            return NOT_MEASURED, None, None
        own = value[case]
        ours, plain = own["ours"]["pairs_per_second"], own["plain"]["pairs_per_second"]
        same = f"; losses {own['loss_difference']:.0e} apart, gradients {own['gradient_difference']:.0e} of their norm"
        return times(own["ratio"], value["target"], f" ({ours:,.0f} pairs/s against {plain:,.0f}){same}")

    return found


def data_wait(value: Mapping[str, Any]) -> tuple[str, bool | None, None]:
    """Share of the step that the model waits for its batch."""
    own = value["scenes"]["ours"]
    return f"{1000 * own['wait']:.2g} ms a step, {own['wait_share']:.1%} of it", own["wait_share"] <= MOST_WAIT, None


def ranks(value: Mapping[str, Any]) -> tuple[str, bool | None, tuple[float, float] | None]:
    """The quickest other that gives the same ranks."""
    kinds = value["vectors"]["random"]
    ours, others = kinds["ours"], {name: row for name, row in kinds.items() if name not in ("ours", "bare_product")}
    name, next_best = min(others.items(), key=lambda item: item[1]["seconds"])
    ratio = next_best["seconds"] / ours["seconds"]
    beside = f" the next best, {name} ({ours['seconds']:.1f} s against {next_best['seconds']:.1f} s), {ours['peak_mib']:.0f} MiB"
    text, fastest, drawn = times(ratio, 1, beside)
    return text, fastest and ours["peak_mib"] <= 1024, drawn


def stages(value: Mapping[str, Any]) -> tuple[str, bool | None, None]:
    """The dearest steps and, if there was an earlier run, what became of the whole."""
    dearest = ", ".join(f"{row['step']} {row['share']:.0%}" for row in value["steps"][:3])
    total = value["total"]["cpu_seconds"]
    text = f"{total:,.0f} s of CPU in {value['total']['jobs']} jobs: {dearest}"
    if "total_before" in value:
        text += f"; before {value['total_before']['cpu_seconds']:,.0f} s"
    return text, None, None


def random_rows(value: Mapping[str, Any]) -> tuple[str, bool | None, tuple[float, float] | None]:
    """Features of an image read from a warm store."""
    own = value["warm_rows_per_second"]
    beside = f" warm ({own['float16']:,} images/s against {own['tsv']:,}); cold {value['cold_by_tsv']['float16']:.3g}×"
    return times(value["warm_by_tsv"]["float16"], value["to_reach"]["warm_float16_by_tsv"], beside)


def stored_bytes(value: Mapping[str, Any]) -> tuple[str, bool | None, None]:
    """Size of the store."""
    share = value["bytes_of_tsv"]["float16"]
    return f"{share:.1%}", share <= value["to_reach"]["float16_bytes_of_tsv"], None


def served(value: Mapping[str, Any]) -> tuple[str, bool | None, None]:
    """Requests of the level with most of them."""
    best = max(value["levels"], key=lambda level: level["requests_per_second"])
    errors = sum(level["errors"] for level in value["levels"])
    reached = f"{best['requests_per_second']:,.0f} requests/s, p95 {best['p95_ms']:.1f} ms"
    return f"{reached}, at {best['concurrency']} at once; {errors} errors", None, None


MOST_WAIT = 0.01
"""Share of a step that waiting for a batch may take without being called a bottleneck."""

ASKED = (
    Asked("read region features at random", "VinVL's TSV with base64", "≥ 100× warm, float16", "random_features", random_rows),
    Asked("bytes of these features on disk", "VinVL's TSV with base64", "≤ 40 %", "random_features", stored_bytes),
    Asked(
        "training step, 256 pairs with composed negatives, `scenes`",
        "a plain padded loop with the same model",
        "≥ 2×, same loss and gradient",
        "training_step",
        training("scenes"),
    ),
    Asked("the same at VinVL's width, 64 pairs, 2 layers", "the same", "≥ 2×", "training_step", training("vinvl")),
    Asked("waiting for data in that step", "", f"≤ {MOST_WAIT:.0%} of the step", "training_step", data_wait),
    Asked(
        "exact ranks, 5,000 images × 25,000 captions, both ways",
        "eccv_caption, CLIP_benchmark, a numpy loop",
        "fastest, ≤ 1 GB",
        "exact_ranks",
        ranks,
    ),
    Asked("search server, 100,000 vectors, on loopback", "", "requests/s and p95", "serve_load", served),
    Asked("the whole `scenes` DAG", "itself before", "what each step costs", "stages", stages),
)
