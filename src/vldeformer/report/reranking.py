"""Re-ranked results → ``Reranking``: recall and time against the number of candidates per query, and the table of them.

rerank.json has the joint model's time per pair, which holds for the candidates and for all pairs alike, so that a busy machine
slows both; speed.json adds the time of encoding.
"""

from pathlib import Path

from vldeformer.errors import InputError
from vldeformer.evaluation.measured_files import DepthTimes, RerankTimes, Speed, read_measured
from vldeformer.evaluation.over_seeds import recall_drop
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.evaluation.run_facts import COMPARED, RerankedDepth, Reranking
from vldeformer.evaluation.run_report import RunReport
from vldeformer.report.sources import Source
from vldeformer.report.table import DROP, MEAN_RECALL, Column, Row, Said, Table, duration, times, whole


def read_reranking(folder: Path, joint: RetrievalResult, speed: Speed) -> Reranking:
    """Read what ``vldeformer rerank`` wrote.

    Args:
        folder: rerank.json and depth_K.json for each depth.
        joint: the joint model's result on the same pairs.
        speed: times of encoding.

    Raises:
        InputError: a file is missing or wrong, or the pairs are not those of ``joint``; names the file.

    """
    path = folder / "rerank.json"
    measured = read_measured(path, RerankTimes, "rerank")
    if measured.depth not in {depth.k for depth in measured.depths}:
        raise InputError(f"{path}: depth {measured.depth} is not among its depths; run `vldeformer rerank` again")
    return Reranking(
        main_depth=measured.depth,
        dual_weight=measured.dual_weight,
        n_images=measured.n_images,
        n_captions=measured.n_captions,
        pair_ms=measured.pair_ms,
        depths=tuple(_depth(folder, measured, depth, joint, speed) for depth in measured.depths),
    )


def _depth(folder: Path, measured: RerankTimes, depth: DepthTimes, joint: RetrievalResult, speed: Speed) -> RerankedDepth:
    path = folder / f"depth_{depth.k}.json"
    own = RetrievalResult.load(path)
    if (own.image_ids, own.caption_ids) != (joint.image_ids, joint.caption_ids):
        raise InputError(f"{folder}: re-ranked on other pairs than {joint.experiment!r} was scored on; run both again")
    encoding = speed.image_ms * measured.n_images + speed.caption_ms * measured.n_captions
    return RerankedDepth(
        k=depth.k,
        pairs=depth.pairs,
        seconds=(encoding + measured.pair_ms * depth.pairs) / 1e3 + measured.proposal_seconds,
        query_ms=depth.query_ms,
        mean_recall=own.mean_recall,
        drop=recall_drop([(joint.ranks, own.ranks)], joint.caption_image_index, joint.bootstrap),
        files=(path.as_posix(), (folder / "rerank.json").as_posix()),
    )


def rerank_table(report: RunReport) -> Table:
    """Recall and time for every number of candidates; the last row is the joint model on all pairs."""
    found, joint = report.reranking, report.recall(report.baseline, COMPARED)
    if found is None or joint is None:
        raise ValueError("nothing was re-ranked, or the joint model has no result")
    largest = max(report.speed.gallery_curve, key=lambda point: point.n_images, default=None) if report.speed else None
    gallery = largest.n_images if largest else None
    in_gallery = f"{gallery or 0:,} images"
    all_seconds, how = found.joint_seconds(), "times: rerank.json with the encoding times of speed.json; drop: paired ranks"
    rows = []
    for one in found.depths:
        ratio = found.joint_query_seconds(largest.n_images) / one.query_seconds(largest) if largest else None
        speedups = {"speedup": all_seconds / one.seconds, "query_speedup_extrapolated": ratio}
        values = {**dict(one), **speedups, "candidates": one.k, "gallery_images": gallery}
        rows.append(Row(values, Source(one.files, {"mean_recall": "mean_recall"}, how)))
    last = {"candidates": f"all ({report.titles[report.baseline]})", "pairs": found.n_images * found.n_captions}
    last |= {"seconds": all_seconds, "speedup": Said(1.0, "1"), "mean_recall": joint.mean_recall, "gallery_images": gallery}
    last |= {"query_speedup_extrapolated": Said(1.0, "1")} if largest else {}
    rows.append(Row(last, Source(joint.files, {"mean_recall": "mean_recall"}, "time: pair_ms of rerank.json times all pairs")))
    columns = [Column("candidates", "Candidates", in_csv=False), Column("k"), Column("pairs", "Pairs scored", whole)]
    columns += [Column("seconds", "Time", duration), Column("speedup", "Speed-up", times), Column("gallery_images")]
    columns += [Column("query_speedup_extrapolated", f"One query, {in_gallery}", times), MEAN_RECALL, DROP]
    order = "joint log-odds" + (f" + {found.dual_weight:g} × cosine" if found.dual_weight else "")
    one_query = (
        f"One query: a text query alone against embedded images, extrapolated to {in_gallery} with the same k; recall was "
        "not measured there. "
    )
    caption = (
        f"Re-ranking: {report.titles[report.main]} proposes the k best of each query in both directions, the joint model "
        f"orders them by {order}; {found.n_images:,} images, {found.n_captions:,} captions. Time: encoding, "
        "search and scoring of pairs for all queries; the joint model's is extrapolated from its time a pair. "
        f"{one_query if largest else ''}Drop: joint minus re-ranked, paired intervals. Data set {report.dataset}."
    )
    return Table("rerank", caption, columns, rows)
