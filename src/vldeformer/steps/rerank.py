"""Step `rerank`: the decomposed model's vectors propose, the joint model orders: results and cost for every depth."""

from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import (
    AllImages,
    DatasetName,
    EmbeddingsFolder,
    ExperimentName,
    Features,
    JointModel,
    ManifestFile,
    OutFolder,
    SettingsFile,
    SplitName,
)

VERSION = 2


def rerank(
    *,
    settings: SettingsFile,
    embeddings: EmbeddingsFolder,
    joint: JointModel,
    manifest: ManifestFile,
    features: Features,
    split: SplitName = "test",
    everything: Annotated[
        AllImages, Parameter(help="all images with rerank.depth, not the first evaluate.joint_images with every depth")
    ] = False,
    dataset: DatasetName = "unnamed",
    experiment: ExperimentName = "reranked",
    out: OutFolder,
) -> None:
    """Re-rank a decomposed model's best with a joint model; recall and cost.

    Writes rerank.json, and depth_K.json with depth_K.ranks.parquet for every K: the first ``evaluate.joint_images`` images with
    ``rerank.depth`` and all ``rerank.depths`` (protocol ``subset``), or with ``--all`` every image with ``rerank.depth`` alone
    (protocol ``test``, of another split than test ``all``).
    """
    import time

    from vldeformer.artifact import RECORD, check_replaceable, whole_folder, write_json
    from vldeformer.data.manifest import Manifest
    from vldeformer.evaluation.measures import EvaluationSettings
    from vldeformer.evaluation.rerank_curve import Label
    from vldeformer.evaluation.rerank_curve import rerank as judge
    from vldeformer.models.importing import files_of
    from vldeformer.provenance import provenance
    from vldeformer.retrieval.embeddings import Embeddings
    from vldeformer.retrieval.reader import open_matcher
    from vldeformer.retrieval.reranking import RerankSettings
    from vldeformer.runtime import RuntimeSettings, prepare_torch
    from vldeformer.steps.error_context import error_context
    from vldeformer.steps.progress import progress_bar
    from vldeformer.steps.settings_file import read_section

    started = time.monotonic()
    check_replaceable(out)
    section = read_section(settings, "rerank", RerankSettings, VERSION)
    evaluation = read_section(settings, "evaluate", EvaluationSettings, VERSION)
    runtime = read_section(settings, "runtime", RuntimeSettings, VERSION)
    prepare_torch(runtime)
    vectors, chosen = Embeddings.load(embeddings), Manifest.load(manifest).split(split)
    if not everything:
        vectors, chosen = vectors.first(evaluation.joint_images), chosen.first(evaluation.joint_images)
    matcher, reader = open_matcher(joint, features, runtime)
    protocol = ("test" if split == "test" else "all") if everything else "subset"
    depths = [section.depth] if everything else [section.depth, *section.depths]
    with (
        progress_bar(unit="pair", desc="rerank") as bar,
        error_context(embeddings=embeddings, model=joint, features=features, manifest=manifest, split=split),
    ):
        found = judge(
            vectors,
            matcher,
            chosen,
            reader,
            depths,
            section.dual_weight,
            Label(dataset, experiment, protocol),
            evaluation,
            bar.update,
        )
    inputs = {"embeddings": embeddings, "joint": files_of(joint), "manifest": manifest, "features": features}
    sections = {"rerank": section, "evaluate": evaluation, "runtime": runtime}
    values = {name: own.model_dump(mode="json") for name, own in sections.items()} | {"split": split, "all": everything}
    with whole_folder(out) as folder:
        for k, result in found.results.items():
            result.save(folder / f"depth_{k}.json")
        write_json(folder / "rerank.json", found.measured | {"depth": section.depth})
        write_json(folder / RECORD, provenance(values, inputs, started))
