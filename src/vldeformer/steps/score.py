"""Stages `score` and `score-oracle`: what a joint model and the oracle say of every pair of a split."""

import time
from pathlib import Path

from vldeformer.artifact import check_replaceable
from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.evaluation.measures import EvaluationSettings
from vldeformer.evaluation.protocols import DEFAULT_SETTINGS
from vldeformer.retrieval.embeddings import Scores
from vldeformer.runtime import RuntimeSettings, prepare_torch, this_machine
from vldeformer.scenes.oracle import oracle_scores
from vldeformer.scenes.records import read_scenes
from vldeformer.stages.error_context import told_where
from vldeformer.stages.progress import progress_bar
from vldeformer.stages.provenance import provenance
from vldeformer.stages.sections import read_section


def score(settings: Path | None, model: Path, manifest: Path, visual: Path, split: str, everything: bool, out: Path) -> None:
    """Write the joint model's scores: SCORES_DIR, of the first ``evaluate.joint_images`` images or of all."""
    from vldeformer.models.importing import files_of
    from vldeformer.retrieval.encode import score_pairs
    from vldeformer.stages.open_inputs import open_matcher

    started = time.monotonic()
    check_replaceable(out)
    runtime = this_machine() if settings is None else read_section(settings, "runtime", RuntimeSettings)
    section = DEFAULT_SETTINGS if settings is None else read_section(settings, "evaluate", EvaluationSettings)
    device = prepare_torch(runtime)
    matcher, readers = open_matcher(model, visual)
    chosen = Manifest.load(manifest).split(split)
    chosen = chosen if everything else chosen.first(section.joint_images)
    with (
        progress_bar(total=len(chosen.images) * len(chosen.captions), unit="pair", desc="score") as bar,
        told_where(model=model, store=visual, manifest=manifest),
    ):
        scores = score_pairs(matcher.to(device), chosen, readers.text, readers.visual, runtime, bar.update)
    inputs = {"model": files_of(model), "manifest": manifest, "visual": visual}
    sections = {"evaluate": section, "runtime": runtime}
    values = {name: own.model_dump(mode="json") for name, own in sections.items()} | {"split": split, "all": everything}
    scores.save(out, provenance(values, inputs, started))


def score_oracle(raw_dir: Path, manifest: Path, split: str, out: Path) -> None:
    """Write the scores of the oracle, which reads the scenes themselves: SCORES_DIR of all images of the split."""
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
