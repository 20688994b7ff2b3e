"""Stage `rerank`: the decomposed model's vectors propose, the joint model orders: results and cost for every depth."""

import time
from pathlib import Path

from vldeformer.artifact import RECORD, check_replaceable, whole_folder, write_json
from vldeformer.data.manifest import Manifest
from vldeformer.evaluation.measures import EvaluationSettings
from vldeformer.evaluation.rerank_curve import Label
from vldeformer.evaluation.rerank_curve import rerank as judge
from vldeformer.models.importing import files_of
from vldeformer.retrieval.embeddings import Embeddings
from vldeformer.retrieval.reranking import RerankSettings
from vldeformer.runtime import RuntimeSettings, prepare_torch
from vldeformer.stages.error_context import told_where
from vldeformer.stages.open_inputs import open_matcher
from vldeformer.stages.progress import progress_bar
from vldeformer.stages.provenance import provenance
from vldeformer.stages.sections import read_section


def rerank(
    settings: Path,
    embeddings: Path,
    joint: Path,
    manifest: Path,
    visual: Path,
    split: str,
    everything: bool,
    dataset: str,
    experiment: str,
    out: Path,
) -> None:
    """Write RERANK_DIR: rerank.json, and depth_K.json with depth_K.ranks.parquet for every K.

    The first ``evaluate.joint_images`` images are judged with ``rerank.depth`` and all ``rerank.depths`` (protocol ``subset``),
    or ``everything`` with ``rerank.depth`` alone (protocol ``test``, of another split than test ``all``).
    """
    started = time.monotonic()
    check_replaceable(out)
    section = read_section(settings, "rerank", RerankSettings)
    evaluation = read_section(settings, "evaluate", EvaluationSettings)
    runtime = read_section(settings, "runtime", RuntimeSettings)
    device = prepare_torch(runtime)
    vectors, chosen = Embeddings.load(embeddings), Manifest.load(manifest).split(split)
    if not everything:
        vectors, chosen = vectors.first(evaluation.joint_images), chosen.first(evaluation.joint_images)
    matcher, readers = open_matcher(joint, visual)
    protocol = ("test" if split == "test" else "all") if everything else "subset"
    depths = [section.depth] if everything else [section.depth, *section.depths]
    with (
        progress_bar(unit="pair", desc="rerank") as bar,
        told_where(embeddings=embeddings, model=joint, store=visual, manifest=manifest, split=split),
    ):
        found = judge(
            vectors,
            matcher.to(device),
            chosen,
            (readers.text, readers.visual),
            depths,
            section.dual_weight,
            Label(dataset, experiment, protocol),
            evaluation,
            runtime,
            bar.update,
        )
    inputs = {"embeddings": embeddings, "joint": files_of(joint), "manifest": manifest, "visual": visual}
    sections = {"rerank": section, "evaluate": evaluation, "runtime": runtime}
    values = {name: own.model_dump(mode="json") for name, own in sections.items()} | {"split": split, "all": everything}
    with whole_folder(out) as folder:
        for k, result in found.results.items():
            result.save(folder / f"depth_{k}.json")
        write_json(folder / "rerank.json", found.measured | {"depth": section.depth})
        write_json(folder / RECORD, provenance(values, inputs, started))
