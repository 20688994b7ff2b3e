"""Step `compositional`: which of two captions of an image, a true and a false one, a model prefers."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import (
    AnyModel,
    DatasetName,
    ExperimentName,
    Features,
    ManifestFile,
    OutFile,
    SettingsOrMachine,
    SplitName,
)

if TYPE_CHECKING:
    from vldeformer.data.manifest import Manifest
    from vldeformer.data.sugarcrepe import CompositionalItem

VERSION = 2


def compositional(
    *,
    settings: SettingsOrMachine = None,
    model: AnyModel,
    items: Annotated[Path, Parameter(help="folder made by `compositional-items`, or SugarCrepe's published JSON files")],
    manifest: Annotated[ManifestFile, Parameter(help="manifest.json; the text-only baseline is trained on its split `train`")],
    features: Features,
    split: Annotated[SplitName, Parameter(help="split of the manifest whose images are tested")] = "test",
    dataset: DatasetName = "unnamed",
    experiment: ExperimentName = "unnamed",
    out: Annotated[OutFile, Parameter(help="RESULT.json to write, and RESULT.items.parquet in the same folder")],
) -> None:
    """Test how often a model prefers a true caption to a false one.

    Accuracy in percent, with intervals over images and a text-only baseline.
    """
    import numpy as np

    from vldeformer.artifact import check_result
    from vldeformer.data.manifest import Manifest
    from vldeformer.data.sugarcrepe import read_items
    from vldeformer.evaluation.blind import blind_scores
    from vldeformer.evaluation.compositional_result import CompositionalResult
    from vldeformer.evaluation.item_scores import item_scores
    from vldeformer.evaluation.measures import EvaluationSettings
    from vldeformer.evaluation.protocols import DEFAULT_SETTINGS
    from vldeformer.models.joint import JointMatcher
    from vldeformer.retrieval.reader import open_model
    from vldeformer.runtime import RuntimeSettings, prepare_torch, this_machine
    from vldeformer.steps.error_context import error_context
    from vldeformer.steps.progress import progress_bar
    from vldeformer.steps.settings_file import read_section

    check_result(out, "the items' scores")
    section = DEFAULT_SETTINGS if settings is None else read_section(settings, "evaluate", EvaluationSettings, VERSION)
    runtime = this_machine() if settings is None else read_section(settings, "runtime", RuntimeSettings, VERSION)
    whole = Manifest.load(manifest)
    judged, image_ids, left_out = _of_split(read_items(items), whole.split(split), items)
    prepare_torch(runtime)
    loaded, reader = open_model(model, features, runtime)
    with (
        progress_bar(unit="item", desc="compositional") as bar,
        error_context(model=model, features=features, manifest=manifest),
    ):
        scores = item_scores(loaded, judged, image_ids, reader, bar.update)
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


def _of_split(
    items: list["CompositionalItem"], images: "Manifest", folder: Path
) -> tuple[list["CompositionalItem"], list[str], int]:
    """The items of these images, the image id of each, and how many others there are."""
    from vldeformer.data.sugarcrepe import image_ids_by_file
    from vldeformer.errors import InputError

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
