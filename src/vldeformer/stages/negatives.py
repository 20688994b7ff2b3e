"""Stage `negatives`: composed hard negatives of the training images, as indices and words that can be read and versioned."""

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from vldeformer.artifact import RECORD, check_replaceable, whole_folder, write_json
from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption, Regions
from vldeformer.datasets.joined import open_region_store
from vldeformer.errors import InputError
from vldeformer.inputs.collate import ComposedImage
from vldeformer.inputs.settings import NegativeSettings, TextKind
from vldeformer.models.settings import PixelBackboneSettings
from vldeformer.negatives.composer import Corpus, HardNegativeComposer, sample_pairs
from vldeformer.negatives.hard_texts import ComposedText
from vldeformer.retrieval.embeddings import Embeddings
from vldeformer.stages.open_inputs import open_pixels
from vldeformer.stages.progress import progress_bar
from vldeformer.stages.provenance import provenance
from vldeformer.stages.sections import read_backbone, read_section

BLIND_PAIRS = 4000
"""Captions with a negative, of each kind, that a blind reader learns and is judged on."""
TEXT_COLUMNS = ["caption_id", "kind", "places", "words", "text"]
IMAGE_COLUMNS = ["image_id", "partner_id", "kept", "taken", "true_of"]


def negatives(settings: Path, manifest: Path, visual: Path, embeddings: Path | None, out: Path) -> None:
    """Write ``text.parquet``, ``image.parquet``, ``lexicon.json`` and ``summary.json``.

    The summary counts what was composed and dropped, and says how well a reader who sees no image tells the captions.
    ``embeddings``: folder of `vldeformer embed --split train`, whose image vectors find near partners; without it the mean
    features of the regions do.
    """
    started = time.monotonic()
    check_replaceable(out)
    section = read_section(settings, "negatives", NegativeSettings)
    backbone = read_backbone(settings)
    train = Manifest.load(manifest).split("train")
    train = train if section.images is None else train.first(section.images)
    captions: dict[str, list[Caption]] = {image.id: [] for image in train.images}
    for caption in train.captions:
        captions[caption.image_id].append(caption)
    vectors = _embedded(embeddings) if embeddings else None
    tags: dict[str, tuple[str, ...]] | None = None
    counts: dict[str, int] | int
    if not isinstance(backbone, PixelBackboneSettings):
        store = open_region_store(visual)
        read = {image.id: store[image.id] for image in train.images}
        tags = {image_id: image.tags for image_id, image in read.items()}
        tags = tags if any(tags.values()) else None
        counts = {image_id: min(len(image.boxes), backbone.regions) for image_id, image in read.items()}
        if vectors is None and section.image_partner == "near":
            vectors = list(read), np.stack([_mean_features(image, store.feature_width) for image in read.values()])
    else:
        open_pixels(backbone, visual)  # what is composed is read from there
        counts = (backbone.crop_size // backbone.patch_size) ** 2
    composer = HardNegativeComposer(section, Corpus(captions, tags), joblib.cpu_count())
    texts, tally = composer.texts()
    of_kind = Counter(text.kind for text in texts)
    _warn(section, of_kind, len({text.caption_id for text in texts}), len(train.captions))
    images = composer.image_composer(vectors)
    each = progress_bar(train.images, unit="image", desc="images")
    tried = [images.compose(image.id, turn, counts) for image in each for turn in range(section.variants)]
    found = [image for image in tried if image is not None]
    with whole_folder(out) as folder:
        _write(folder / "text.parquet", texts, TEXT_COLUMNS)
        _write(folder / "image.parquet", found, IMAGE_COLUMNS)
        lexicon = composer.lexicon
        write_json(folder / "lexicon.json", {"nouns": dict(lexicon.nouns), "attributes": dict(lexicon.attributes)})
        summary = {
            "texts": len(texts),
            "texts_of_kind": dict(of_kind),
            "texts_not_composed": tally.not_composed,
            "false_texts_dropped": dict(tally.dropped),
            "blind_accuracy": _blindness(texts, {caption.id: caption for caption in train.captions}),
            "images": len(found),
            "images_not_composed": len(tried) - len(found),
            "false_images_dropped": images.dropped,
            "captions_still_true": sum(len(image.true_of) for image in found),
        }
        write_json(folder / "summary.json", summary)
        sections = {"negatives": section.model_dump(mode="json"), "backbone": backbone.model_dump(mode="json")}
        inputs = {"manifest": manifest, "visual": visual} | ({"embeddings": embeddings} if embeddings else {})
        write_json(folder / RECORD, provenance(sections, inputs, started))


def _warn(section: NegativeSettings, composed: Mapping[TextKind, int], captions: int, of: int) -> None:
    """One line if a kind that has a weight came to nothing: the training goes on without."""
    none = [kind for kind, weight in section.text_kinds.items() if weight and not composed.get(kind)]
    if none:
        print(f"vldeformer: composed {captions} of {of} captions; none of kind {', '.join(none)}", file=sys.stderr)


def _embedded(folder: Path) -> tuple[Sequence[str], np.ndarray]:
    found = Embeddings.load(folder)
    return found.image_ids, found.images


def _mean_features(image: Regions, width: int) -> np.ndarray:
    """(V,) float32; zeros for an image without regions."""
    mean: np.ndarray = image.features.mean(axis=0, dtype=np.float32) if len(image.features) else np.zeros(width, np.float32)
    return mean


def _blindness(texts: Sequence[ComposedText], captions: Mapping[str, Caption]) -> dict[str, dict[str, float | None]]:
    """Accuracy of each blind reader, on the negatives of each kind and on all."""
    from vldeformer.negatives.text_only_check import blind_accuracy  # scikit-learn, which those who read negatives do without

    accuracy = {}
    for kind in (*sorted({text.kind for text in texts}), "all"):
        pairs = sample_pairs((text for text in texts if kind in ("all", text.kind)), BLIND_PAIRS)
        true = [captions[pair.caption_id] for pair in pairs]
        accuracy[kind] = blind_accuracy(
            [caption.text for caption in true], [pair.text for pair in pairs], [caption.image_id for caption in true]
        )
    return accuracy


def _write(path: Path, rows: Sequence[ComposedText | ComposedImage], columns: list[str]) -> None:
    values = {name: [getattr(row, name) for row in rows] for name in columns}
    table = {name: [list(value) if isinstance(value, tuple) else value for value in column] for name, column in values.items()}
    pd.DataFrame(table).to_parquet(path, index=False)


def read_hard_texts(folder: Path) -> dict[str, list[str]]:
    """Caption id → its composed captions, in the order of their variants."""
    table = _read(folder / "text.parquet", TEXT_COLUMNS, ["caption_id", "text"])
    texts: dict[str, list[str]] = {}
    for caption_id, text in zip(table["caption_id"], table["text"], strict=True):
        texts.setdefault(caption_id, []).append(text)
    return texts


def read_hard_images(folder: Path) -> dict[str, list[ComposedImage]]:
    """Image id → its composed images, in the order of their variants."""
    table = _read(folder / "image.parquet", IMAGE_COLUMNS, IMAGE_COLUMNS)
    images: dict[str, list[ComposedImage]] = {}
    for image_id, partner, *lists in table.itertuples(index=False):
        images.setdefault(image_id, []).append(ComposedImage(image_id, partner, *(tuple(one.tolist()) for one in lists)))
    return images


def _read(path: Path, columns: Sequence[str], wanted: list[str]) -> pd.DataFrame:
    """The ``wanted`` columns of a file that must have all ``columns``."""
    problem = "found none"
    if path.is_file():
        try:
            found = pq.read_schema(path).empty_table().to_pandas().columns  # without an index that pandas stored
            missing = [name for name in columns if name not in found]
            if not missing:
                return pd.read_parquet(path, columns=wanted)
            problem = f"it has no column {missing[0]}"
        except (OSError, ValueError):
            problem = "it is cut short or no Parquet"
    raise InputError(f"{path}: expected composed negatives, {problem}; run `vldeformer negatives`")
