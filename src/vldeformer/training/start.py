"""The weights that a training starts from where none were pre-trained: a text transformer's, and regions that start as words.

Regions start as words by least squares from images to the mean word of their captions. A transformer that has read text alone can
read such regions at once. With a random projection it has to learn what a region is from the gradient alone; where there are few
photographs it learns them by heart instead.
"""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float

from vldeformer.data.manifest import Manifest
from vldeformer.inputs.batch import RegionInput, TextInput
from vldeformer.inputs.collate import TextReader
from vldeformer.models.backbone import Backbone, Sequence
from vldeformer.models.linear import LinearBackbone
from vldeformer.models.oscar import OscarBackbone
from vldeformer.models.oscar_settings import OscarSettings
from vldeformer.models.pooling import pool
from vldeformer.models.settings import BackboneSettings
from vldeformer.models.text_start import start_from_text
from vldeformer.retrieval.reader import Reader

MOST_IMAGES = 20_000
"""So many, the first of the split, say enough."""
FREQUENT = 1e-3
"""A word piece of this share of captions weighs half (``a`` in Arora, Liang and Ma 2017, section 3)."""
PENALTIES = np.logspace(1, 5, 9)
"""Of the least squares; the best by leave-one-out is taken."""
POSITIONS = slice(1, 12)
"""Rows of the table of positions that the words of a caption have: a region has the mean of them."""
IMAGES_AT_ONCE = 256
CAPTIONS_AT_ONCE = 256


def start_without_pretraining(backbone: Backbone, settings: BackboneSettings, images: Manifest, reader: Reader) -> None:
    """Give a backbone of random weights what its settings ask for: a text transformer's weights, regions that start as words.

    Args:
        backbone: of ``settings``; changed in place.
        settings: section ``backbone``.
        images: of the training split.
        reader: of the backbone.

    Raises:
        InputError: ``start_from_text`` refuses the text transformer.

    """
    if settings.text_start is not None:
        start_from_text(backbone, settings.text_start)
    if isinstance(backbone, LinearBackbone):
        backbone.keep_sentences(sentences(images, reader))
    if isinstance(backbone, OscarBackbone) and isinstance(settings, OscarSettings) and settings.regions_as_words:
        start_regions_as_words(backbone, images, reader)


def sentences(images: Manifest, reader: Reader) -> Iterator[TextInput]:
    """All captions, those of a length together."""
    rows = sorted(reader.text.words.encode([caption.text for caption in images.captions], reader.text.most_tokens), key=len)
    for first in range(0, len(rows), CAPTIONS_AT_ONCE):
        yield reader.text.pad(rows[first : first + CAPTIONS_AT_ONCE])


def start_regions_as_words(backbone: OscarBackbone, images: Manifest, reader: Reader) -> None:
    """Set the projection of regions and its norm; nothing is drawn at random.

    What the projection says of an image is stretched to the spread that words of captions have: least squares alone would put all
    regions near the mean word.

    Args:
        backbone: with its words and their norm; changed in place.
        images: of the training split.
        reader: of the backbone.

    """
    from sklearn.linear_model import RidgeCV  # seconds, which other trainings do without

    images = images.first(MOST_IMAGES)
    regions = mean_regions([image.id for image in images.images], reader)
    embeddings = backbone.bert.embeddings
    table = embeddings.word_embeddings.weight.detach()
    targets = mean_words(images, reader.text, table.numpy())
    found = RidgeCV(PENALTIES).fit(regions, targets)
    said = found.predict(regions)
    stretch = np.sqrt(targets.var(axis=0).sum() / max(said.var(axis=0).sum(), 1e-12))
    weight = stretch * found.coef_
    bias = targets.mean(axis=0) - weight @ regions.mean(axis=0)
    with torch.no_grad():
        place = embeddings.position_embeddings.weight[POSITIONS].mean(0) + embeddings.token_type_embeddings.weight[1]
        backbone.region_embedding.weight.copy_(torch.from_numpy(weight))
        backbone.region_embedding.bias.copy_(torch.from_numpy(bias) + place)
        if isinstance(backbone.region_norm, torch.nn.LayerNorm):
            backbone.region_norm.load_state_dict(embeddings.LayerNorm.state_dict())


def mean_regions(image_ids: list[str], reader: Reader) -> Float[np.ndarray, "N V"]:
    """Mean of the regions of each image, box numbers included; zeros of an image without any."""
    means = []
    for first in range(0, len(image_ids), IMAGES_AT_ONCE):
        visual = reader.visual.read(image_ids[first : first + IMAGES_AT_ONCE])
        assert isinstance(visual, RegionInput)
        means.append(pool(Sequence(visual.features, visual.region_mask), "mean").numpy())
    return np.concatenate(means)


def mean_words(images: Manifest, text: TextReader, table: Float[np.ndarray, "words H"]) -> Float[np.ndarray, "N H"]:
    """Mean vector of the word pieces of each image's captions; frequent ones weigh less."""
    words = text.words
    pieces = [
        [piece for piece in row if piece not in (words.cls, words.sep)]
        for row in words.encode([caption.text for caption in images.captions], text.most_tokens)
    ]
    counts = np.zeros(len(table))
    for row in pieces:
        counts[list(set(row))] += 1
    weights = FREQUENT / (FREQUENT + counts / len(pieces))
    means = np.zeros((len(images.images), table.shape[1]))
    total = np.zeros(len(images.images))
    for row, image in zip(pieces, images.caption_image_index.tolist(), strict=True):
        means[image] += weights[row] @ table[row]
        total[image] += weights[row].sum()
    return (means / np.maximum(total, 1e-12)[:, None]).astype(np.float32)
