"""Named protocols: which images and captions are compared, and how many there must be for the name to be true."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vldeformer.errors import InputError
from vldeformer.evaluation.measures import Bootstrap, EvaluationSettings, measure
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.retrieval.embeddings import Embeddings, Scores
from vldeformer.retrieval.ranking import exact_ranks

DEFAULT_SETTINGS = EvaluationSettings(joint_images=200, bootstrap_samples=2000, confidence=0.95, seed=0)


@dataclass(frozen=True)
class Protocol:
    """Expected counts are checked after captions beyond ``captions_per_image`` are left out; None: whatever is given."""

    description: str
    n_images: int | None = None
    n_captions: int | None = None
    captions_per_image: int | None = None


PROTOCOLS = {
    "all": Protocol("every given image and caption in one gallery"),
    "test": Protocol("all images of the test split with all their captions"),
    "subset": Protocol("the first `joint_images` test images with all their captions, as many as the joint model scores"),
    "flickr8k-1k": Protocol("the 1,000 test photographs of Flickr8k with their first five captions", 1000, 5000, 5),
}


def evaluate(
    images: np.ndarray,
    captions: np.ndarray,
    caption_image_index: np.ndarray | Sequence[int],
    protocol: str = "all",
    settings: EvaluationSettings = DEFAULT_SETTINGS,
) -> RetrievalResult:
    """Judge embeddings given as arrays: images (N, D) and captions (M, D), finite and of unit length, any float type.

    caption_image_index (M,): the row of each caption's image. Raises InputError for an unknown protocol, counts that are
    not the protocol's, or vectors that are not of unit length.
    """
    images, captions = np.asarray(images, dtype=np.float32), np.asarray(captions, dtype=np.float32)
    image_ids, caption_ids = (tuple(map(str, range(len(vectors)))) for vectors in (images, captions))
    index = np.asarray(caption_image_index)
    if index.dtype.kind not in "iu":
        raise InputError(f"caption_image_index: expected whole numbers, got {index.dtype}")
    embeddings = Embeddings(image_ids, images, caption_ids, captions, index.astype(np.int64))
    return evaluate_scored(embeddings, protocol, settings, dataset="unnamed", experiment="unnamed")


def evaluate_scored(
    scored: Embeddings | Scores, protocol: str, settings: EvaluationSettings, dataset: str, experiment: str
) -> RetrievalResult:
    """Judge embeddings or a score matrix under a named protocol. Raises InputError as ``evaluate`` does."""
    if protocol not in PROTOCOLS:
        raise InputError(f"protocol {protocol!r} is unknown; expected one of {', '.join(sorted(PROTOCOLS))}")
    rule = PROTOCOLS[protocol]
    n_images = settings.joint_images if protocol == "subset" else len(scored.image_ids)
    chosen = scored.first(n_images, rule.captions_per_image)
    for what, expected, ids in (("images", rule.n_images, chosen.image_ids), ("captions", rule.n_captions, chosen.caption_ids)):
        if expected is not None and len(ids) != expected:
            raise InputError(f"protocol {protocol!r} expects {expected} {what}, got {len(ids)}; use `all` for other counts")
    ranks = exact_ranks(chosen)
    bootstrap = Bootstrap(settings.bootstrap_samples, settings.confidence, settings.seed)
    measures = measure(ranks, chosen.caption_image_index, bootstrap)
    return RetrievalResult(
        dataset,
        experiment,
        protocol,
        chosen.image_ids,
        chosen.caption_ids,
        chosen.caption_image_index,
        ranks,
        measures,
        bootstrap,
    )
