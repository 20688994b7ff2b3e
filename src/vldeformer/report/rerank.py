"""Re-ranking in the report: recall, and time beside the joint model's, against the number of candidates a query.

rerank.json has the joint model's time a pair, which holds for the candidates and for all pairs alike, so that a busy machine
slows both; speed.json adds the time of encoding and of the search in larger galleries.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vldeformer.errors import InputError
from vldeformer.evaluation.measures import Estimate, recall_drop
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.report.settings import ReportSettings
from vldeformer.report.sources import Source
from vldeformer.report.speed import GalleryPoint, MeasuredFile, Speed, read_measured
from vldeformer.report.tables import Table, columns, duration_text, with_interval


class Depth(MeasuredFile):
    """k candidates a query: pairs that the joint model scores for all queries, and its ms for one text query alone."""

    k: int
    pairs: int
    query_ms: float


class Measured(MeasuredFile):
    """rerank.json: ``depth`` is the main table's k; pair_ms: one pair in a batch; proposal_seconds: search and dual ranks."""

    depth: int
    depths: tuple[Depth, ...]
    n_images: int
    n_captions: int
    dual_weight: float
    pair_ms: float
    proposal_seconds: float
    timed_queries: int


@dataclass(frozen=True, eq=False)
class Reranked:
    """What a folder of the stage `rerank` holds: ``results`` by k."""

    folder: Path
    measured: Measured
    results: dict[int, RetrievalResult]

    def seconds(self, depth: Depth, speed: Speed) -> float:
        """All queries of both directions: every image and caption encoded, candidates proposed, their pairs scored."""
        encoding = speed.image_ms * self.measured.n_images + speed.caption_ms * self.measured.n_captions
        return (encoding + self.measured.pair_ms * depth.pairs) / 1e3 + self.measured.proposal_seconds

    def joint_seconds(self) -> float:
        """The joint model on every pair of the same images and captions, extrapolated."""
        return self.measured.pair_ms * self.measured.n_images * self.measured.n_captions / 1e3

    def joint_query_seconds(self, n_images: int) -> float:
        """The joint model on one caption with so many images, extrapolated."""
        return self.measured.pair_ms * n_images / 1e3

    def main(self) -> Depth:
        """The depth of the main table."""
        return next(depth for depth in self.measured.depths if depth.k == self.measured.depth)

    def drop(self, k: int, joint: RetrievalResult) -> Estimate:
        """Mean recall of the joint model less that with k candidates, in points. Raises InputError if their pairs differ."""
        own = self.results[k]
        if (own.image_ids, own.caption_ids) != (joint.image_ids, joint.caption_ids):
            raise InputError(f"{self.folder}: re-ranked on other pairs than {joint.experiment!r} was scored on; run both again")
        return recall_drop([(joint.ranks, own.ranks)], joint.caption_image_index, joint.bootstrap)


def read_rerank(folder: Path) -> Reranked:
    """Read what `vldeformer rerank` wrote. Raises InputError naming the file and what is missing or wrong."""
    path = folder / "rerank.json"
    measured = read_measured(path, Measured, "rerank")
    if measured.depth not in {depth.k for depth in measured.depths}:
        raise InputError(f"{path}: depth {measured.depth} is not among its depths; run `vldeformer rerank` again")
    return Reranked(
        folder, measured, {depth.k: RetrievalResult.load(folder / f"depth_{depth.k}.json") for depth in measured.depths}
    )


def query_seconds(depth: Depth, point: GalleryPoint) -> float:
    """One text query alone, its candidates re-ranked, in a gallery of that size; the k stays, whatever the size."""
    return (point.dual_ms_per_query + depth.query_ms) / 1e3


def rerank_table(found: Reranked, joint: RetrievalResult, speed: Speed, settings: ReportSettings) -> Table:
    """Recall and time for every number of candidates; the last row is the joint model on all pairs."""
    largest = max(speed.gallery_curve, key=lambda point: point.n_images) if speed.gallery_curve else None
    all_seconds, n_pairs = found.joint_seconds(), found.measured.n_images * found.measured.n_captions
    shown, numbers, sources = [], [], []

    def add(
        name: str, k: int | None, pairs: int, seconds: float, query: float | None, recall: Estimate, drop: Estimate | None
    ) -> None:
        ratio = None if query is None or largest is None else found.joint_query_seconds(largest.n_images) / query
        row = {"Candidates a query": name, "Pairs scored": f"{pairs:,}", "Time": duration_text(1e3 * seconds)}
        row["Speed-up"] = f"{all_seconds / seconds:.1f} times"
        if largest is not None:
            row[f"One query, {largest.n_images:,} images"] = "1 times" if ratio is None else f"{ratio:,.0f} times"
        row["Mean recall"] = with_interval(recall)
        shown.append(row | {"Drop (points)": "" if drop is None else with_interval(drop, digits=2)})
        exact: dict[str, object] = {"k": k, "pairs": pairs, "seconds": seconds, "speedup": all_seconds / seconds}
        if largest is not None:
            exact |= {"gallery_images": largest.n_images, "query_speedup_extrapolated": ratio or 1.0}
        exact |= columns("mean_recall", recall)
        numbers.append(exact | (columns("drop", drop) if drop is not None else {}))

    how = "times: rerank.json with the encoding times of speed.json; drop: paired with the joint model's ranks"
    for depth in found.measured.depths:
        result = found.results[depth.k]
        query = None if largest is None else query_seconds(depth, largest)
        seconds, drop = found.seconds(depth, speed), found.drop(depth.k, joint)
        add(str(depth.k), depth.k, depth.pairs, seconds, query, result.mean_recall, drop)
        files = (found.folder / f"depth_{depth.k}.json", found.folder / "rerank.json")
        sources.append(Source(tuple(path.as_posix() for path in files), {"mean_recall": "mean_recall"}, how))
    add(f"all ({settings.titles[settings.baseline]})", None, n_pairs, all_seconds, None, joint.mean_recall, None)
    sources.append(Source((), {}, "the joint model's result; time: pair_ms of rerank.json times all pairs"))
    weight = found.measured.dual_weight
    order = "joint log-odds" + (f" + {weight:g} × cosine" if weight else "")
    caption = (
        f"Re-ranking: {settings.titles[settings.main]} proposes the k best of each query in both directions, the joint model "
        f"orders them by {order}; {found.measured.n_images:,} images, {found.measured.n_captions:,} captions. Time: encoding, "
        "search and scoring of pairs for all queries; the joint model's is extrapolated from its time a pair. "
    )
    if largest is not None:
        caption += (
            f"One query: a text query alone against embedded images, extrapolated to {largest.n_images:,} images with the same "
            "k; recall was not measured there. "
        )
    caption += f"Drop: against the joint model, paired intervals. Data set {joint.dataset}."
    return Table("rerank", caption, pd.DataFrame(shown), pd.DataFrame(numbers), sources)
