"""What a joint matcher costs at its depth: the layers that run once an item, and those that run for every pair.

``evaluation.speed`` times whole retrieval; this is one point of the curve of accuracy against depth.
"""

from typing import Any

from vldeformer.data.manifest import Manifest
from vldeformer.evaluation.speed_settings import SpeedSettings
from vldeformer.evaluation.timing import circumstances, median_seconds
from vldeformer.inputs.collate import TextReader, VisualReader
from vldeformer.models.joint import JointMatcher
from vldeformer.retrieval.encode import IMAGES_AT_ONCE, read_captions, read_images, score_block
from vldeformer.runtime import RuntimeSettings


def measure_pair_time(
    matcher: JointMatcher,
    manifest: Manifest,
    text: TextReader,
    visual: VisualReader,
    settings: SpeedSettings,
    runtime: RuntimeSettings,
) -> dict[str, Any]:
    """The content of pair_time.json: ms for an image and a caption, once each, and for a pair; seconds for all of ``manifest``.

    Each is measured on the first items. What is done once an item is embedding it and the layers that read it apart, reading
    from memory-mapped stores included; ``seconds`` is extrapolated to every pair.
    """
    n_images, n_captions = len(manifest.images), len(manifest.captions)
    side = settings.scored_images(n_images)
    texts = [caption.text for caption in manifest.captions][: settings.captions]
    ids = [image.id for image in manifest.images]
    sample = read_captions(matcher, [caption.text for caption in manifest.first(side).captions], text, runtime)
    lengths = sorted({length for batch in sample for length in batch.lengths})

    def blocks(number: int) -> list[Any]:
        return [
            read_images(matcher, ids[start : min(start + IMAGES_AT_ONCE, number)], lengths, visual, runtime)
            for start in range(0, number, IMAGES_AT_ONCE)
        ]

    images, of_images = min(settings.images, n_images), blocks(side)
    pairs = side * sum(len(batch.rows) for batch in sample)
    caption = median_seconds(lambda: read_captions(matcher, texts, text, runtime), settings) / len(texts)
    image = median_seconds(lambda: blocks(images), settings) / images
    pair = median_seconds(
        lambda: [score_block(matcher, block, batch, runtime) for block in of_images for batch in sample], settings
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
        **circumstances(settings, runtime),
    }
