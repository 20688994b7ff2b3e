"""Named protocols: which images and captions are compared, and how many there must be for the name to be true."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vldeformer.errors import InputError
from vldeformer.evaluation.judgements import JudgedBy, image_numbers, load_judgements
from vldeformer.evaluation.measures import EvaluationSettings, Precisions, fold_rows, measure
from vldeformer.evaluation.precision import list_precisions
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.retrieval.embeddings import Embeddings, Scores
from vldeformer.retrieval.ranking import Ranks, exact_ranks

DEFAULT_SETTINGS = EvaluationSettings(joint_images=200, bootstrap_samples=2000, seed=0)


@dataclass(frozen=True)
class Protocol:
    """Expected counts are checked after captions beyond ``captions_per_image`` are left out; None: whatever is given.

    folds: every fold of neighbouring images is a gallery of its own and measures are means over them; keys: a list names the
    images; judged_by: who judged which items are right.
    """

    description: str
    n_images: int | None = None
    n_captions: int | None = None
    captions_per_image: int | None = None
    folds: int = 1
    keys: bool = False
    judged_by: JudgedBy | None = None


PROTOCOLS = {
    "all": Protocol("every given image and caption in one gallery"),
    "test": Protocol("all images of the test split with all their captions"),
    "subset": Protocol("the first `joint_images` test images with all their captions, as many as the joint model scores"),
    "coco-5k": Protocol("the 5,000 COCO test images with their first five captions", 5000, 25_000, 5),
    "coco-1k-5fold": Protocol("mean of five galleries of 1,000 neighbouring images of the 5,000", 5000, 25_000, 5, folds=5),
    "coco-1k-fixed": Protocol("the 1,000 images of one fixed list, as in the released code", 1000, 5000, 5, keys=True),
    "flickr30k-1k": Protocol("the 1,000 test photographs of Flickr30k with their first five captions", 1000, 5000, 5),
    "flickr8k-1k": Protocol("the 1,000 test photographs of Flickr8k with their first five captions", 1000, 5000, 5),
    "eccv-caption": Protocol("coco-5k's gallery, the queries and right items of ECCV Caption", 5000, 25_000, 5, judged_by="eccv"),
    "cxc": Protocol("coco-5k's gallery, the queries and right items of CxC", 5000, 25_000, 5, judged_by="cxc"),
}


def evaluate(
    images: np.ndarray,
    captions: np.ndarray,
    caption_image_index: np.ndarray | Sequence[int],
    protocol: str = "all",
    settings: EvaluationSettings = DEFAULT_SETTINGS,
    image_ids: Sequence[str] | None = None,
    caption_ids: Sequence[str] | None = None,
    keys: Sequence[str] | None = None,
) -> RetrievalResult:
    """Compute recalls with intervals from the vectors of any model.

    Args:
        images: (N, D) finite floats of unit length; compared as float32.
        captions: (M, D), as ``images``.
        caption_image_index: (M,) row of each caption's image.
        protocol: name of the protocol, which fixes the numbers of images and captions; ``all`` accepts any.
        settings: resamples and confidence of the intervals.
        image_ids: N ids, default row numbers; needed by ``coco-1k-fixed``, ``eccv-caption`` and ``cxc``.
        caption_ids: M ids, default row numbers; needed by ``eccv-caption`` and ``cxc`` (see ``judgements.image_numbers``).
        keys: ids of the images of ``coco-1k-fixed``.

    Returns:
        Ranks of all queries, and recalls in percent with intervals, in both directions.

    Raises:
        InputError: the protocol is unknown, numbers or ids do not fit it, or vectors do not have unit length.

    """
    embeddings = Embeddings.from_arrays(images, captions, caption_image_index, image_ids, caption_ids)
    return evaluate_scored(embeddings, protocol, settings, dataset="unnamed", experiment="unnamed", keys=keys)


def evaluate_scored(
    scored: Embeddings | Scores,
    protocol: str,
    settings: EvaluationSettings,
    dataset: str,
    experiment: str,
    keys: Sequence[str] | None = None,
) -> RetrievalResult:
    """Compute recalls of embeddings or of a score matrix under a named protocol. Raises InputError as ``evaluate`` does."""
    if protocol not in PROTOCOLS:
        raise InputError(f"protocol {protocol!r} is unknown; expected one of {', '.join(sorted(PROTOCOLS))}")
    rule = PROTOCOLS[protocol]
    chosen = _chosen(scored, protocol, settings.joint_images, keys)
    queries = _judged(chosen, rule.judged_by) if rule.judged_by is not None else _queries(chosen, rule.folds)
    measures = measure(queries.ranks, queries.caption_image_index, settings.bootstrap, rule.folds, queries.precisions)
    return RetrievalResult(
        dataset,
        experiment,
        protocol,
        queries.image_ids,
        queries.caption_ids,
        queries.caption_image_index,
        queries.ranks,
        measures,
        settings.bootstrap,
        queries.precisions,
    )


def _chosen(scored: Embeddings | Scores, protocol: str, joint_images: int, keys: Sequence[str] | None) -> Embeddings | Scores:
    """The images and captions of the protocol, checked."""
    rule = PROTOCOLS[protocol]
    rows = np.arange(min(joint_images, len(scored.image_ids)) if protocol == "subset" else len(scored.image_ids))
    if rule.keys != (keys is not None):
        listed = "needs the list of its images (keys: test_img_keys_1k.tsv)" if rule.keys else "takes no list of images (keys)"
        raise InputError(f"protocol {protocol!r} {listed}")
    if keys is not None:
        rows = _rows_of(keys, scored.image_ids)
    chosen = scored.part(rows, rule.captions_per_image)
    for what, expected, ids in (("images", rule.n_images, chosen.image_ids), ("captions", rule.n_captions, chosen.caption_ids)):
        if expected is not None and len(ids) != expected:
            raise InputError(f"protocol {protocol!r} expects {expected} {what}, got {len(ids)}; use `all` for other counts")
    return chosen


def _rows_of(keys: Sequence[str], image_ids: Sequence[str]) -> np.ndarray:
    """Rows of the images of a list, in the order of the rows."""
    rows = {number: row for row, number in enumerate(image_numbers(image_ids))}
    wanted = image_numbers(keys, "keys")
    missing = [key for key, number in zip(keys, wanted, strict=True) if number not in rows]
    if missing:
        raise InputError(
            f"keys: {len(missing)} of {len(keys)} images have no vector, the first is {missing[0]!r}; embed them too"
        )
    return np.sort([rows[number] for number in wanted])


@dataclass(frozen=True, eq=False)
class _Queries:
    """What is measured: ids of the queries, the row of each caption's image among them, and what each query got."""

    image_ids: tuple[str, ...]
    caption_ids: tuple[str, ...]
    caption_image_index: np.ndarray
    ranks: Ranks
    precisions: Precisions | None = None


