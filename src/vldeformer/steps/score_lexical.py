"""Step `score-lexical`: scores of every pair of a split by the words that tags and captions share."""

from vldeformer.steps.arguments import Features, ManifestFile, OutFolder, SettingsFile, SplitName

VERSION = 1


def score_lexical(
    *, settings: SettingsFile, manifest: ManifestFile, features: Features, split: SplitName = "test", out: OutFolder
) -> None:
    """Score all pairs of a split by the words that tags and captions share.

    The score is the cosine of their TF-IDF vectors. In the built-in world synonyms are merged first.
    """
    import time

    from vldeformer.artifact import check_replaceable
    from vldeformer.data.manifest import Manifest
    from vldeformer.data.parts import is_region_store, open_region_store
    from vldeformer.errors import InputError
    from vldeformer.provenance import provenance
    from vldeformer.retrieval.embeddings import Scores
    from vldeformer.retrieval.lexical import lexical_scores, unchanged
    from vldeformer.scenes.words import in_usual_words
    from vldeformer.steps.settings_file import read_dataset

    started = time.monotonic()
    check_replaceable(out)
    dataset = read_dataset(settings, VERSION)
    if not is_region_store(features):
        raise InputError(f"{features}: expected a region store with tags, found none")
    store, whole = open_region_store(features), Manifest.load(manifest)
    chosen = whole.split(split)
    scores = Scores(
        tuple(image.id for image in chosen.images),
        tuple(caption.id for caption in chosen.captions),
        chosen.caption_image_index,
        lexical_scores(
            [store[image.id].tags for image in chosen.images],
            [caption.text for caption in chosen.captions],
            [store[image.id].tags for image in whole.split("train").images],
            in_usual_words if dataset.made_here else unchanged,
        ),
    )
    values = {"dataset": dataset.model_dump(mode="json"), "split": split}
    scores.save(out, provenance(values, {"manifest": manifest, "features": features}, started))
