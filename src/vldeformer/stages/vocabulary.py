"""Stage `vocabulary`: word pieces learned from the training captions and the detector's words, or brought by a text model."""

from pathlib import Path

from vldeformer.data.joined import open_region_store
from vldeformer.data.manifest import Manifest
from vldeformer.inputs.settings import VocabularySettings
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.settings import BackboneSettings
from vldeformer.stages.sections import read_section


def vocabulary(settings: Path, manifest: Path, features: Path | None, out: Path) -> None:
    """Write ``tokenizer.json``. Captions of val and test are not looked at."""
    text_model = read_section(settings, "backbone", BackboneSettings).text_model
    if text_model is not None:
        from vldeformer.models.text_start import text_vocabulary

        text_vocabulary(text_model).save(out)
        return
    whole = Manifest.load(manifest)
    seen = whole.split("pretrain", "train")
    texts = [caption.text for caption in seen.captions]
    if features is not None:
        texts += open_region_store(features).words
    WordPieces.learn(texts, read_section(settings, "vocabulary", VocabularySettings).size).save(out)
