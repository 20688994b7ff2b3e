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
    return f"{times_text(value)}{beside}", value >= target, (value, target)


def times_text(value: float) -> str:
    """Three figures, or all that are before the point."""
    return f"{value:,.0f}×" if value >= 100 else f"{value:.3g}×"


def training(case: str) -> Callable[[Mapping[str, Any]], tuple[str, bool | None, tuple[float, float] | None]]:
    """Pairs a second of both loops."""

    def found(value: Mapping[str, Any]) -> tuple[str, bool | None, tuple[float, float] | None]:
        if case not in value:
            return NOT_MEASURED, None, None
        own = value[case]
        ours, plain = own["ours"]["pairs_per_second"], own["plain"]["pairs_per_second"]
        same = f"; losses {own['loss_difference']:.1g} apart, gradients {own['gradient_difference']:.1g} of their norm"
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


def embedding(
    precision: str, target: float
) -> Callable[[Mapping[str, Any]], tuple[str, bool | None, tuple[float, float] | None]]:
    """Seconds for all images and captions; the released way is always that in float32."""

    def found(value: Mapping[str, Any]) -> tuple[str, bool | None, tuple[float, float] | None]:
        own = value[precision]
        slow, apart = value["float32"]["released_seconds_extrapolated"], own["largest_difference_from_released"]
        beside = f" ({own['seconds']:.1f} s against {slow:,.0f} s); numbers at most {apart:.0e} apart"
        text, met, drawn = times(own["times_faster_than_released_float32"], target, beside)
        return text, met and (precision != "float32" or apart <= 1e-4), drawn

    return found


def of_ceiling(precision: str, target: float) -> Callable[[Mapping[str, Any]], tuple[str, bool | None, None]]:
    """Useful operations a second as a share of the best product in the same run."""

    def found(value: Mapping[str, Any]) -> tuple[str, bool | None, None]:
        share, top = value[precision]["share_of_ceiling"], value["ceiling_gflop_per_second"][precision]
        return f"{share:.0%} of {top:,.0f} GFLOP/s", share >= target, None

    return found


def half_recalls(value: Mapping[str, Any]) -> tuple[str, bool | None, None]:
    """Largest change of a mean of six recalls."""
    own = value["scenes_recalls"]
    if own["largest_difference"] is None:
        return NOT_MEASURED, None, None
    return f"at most {own['largest_difference']:.2f} apart, {len(own['models'])} models", own["largest_difference"] <= 0.1, None


def joint(value: Mapping[str, Any]) -> tuple[str, bool | None, tuple[float, float] | None]:
    """Extrapolated against measured."""
    beside = f" ({value['dual_seconds']:.1f} s against {value['joint_seconds_extrapolated']:,.0f} s, extrapolated)"
    return times(value["speedup"], 3000, beside)


def nearest(value: Mapping[str, Any]) -> tuple[str, bool | None, None]:
    """Every structure as it is set, at the largest size."""
    rows = max(point["rows"] for point in value["points"])
    set_so = [point for point in value["points"] if point["rows"] == rows and point.get("own_settings")]
    return "; ".join(f"{p['kind']} {p['p50_ms']:.3g} ms, recall {p['recall_at_10']:.3f}" for p in set_so), None, None


def random_rows(value: Mapping[str, Any]) -> tuple[str, bool | None, tuple[float, float] | None]:
    """Features of an image read from a warm store."""
    own = value["warm_rows_per_second"]
    beside = f" warm ({own['float16']:,} images/s against {own['tsv']:,}); cold {value['cold_by_tsv']['float16']:.3g}×"
    if "float16_mapped" in value["warm_by_tsv"]:
        beside += f"; as a view of the mapped file {times_text(value['warm_by_tsv']['float16_mapped'])}"
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


def gpu_share(value: Mapping[str, Any]) -> tuple[str, bool | None, None]:
    """Shares of the device's own product in embedding and in training; a run on a processor only says that the script works."""
    if value["gpu"] is None:
        return NOT_MEASURED, None, None
    embedded, trained = value["embedding"]["utilisation"], value["training"]["utilisation"]
    large, top = value["training"]["large_batch"], value["bfloat16_product_tflop_per_second"]
    text = f"{embedded:.0%} embedding, {trained:.0%} training, of {top:,.0f} TFLOP/s; "
    text += f"{large['peak_mib'] / 1024:.1f} GiB for {large['pairs']:,} pairs in chunks of {large['chunk_images']}"
    return text, embedded >= 0.4 and trained >= 0.35, None


MOST_WAIT = 0.01
"""Share of a step that waiting for a batch may take without being called a bottleneck."""

EMBED = "embed 1,000 images and 5,000 captions"
ASKED = (
    Asked(f"{EMBED}, float32", "driven as released", "≥ 4.5×, vectors within 1e-4", "embed", embedding("float32", 4.5)),
    Asked(f"{EMBED}, bfloat16", "driven as released, float32", "≥ 9×", "embed", embedding("bfloat16", 9)),
    Asked("mean of six recalls by bfloat16", "by float32, trained `scenes` models", "within 0.1", "embed", half_recalls),
    Asked("useful operations of that in float32", "the best matrix product", "≥ 90%", "embed", of_ceiling("float32", 0.9)),
    Asked("the same in bfloat16", "the best matrix product", "≥ 75%", "embed", of_ceiling("bfloat16", 0.75)),
    Asked("rank 1,000 × 5,000, end to end", "the joint model, sampled", "≥ 3,000×", "joint_against_decomposed", joint),
    Asked("read region features at random", "VinVL's TSV with base64", "≥ 100× warm, float16", "random_features", random_rows),
    Asked("bytes of these features on disk", "VinVL's TSV with base64", "≤ 40%", "random_features", stored_bytes),
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
    Asked(
        "top 10 of 1,000,000 vectors, D 768",
        "faiss: flat, SQ8, HNSW, IVF-PQ",
        "defaults picked from the curve",
        "nearest",
        nearest,
    ),
    Asked("search server, 100,000 vectors, on loopback", "", "requests/s and p95", "serve_load", served),
    Asked(
        "utilisation of a GPU, peak memory at batch 1,800",
        "its own large product in bfloat16",
        "≥ 40% embedding, ≥ 35% training",
        "vilt_throughput",
        gpu_share,
    ),
    Asked("the whole `scenes` DAG", "itself before", "what each step costs", "stages", stages),
)
