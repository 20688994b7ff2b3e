"""Step `vocabulary`: word pieces learned from the training captions and the detector's words, or those of a text model."""

from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import Features, ManifestFile, OutFile, SettingsFile

VERSION = 1


def vocabulary(
    *,
    settings: SettingsFile,
    manifest: ManifestFile,
    features: Annotated[Features | None, Parameter(help="region store: learn its tag words too")] = None,
    out: Annotated[OutFile, Parameter(help="tokenizer.json to write")],
) -> None:
    """Learn word pieces from captions and tags.

    Captions of val and test are not used.
    """
    import time

    from vldeformer.data.manifest import Manifest
    from vldeformer.data.parts import open_region_store
    from vldeformer.inputs.settings import VocabularySettings
    from vldeformer.inputs.tokens import WordPieces
    from vldeformer.provenance import provenance, write_record
    from vldeformer.steps.settings_file import read_backbone, read_section
    from vldeformer.stored_digests import record_path

    started = time.monotonic()
    backbone = read_backbone(settings, VERSION)
    section = read_section(settings, "vocabulary", VocabularySettings, VERSION)
    inputs = {}
    if backbone.text_start is not None:
        from vldeformer.models.text_start import text_vocabulary

        words = text_vocabulary(backbone.text_start)
    else:
        whole, inputs = Manifest.load(manifest), {"manifest": manifest}
        texts = [caption.text for caption in whole.split("pretrain", "train").captions]
        if features is not None:
            texts += open_region_store(features).words
            inputs["features"] = features
        words = WordPieces.learn(texts, section.size)
    record_path(out).unlink(missing_ok=True)  # that of an older file
    words.save(out)
    sections = {"backbone": backbone, "vocabulary": section}
    values = {name: own.model_dump(mode="json") for name, own in sections.items()}
    write_record(out, provenance(values, inputs, started))
