"""Step `score`: scores of every pair of a split by a joint model."""

from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import AllImages, AnyModel, Features, ManifestFile, OutFolder, SettingsOrMachine, SplitName

VERSION = 1


def score(
    *,
    settings: SettingsOrMachine = None,
    model: AnyModel,
    manifest: ManifestFile,
    features: Features,
    split: SplitName = "test",
    everything: Annotated[AllImages, Parameter(help="all images of the split, not only the first evaluate.joint_images")] = False,
    out: OutFolder,
) -> None:
    """Score all pairs of the first images of a split with a joint model."""
    import time

    from vldeformer.artifact import check_replaceable
    from vldeformer.data.manifest import Manifest
    from vldeformer.evaluation.measures import EvaluationSettings
    from vldeformer.evaluation.protocols import DEFAULT_SETTINGS
    from vldeformer.models.importing import files_of
    from vldeformer.provenance import provenance
    from vldeformer.retrieval.pair_scores import score_all
    from vldeformer.retrieval.reader import open_matcher
    from vldeformer.runtime import RuntimeSettings, prepare_torch, this_machine
    from vldeformer.steps.error_context import error_context
    from vldeformer.steps.progress import progress_bar
    from vldeformer.steps.settings_file import read_section

    started = time.monotonic()
    check_replaceable(out)
    runtime = this_machine() if settings is None else read_section(settings, "runtime", RuntimeSettings, VERSION)
    section = DEFAULT_SETTINGS if settings is None else read_section(settings, "evaluate", EvaluationSettings, VERSION)
    prepare_torch(runtime)
    matcher, reader = open_matcher(model, features, runtime)
    chosen = Manifest.load(manifest).split(split)
    chosen = chosen if everything else chosen.first(section.joint_images)
    with (
        progress_bar(total=len(chosen.images) * len(chosen.captions), unit="pair", desc="score") as bar,
        error_context(model=model, features=features, manifest=manifest),
    ):
        scores = score_all(matcher, chosen, reader, bar.update)
    inputs = {"model": files_of(model), "manifest": manifest, "features": features}
    sections = {"evaluate": section, "runtime": runtime}
    values = {name: own.model_dump(mode="json") for name, own in sections.items()} | {"split": split, "all": everything}
    scores.save(out, provenance(values, inputs, started))
