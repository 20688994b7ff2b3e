"""How long joint and decomposed retrieval take on this machine: forward passes and ranking, warm, loading left out.

``measure_speed`` times whole retrieval; ``measure_pair_time`` a joint matcher at its depth: the layers that run once an item, and
those that run for every pair. It is one point of the curve of accuracy against depth.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from vldeformer.data.manifest import Manifest
from vldeformer.evaluation.timing import Seconds, SpeedSettings, circumstances, median_seconds, repeated_seconds
from vldeformer.models.dual import DualEncoder
from vldeformer.models.joint import JointMatcher
from vldeformer.retrieval.embeddings import Embeddings
from vldeformer.retrieval.item_vectors import ENCODE_BATCH, embed, encode_captions, encode_images
from vldeformer.retrieval.pair_scores import (
    CAPTIONS_AT_ONCE,
    IMAGES_AT_ONCE,
    read_captions,
    read_images,
    score_all,
    score_block,
)
from vldeformer.retrieval.ranking import exact_ranks
from vldeformer.retrieval.reader import Reader
from vldeformer.seeding import named_generator

NOISE_ROWS = 10_000
"""Drawn at once: noise of a whole gallery would take twice its memory."""


def measure_speed(
    matcher: JointMatcher,
    encoder: DualEncoder,
    manifest: Manifest,
    joint_reader: Reader,
    dual_reader: Reader,
    settings: SpeedSettings,
) -> dict[str, Any]:
    """The content of speed.json: ms for a pair, an image, a caption and the ranking; both models on the whole of ``manifest``.

    The joint model's time is measured on a sample of pairs and extrapolated, and said so; the decomposed one's is measured
    on a sample of images and captions and scaled to all, plus the ranking of all. Both times contain the reading of tensors
    from memory-mapped stores; neither contains the loading of models or the opening of files. The ends of the speed-up are the
    quickest repeat of the joint model against the slowest of the decomposed one, and the other way round.

    Args:
        matcher: the joint model, in eval mode.
        encoder: the decomposed model, in eval mode.
        manifest: the images and captions.
        joint_reader: of the joint model.
        dual_reader: of the decomposed model.
        settings: sizes of the samples, repeats, sizes of galleries.

    """
    n_images, n_captions = len(manifest.images), len(manifest.captions)
    side = settings.scored_images(n_images)
    sample = manifest.first(side)
    ids = [image.id for image in manifest.images][: settings.images]
    texts = [caption.text for caption in manifest.captions][: settings.captions]

    def timed(work: Callable[[], object], pieces: int = 1) -> Seconds:
        return repeated_seconds(work, settings) * (1 / pieces)

    pairs = len(sample.images) * len(sample.captions)
    pair = timed(lambda: score_all(matcher, sample, joint_reader), pairs)
    image = timed(lambda: encode_images(encoder, ids, dual_reader), len(ids))
    caption = timed(lambda: encode_captions(encoder, texts, dual_reader), len(texts))
    alone = timed(lambda: encode_captions(encoder, texts[:1], dual_reader))
    vectors = embed(encoder, manifest, dual_reader)
    ranking = timed(lambda: exact_ranks(vectors))
    joint, dual = pair * (n_images * n_captions), image * n_images + caption * n_captions + ranking
    return {
        "pair_ms": 1e3 * pair.median,
        "image_ms": 1e3 * image.median,
        "caption_ms": 1e3 * caption.median,
        "ranking_ms": 1e3 * ranking.median,
        "caption_alone_ms": 1e3 * alone.median,
        "n_images": n_images,
        "n_captions": n_captions,
        "sampled_pairs": pairs,
        "sampled_images": len(ids),
        "sampled_captions": len(texts),
        "joint_seconds_extrapolated": joint.median,
        "dual_seconds": dual.median,
        "speedup": joint.median / dual.median,
        "speedup_low": joint.quickest / dual.slowest,
        "speedup_high": joint.slowest / dual.quickest,
        **circumstances(settings, dual_reader.runtime),
        "batch": {"pairs": CAPTIONS_AT_ONCE * IMAGES_AT_ONCE, "images": ENCODE_BATCH, "captions": ENCODE_BATCH},
        "gallery_curve": [_gallery_point(size, vectors, alone.median, pair.median, settings) for size in settings.gallery_sizes],
    }


def _gallery_point(
    size: int, vectors: Embeddings, query_seconds: float, pair_seconds: float, settings: SpeedSettings
) -> dict[str, Any]:
    """One text query, alone, against ``size`` images: encode it, compare, take the best ten. Images are embedded already.

    Galleries larger than the test set are made of its vectors with noise: the work does not depend on the values.
    """
    draw = named_generator("speed", size)
    gallery = vectors.images[draw.integers(len(vectors.images), size=size)]
    for start in range(0, size, NOISE_ROWS):
        part = gallery[start : start + NOISE_ROWS]
        part += 0.01 * draw.standard_normal(part.shape, dtype=np.float32)
    query = vectors.captions[0]

    def search() -> np.ndarray:
        scores = gallery @ query
        return np.argpartition(scores, -min(10, size))[-10:]

    return {
        "n_images": size,
        "joint_seconds_per_query": pair_seconds * size,
        "dual_ms_per_query": 1e3 * (query_seconds + median_seconds(search, settings)),
    }


def measure_pair_time(matcher: JointMatcher, manifest: Manifest, reader: Reader, settings: SpeedSettings) -> dict[str, Any]:
    """The content of pair_time.json: ms for an image and a caption, once each, and for a pair; seconds for all of ``manifest``.

    Each is measured on the first items. What is done once an item is embedding it and the layers that read it apart, reading
    from memory-mapped stores included; ``seconds`` is extrapolated to every pair.

    Args:
        matcher: the joint model, in eval mode.
        manifest: the images and captions.
        reader: of the model.
        settings: sizes of the samples, repeats.

    """
    n_images, n_captions = len(manifest.images), len(manifest.captions)
    side = settings.scored_images(n_images)
    texts = [caption.text for caption in manifest.captions][: settings.captions]
    ids = [image.id for image in manifest.images]
    sample = read_captions(matcher, [caption.text for caption in manifest.first(side).captions], reader)
    lengths = sorted({length for batch in sample for length in batch.lengths})

    def blocks(number: int) -> list[Any]:
        return [
            read_images(matcher, ids[start : min(start + IMAGES_AT_ONCE, number)], lengths, reader)
            for start in range(0, number, IMAGES_AT_ONCE)
        ]

    images, of_images = min(settings.images, n_images), blocks(side)
    pairs = side * sum(len(batch.rows) for batch in sample)
    caption = median_seconds(lambda: read_captions(matcher, texts, reader), settings) / len(texts)
    image = median_seconds(lambda: blocks(images), settings) / images
    pair = median_seconds(
        lambda: [score_block(matcher, block, batch, reader) for block in of_images for batch in sample], settings
    )
    seconds = image * n_images + caption * n_captions + pair / pairs * n_images * n_captions
    return {
        "layers": matcher.backbone.layers,
        "joint_layers": matcher.backbone.layers - matcher.apart,
        "image_ms": 1e3 * image,
        "caption_ms": 1e3 * caption,
        "pair_ms": 1e3 * pair / pairs,
        "n_images": n_images,
        "n_captions": n_captions,
        "seconds": seconds,
        "sampled_pairs": pairs,
        "sampled_images": images,
        "sampled_captions": len(texts),
        **circumstances(settings, reader.runtime),
    }
