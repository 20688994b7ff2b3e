"""Step `score-oracle`: scores of every pair of a split by the oracle, which reads the scenes themselves."""

from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import ManifestFile, OutFolder, RawFolder, SplitName

VERSION = 1


def score_oracle(
    *,
    raw_dir: Annotated[RawFolder, Parameter(help="folder of scenes.jsonl")],
    manifest: ManifestFile,
    split: SplitName = "test",
    out: OutFolder,
) -> None:
    """Score all images of a split with the oracle, which reads the scenes themselves."""
    import time

    from vldeformer.artifact import check_replaceable
    from vldeformer.data.manifest import Manifest
    from vldeformer.errors import InputError
    from vldeformer.provenance import provenance
    from vldeformer.retrieval.embeddings import Scores
    from vldeformer.scenes.oracle import oracle_scores
    from vldeformer.scenes.records import read_scenes

    started = time.monotonic()
    check_replaceable(out)
    raw = raw_dir / "scenes.jsonl"
    chosen = Manifest.load(manifest).split(split)
    scenes = [scene for scene in read_scenes(raw) if scene.split == split]
    if [scene.id for scene in scenes] != [image.id for image in chosen.images]:
        raise InputError(f"{raw}: its {split} scenes are not those of {manifest}; run `vldeformer prepare` again")
    facts = [caption.facts for scene in scenes for caption in scene.captions]
    scores = Scores(
        tuple(image.id for image in chosen.images),
        tuple(caption.id for caption in chosen.captions),
        chosen.caption_image_index,
        oracle_scores(scenes, facts),
    )
    scores.save(out, provenance({"split": split}, {"raw": raw, "manifest": manifest}, started))
