"""Embed one share of a collection: the batches of a whole run that are this share's, read as that run reads them."""

import numpy as np

from vldeformer.data.manifest import Manifest
from vldeformer.models.dual import DualEncoder
from vldeformer.retrieval.item_vectors import ENCODE_BATCH, Progress, Vectors, caption_vectors, image_vectors, silent
from vldeformer.retrieval.reader import Reader
from vldeformer.retrieval.shards import Shard, Share


def embed_share(
    share: Share,
    encoder: DualEncoder,
    manifest: Manifest,
    reader: Reader,
    progress: Progress = silent,
    batch_size: int = ENCODE_BATCH,
) -> Shard:
    """Unit vectors of one share of ``manifest``; ``shards.join`` makes of all shares what ``item_vectors.embed`` gives.

    Args:
        share: which share of how many.
        encoder: the decomposed model, in eval mode.
        manifest: all images and captions.
        reader: of the model.
        progress: gets the number of items of each batch.
        batch_size: items in one forward pass.

    Raises:
        InputError: a vector is not finite.

    """
    ids, texts = [image.id for image in manifest.images], [caption.text for caption in manifest.captions]
    starts = share.starts(len(ids), batch_size)
    image_rows, images = _collected(image_vectors(encoder, ids, reader, starts, batch_size), encoder.embedding_size, progress)
    starts = share.starts(len(texts), batch_size, before=_batches(len(ids), batch_size))
    caption_rows, captions = _collected(
        caption_vectors(encoder, texts, reader, starts, batch_size), encoder.embedding_size, progress
    )
    return Shard(
        share,
        (len(ids), len(texts)),
        (image_rows, caption_rows),
        (images, captions),
        (tuple(ids[row] for row in image_rows), tuple(manifest.captions[row].id for row in caption_rows)),
        manifest.caption_image_index[caption_rows],
    )


def items_of(share: Share, manifest: Manifest, batch_size: int = ENCODE_BATCH) -> int:
    """How many images and captions a share has."""
    images, captions = len(manifest.images), len(manifest.captions)
    return share.count(images, batch_size) + share.count(captions, batch_size, before=_batches(images, batch_size))


def _batches(rows: int, size: int) -> int:
    return len(range(0, rows, size))


def _collected(batches: Vectors, width: int, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n,) int64 and vectors (n, width) float32 as they come; a share may have none."""
    rows, vectors = [np.empty(0, dtype=np.int64)], [np.empty((0, width), dtype=np.float32)]
    for batch_rows, batch_vectors in batches:
        rows.append(batch_rows)
        vectors.append(batch_vectors)
        progress(len(batch_rows))
    return np.concatenate(rows), np.concatenate(vectors)
