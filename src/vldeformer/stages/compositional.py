"""Stages `compositional-items` and `compositional`: captions beside false ones, and which of the two a model prefers."""

import sys
import time
from pathlib import Path

import numpy as np

from vldeformer.artifact import RECORD, check_replaceable, check_result, whole_folder, write_json
from vldeformer.data.manifest import Manifest
from vldeformer.data.sugarcrepe import SUBSETS, CompositionalItem, image_ids_by_file, read_items, write_items
from vldeformer.errors import InputError
from vldeformer.evaluation.blind import blind_scores
from vldeformer.evaluation.compositional_result import CompositionalResult
from vldeformer.evaluation.measures import EvaluationSettings
from vldeformer.evaluation.protocols import DEFAULT_SETTINGS
from vldeformer.runtime import RuntimeSettings, prepare_torch, this_machine
from vldeformer.scenes.compositional_items import scene_items
from vldeformer.scenes.records import read_scenes
from vldeformer.scenes.world_settings import CompositionalSettings
from vldeformer.stages.error_context import told_where
from vldeformer.stages.progress import progress_bar
from vldeformer.stages.provenance import provenance
from vldeformer.stages.sections import read_section


def compositional_items(settings: Path, raw_dir: Path, split: str, out: Path) -> None:
    """Write the items of a split of the ``scenes`` world: a folder of SugarCrepe's files."""
    started = time.monotonic()
    check_replaceable(out)
    section = read_section(settings, "compositional", CompositionalSettings)
    raw = raw_dir / "scenes.jsonl"
    scenes = [scene for scene in read_scenes(raw) if scene.split == split]
    if not scenes:
        raise InputError(f"{raw}: no scene in split {split}; name another with --split")
    with whole_folder(out) as folder:
        items = scene_items(scenes, section)
        write_items(folder, items)
        described = {"compositional": section.model_dump(mode="json"), "split": split}
        write_json(folder / RECORD, provenance(described, {"raw": raw}, started))
    missing = [subset for subset in SUBSETS if subset not in {item.subset for item in items}]
    if missing:
        print(f"{len(scenes)} scenes are too few for {', '.join(missing)}: no item there", file=sys.stderr)


def compositional(
    settings: Path | None,
    model: Path,
    items: Path,
    manifest: Path,
    visual: Path,
    split: str,
    dataset: str,
    experiment: str,
    out: Path,
) -> None:
    """Write RESULT.json and, beside it, the scores of every item. The blind baseline learns from the captions of ``train``."""
    from vldeformer.evaluation.item_scores import item_scores
    from vldeformer.models.joint import JointMatcher
    from vldeformer.stages.open_inputs import open_model

    check_result(out, "the items' scores")
    section = DEFAULT_SETTINGS if settings is None else read_section(settings, "evaluate", EvaluationSettings)
    runtime = this_machine() if settings is None else read_section(settings, "runtime", RuntimeSettings)
    whole = Manifest.load(manifest)
    judged, image_ids, left_out = _of_split(read_items(items), whole.split(split), items)
    device = prepare_torch(runtime)
    loaded, readers = open_model(model, visual)
    with (
        progress_bar(unit="item", desc="compositional") as bar,
        told_where(model=model, store=visual, manifest=manifest),
    ):
        scores = item_scores(loaded.to(device), judged, image_ids, readers.text, readers.visual, runtime, bar.update)
    learned_from = [caption.text for caption in whole.split("train").captions] if "train" in whole.splits else []
    texts = [text for item in judged for text in (item.caption, item.negative)]
    CompositionalResult(
        dataset=dataset,
        experiment=experiment,
        reading="joint" if isinstance(loaded, JointMatcher) else "dual",
        subsets=tuple(item.subset for item in judged),
        keys=tuple(item.key for item in judged),
        image_ids=tuple(image_ids),
        longer=np.array([len(item.negative.split()) > len(item.caption.split()) for item in judged]),
        scores=scores,
        blind=blind_scores(learned_from, texts).reshape(-1, 2, 2) if learned_from else None,
        left_out=left_out,
        bootstrap=section.bootstrap,
    ).save(out)


def _of_split(items: list[CompositionalItem], images: Manifest, folder: Path) -> tuple[list[CompositionalItem], list[str], int]:
    """The items of these images, the image id of each, and how many others there are."""
    try:
        ids = image_ids_by_file([item.file for item in items], images.images)
    except InputError as error:
        raise InputError(f"{folder}: {error}") from None
    judged = [item for item in items if item.file in ids]
    if not judged:
        names = f"{items[0].file!r} and the others; images are called e.g. {images.images[0].id!r}"
        raise InputError(f"{folder}: no item is of an image of the split: looked for {names}; is it another data set or split?")
    left_out = len(items) - len(judged)
    if left_out:
        print(f"{left_out:,} of {len(items):,} items are of other images and are left out", file=sys.stderr)
    return judged, [ids[item.file] for item in judged], left_out
