"""Recall and cost of re-ranking against the number of candidates a query, on the same pairs as every other model.

The longest lists are proposed and their pairs scored once; a shorter list is the head of a longer one.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.evaluation.measures import EvaluationSettings, measure
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.models.joint import JointMatcher
from vldeformer.retrieval.embeddings import Embeddings
from vldeformer.retrieval.item_vectors import Progress, silent
from vldeformer.retrieval.pair_scores import PAIRS_AT_ONCE, score_listed
from vldeformer.retrieval.reader import Reader
from vldeformer.retrieval.reranking import Proposals

TIMED_QUERIES = 9  # text queries timed alone for each k; the median counts


@dataclass(frozen=True, eq=False)
class Reranked:
    """``results``: k → what it gives; ``measured``: the content of rerank.json, in which times differ from run to run."""

    results: dict[int, RetrievalResult]
    measured: dict[str, Any]


class Label(NamedTuple):
    """What the results are called."""

    dataset: str
    experiment: str
    protocol: str


def rerank(
    embeddings: Embeddings,
    matcher: JointMatcher,
    manifest: Manifest,
    reader: Reader,
    depths: Sequence[int],
    dual_weight: float,
    label: Label,
    evaluation: EvaluationSettings,
    progress: Progress = silent,
) -> Reranked:
    """Judge every number k of candidates in ``depths``.

    Times are in seconds: ``proposal_seconds`` is the search for the longest lists and the decomposed model's ranks, ``seconds``
    of a k adds its pairs at the measured ``pair_ms``; encoding is in neither. ``joint_seconds_extrapolated`` is all pairs at the
    same ``pair_ms``. ``query_ms`` is what the joint model adds to one text query alone.

    Args:
        embeddings: the decomposed model's, of ``manifest`` and in its order.
        matcher: the joint model, in eval mode.
        manifest: the images and captions.
        reader: of the joint model.
        depths: numbers of candidates a query.
        dual_weight: see ``RerankSettings``.
        label: what the results are called.
        evaluation: how recalls are measured.
        progress: gets the number of pairs of each batch.

    Raises:
        InputError: the embeddings are of other items, or a score is not finite.

    """
    _check_same_items(embeddings, manifest)
    wanted = sorted(set(depths))
    started = time.perf_counter()
    longest = Proposals.by(embeddings, wanted[-1])
    proposing = time.perf_counter() - started
    pairs = longest.pairs()
    warm_up = (pairs[0][:PAIRS_AT_ONCE], pairs[1][:PAIRS_AT_ONCE])
    score_listed(matcher, manifest, warm_up, reader)
    started = time.perf_counter()
    scores = score_listed(matcher, manifest, pairs, reader, progress)
    pair = (time.perf_counter() - started) / len(scores)

    all_pairs = len(manifest.images) * len(manifest.captions)
    results, rows = {}, []
    for k in wanted:
        proposals = longest.first(k)
        ranks = proposals.reranked(pairs, scores, dual_weight)
        measures = measure(ranks, embeddings.caption_image_index, evaluation.bootstrap)
        items = (embeddings.image_ids, embeddings.caption_ids, embeddings.caption_image_index)
        results[k] = RetrievalResult(*label, *items, ranks, measures, evaluation.bootstrap)
        own_pairs = len(proposals.pairs()[0])
        seconds = proposing + own_pairs * pair
        rows.append(
            {
                "k": k,
                "pairs": own_pairs,
                "seconds": seconds,
                "ratio": all_pairs * pair / seconds,
                "query_ms": 1e3 * _query_seconds(matcher, manifest, proposals, reader),
                "mean_recall": measures.mean_recall.value,
                "interval": [measures.mean_recall.low, measures.mean_recall.high],
            }
        )
    measured = {
        **label._asdict(),
        "n_images": len(manifest.images),
        "n_captions": len(manifest.captions),
        "dual_weight": dual_weight,
        "depths": rows,
        "scored_pairs": len(scores),
        "pair_ms": 1e3 * pair,
        "proposal_seconds": proposing,
        "joint_seconds_extrapolated": all_pairs * pair,
        "batch_pairs": PAIRS_AT_ONCE,
        "timed_queries": min(TIMED_QUERIES, len(manifest.captions)),
        "device": reader.runtime.device,
        "threads": reader.runtime.threads,
        "precision": reader.runtime.precision,
    }
    return Reranked(results, measured)


def _check_same_items(embeddings: Embeddings, manifest: Manifest) -> None:
    for what, given, expected in (
        ("image", embeddings.image_ids, [image.id for image in manifest.images]),
        ("caption", embeddings.caption_ids, [caption.id for caption in manifest.captions]),
    ):
        if list(given) != expected:
            differs = next((pair for pair in zip(given, expected, strict=False) if pair[0] != pair[1]), None)
            first = "" if differs is None else f", the first other one is {differs[0]!r} for {differs[1]!r}"
            counts = f"the vectors are of {len(given)} {what}s, the manifest's part has {len(expected)}"
            raise InputError(f"{counts}{first}; embed it again")


def _query_seconds(matcher: JointMatcher, manifest: Manifest, proposals: Proposals, reader: Reader) -> float:
    """Median seconds in which the joint model scores the candidates of one caption."""
    n_captions = len(manifest.captions)
    images, captions = proposals.t2i.pairs()
    times = []
    for row in np.unique(np.linspace(0, n_captions - 1, TIMED_QUERIES).astype(int)):
        started = time.perf_counter()
        score_listed(matcher, manifest, (images[row], captions[row]), reader)
        times.append(time.perf_counter() - started)
    return statistics.median(times)
