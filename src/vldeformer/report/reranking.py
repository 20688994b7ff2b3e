"""Re-ranked results → ``Reranking``: recall and time against the number of candidates per query.

rerank.json has the joint model's time per pair, which holds for the candidates and for all pairs alike, so that a busy machine
slows both; speed.json adds the time of encoding.
"""

from pathlib import Path

from vldeformer.errors import InputError
from vldeformer.evaluation.measures import recall_drop
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.evaluation.run_report import MeasuredFile, RerankedDepth, Reranking, Speed, read_measured


class Depth(MeasuredFile):
    """k candidates per query: pairs that the joint model scores for all queries, and its ms for one text query alone."""

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
    measured = read_measured(path, Measured, "rerank")
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


def _depth(folder: Path, measured: Measured, depth: Depth, joint: RetrievalResult, speed: Speed) -> RerankedDepth:
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
