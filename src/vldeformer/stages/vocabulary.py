"""Stage `vocabulary`: word pieces learned from the training captions and the detector's words, or brought by a text model."""

import time
from pathlib import Path

from vldeformer.artifact import record_path, write_json
from vldeformer.data.manifest import Manifest
from vldeformer.datasets.joined import open_region_store
from vldeformer.inputs.settings import VocabularySettings
from vldeformer.inputs.tokens import WordPieces
from vldeformer.stages.provenance import provenance
from vldeformer.stages.sections import read_backbone, read_section


def vocabulary(settings: Path, manifest: Path, features: Path | None, out: Path) -> None:
    """Write ``tokenizer.json`` and its record. Captions of val and test are not looked at."""
    started = time.monotonic()
    backbone = read_backbone(settings)
    section = read_section(settings, "vocabulary", VocabularySettings)
    inputs: dict[str, Path] = {}
    if backbone.text_start is not None:
        from vldeformer.models.text_start import text_vocabulary

        words = text_vocabulary(backbone.text_start)
    else:
        whole, inputs = Manifest.load(manifest), {"manifest": manifest}
        texts = [caption.text for caption in whole.split("pretrain", "train").captions]
        if features is not None:
            texts += open_region_store(features).words
            inputs["visual"] = features
        words = WordPieces.learn(texts, section.size)
    words.save(out)
    sections = {"backbone": backbone, "vocabulary": section}
    values = {name: own.model_dump(mode="json") for name, own in sections.items()}
    write_json(record_path(out), provenance(values, inputs, started))