def _queries(chosen: Embeddings | Scores, folds: int) -> _Queries:
    """Every image and caption, ranked in the gallery of its fold."""
    ranks = Ranks(np.empty(len(chosen.image_ids), np.int64), np.empty(len(chosen.caption_ids), np.int64))
    for images, captions in fold_rows(chosen.caption_image_index, len(chosen.image_ids), folds):
        within = exact_ranks(chosen if folds == 1 else chosen.part(images))
        ranks.i2t[images], ranks.t2i[captions] = within.i2t, within.t2i
    return _Queries(chosen.image_ids, chosen.caption_ids, chosen.caption_image_index, ranks)


def _judged(chosen: Embeddings | Scores, judged_by: JudgedBy) -> _Queries:
    """The images and captions that were judged, ranked among all."""
    index = chosen.caption_image_index
    judgements = load_judgements(judged_by, chosen.image_ids, chosen.caption_ids, index)
    ranks = exact_ranks(chosen, judgements.relevance(index))
    images, captions = (np.array(list(rows)) for rows in (judgements.i2t, judgements.t2i))
    if not np.isin(index[captions], images).all():
        raise ValueError(f"{judged_by}: a caption was judged whose image was not; it cannot be resampled with it")
    return _Queries(
        tuple(chosen.image_ids[row] for row in images),
        tuple(chosen.caption_ids[row] for row in captions),
        np.searchsorted(images, index[captions]),
        Ranks(ranks.i2t[images], ranks.t2i[captions]),
        Precisions(list_precisions(chosen, judgements.i2t, "i2t"), list_precisions(chosen, judgements.t2i, "t2i")),
    )
