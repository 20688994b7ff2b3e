"""Step `negatives`: composed hard negatives of the training images, as indices and words that can be read and versioned."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import Features, ManifestFile, OutFolder, SettingsFile

if TYPE_CHECKING:
    from vldeformer.inputs.settings import TextKind

VERSION = 1


def negatives(
    *,
    settings: SettingsFile,
    manifest: ManifestFile,
    features: Features,
    embeddings: Annotated[Path | None, Parameter(help="folder made by `embed --split train`, for near partners")] = None,
    out: OutFolder,
) -> None:
    """Compose bi-modal hard negatives of the training images.

    Writes ``text.parquet``, ``image.parquet``, ``lexicon.json`` and ``summary.json``, which counts composed and dropped
    negatives and has the accuracy of a text-only classifier. Without ``--embeddings`` near partners are found by the mean region
    features.
    """
    import time
    from collections import Counter
    from collections.abc import Sequence

    import numpy as np
    from joblib import cpu_count

    from vldeformer.artifact import RECORD, check_replaceable, whole_folder, write_json
    from vldeformer.data.manifest import Manifest
    from vldeformer.data.parts import open_region_store
    from vldeformer.data.records import Caption
    from vldeformer.inputs.settings import NegativeSettings
    from vldeformer.models.settings import PixelBackboneSettings
    from vldeformer.negatives.composer import Corpus, HardNegativeComposer, mean_features
    from vldeformer.negatives.stored import write_negatives
    from vldeformer.negatives.text_only_check import accuracy_of_kinds
    from vldeformer.provenance import provenance
    from vldeformer.retrieval.embeddings import Embeddings
    from vldeformer.retrieval.reader import open_pixels
    from vldeformer.steps.progress import progress_bar
    from vldeformer.steps.settings_file import read_backbone, read_section

    started = time.monotonic()
    check_replaceable(out)
    section = read_section(settings, "negatives", NegativeSettings, VERSION)
    backbone = read_backbone(settings, VERSION)
    train = Manifest.load(manifest).split("train")
    train = train if section.images is None else train.first(section.images)
    captions: dict[str, list[Caption]] = {image.id: [] for image in train.images}
    for caption in train.captions:
        captions[caption.image_id].append(caption)
    vectors: tuple[Sequence[str], np.ndarray] | None = None
    if embeddings is not None:
        embedded = Embeddings.load(embeddings)
        vectors = embedded.image_ids, embedded.images
    tags: dict[str, tuple[str, ...]] | None = None
    counts: dict[str, int] | int
    if not isinstance(backbone, PixelBackboneSettings):
        store = open_region_store(features)
        read = {image.id: store[image.id] for image in train.images}
        tags = {image_id: image.tags for image_id, image in read.items()}
        tags = tags if any(tags.values()) else None
        counts = {image_id: min(len(image.boxes), backbone.regions) for image_id, image in read.items()}
        if vectors is None and section.image_partner == "near":
            vectors = list(read), np.stack([mean_features(image, store.feature_width) for image in read.values()])
    else:
        open_pixels(backbone, features)  # refuses a store that the backbone cannot read
        counts = (backbone.crop_size // backbone.patch_size) ** 2
    composer = HardNegativeComposer(section, Corpus(captions, tags), cpu_count())
    texts, tally = composer.texts()
    of_kind = Counter(text.kind for text in texts)
    _warn(section.text_kinds, of_kind, len({text.caption_id for text in texts}), len(train.captions))
    images = composer.image_composer(vectors)
    each = progress_bar(train.images, unit="image", desc="images")
    tried = [images.compose(image.id, turn, counts) for image in each for turn in range(section.variants)]
    found = [image for image in tried if image is not None]
    with whole_folder(out) as folder:
        write_negatives(folder, texts, found)
        lexicon = composer.lexicon
        write_json(folder / "lexicon.json", {"nouns": dict(lexicon.nouns), "attributes": dict(lexicon.attributes)})
        summary = {
            "texts": len(texts),
            "texts_of_kind": dict(of_kind),
            "texts_not_composed": tally.not_composed,
            "false_texts_dropped": dict(tally.dropped),
            "blind_accuracy": accuracy_of_kinds(texts, {caption.id: caption for caption in train.captions}),
            "images": len(found),
            "images_not_composed": len(tried) - len(found),
            "false_images_dropped": images.dropped,
            "captions_still_true": sum(len(image.true_of) for image in found),
        }
        write_json(folder / "summary.json", summary)
        sections = {"negatives": section.model_dump(mode="json"), "backbone": backbone.model_dump(mode="json")}
        inputs = {"manifest": manifest, "features": features} | ({"embeddings": embeddings} if embeddings else {})
        write_json(folder / RECORD, provenance(sections, inputs, started))


def _warn(weights: Mapping["TextKind", float], composed: Mapping["TextKind", int], captions: int, of: int) -> None:
    """One line if a kind that has a weight came to nothing: the training goes on without."""
    none = [kind for kind, weight in weights.items() if weight and not composed.get(kind)]
    if none:
        print(f"vldeformer: composed {captions} of {of} captions; none of kind {', '.join(none)}", file=sys.stderr)
