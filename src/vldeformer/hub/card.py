"""The model card of a saved model: what it is, how it was trained, what was measured. What is not known is said to be unknown."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, resources

import jinja2
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from vldeformer.datasets.public_datasets import PUBLIC_DATASETS
from vldeformer.evaluation.measures import CUTOFFS
from vldeformer.evaluation.run_facts import COMPARED
from vldeformer.hub.lineage import TrainingRecord
from vldeformer.hub.measured import CardResults
from vldeformer.hub.parts import parts_read
from vldeformer.models.settings import PixelBackboneSettings
from vldeformer.models.weights import ModelDescription

CARD = "README.md"
TEMPLATE = "model_card.md.j2"
PAPER = "https://arxiv.org/abs/2110.11338"
SHOWN = (
    "kind",
    "start",
    "loss",
    "hard_negatives",
    "batch_images",
    "learning_rate",
    "weight_decay",
    "distillation",
    "seed",
)
"""Settings of a training that stand in the table; all of them stand below it."""
WORLD = (
    "It was trained on `scenes`: drawn pictures with two to four of 12 shapes in 8 colours and 2 sizes, and generated captions. "
    "It does not work for photographs or for other words."
)


@dataclass(frozen=True)
class Saved:
    """A saved model as its card describes it. width: D; detector: what one that travels with it learned from; None: none does."""

    description: ModelDescription
    parameters: int
    width: int
    detector: str | None
    weights_sha256: str


def model_card(saved: Saved, training: TrainingRecord | None, results: CardResults | None, repo_id: str | None = None) -> str:
    """Markdown with the hub's metadata on top. ``repo_id``: where it will lie on the hub; None: in a folder.

    ``training``, ``results`` None: not recorded, not evaluated.
    """
    name = repo_id.rpartition("/")[2] if repo_id else "Decomposed vision-language model"
    data = ModelCardData(
        library_name="vldeformer",
        pipeline_tag="feature-extraction",
        tags=["image-text-retrieval", "dual-encoder", saved.description.backbone.kind],
        model_name=name,
        eval_results=list(_evaluated(results)) or None if results else None,
    )
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = (resources.files("vldeformer.hub") / TEMPLATE).read_text(encoding="utf-8")
    text = environment.from_string(source).render(
        card_data=data.to_yaml(),
        name=name,
        load_from=repo_id or "FOLDER",
        paper=PAPER,
        width=saved.width,
        description=saved.description,
        backbone=saved.description.backbone,
        parameters=saved.parameters,
        images=_images(saved),
        weights_sha256=saved.weights_sha256,
        version=metadata.version("vldeformer"),
        training=training,
        data=_data(training),
        trained=[] if training is None else list(_trained(training)),
        settings="" if training is None else json.dumps(training.settings, indent=1, sort_keys=True, ensure_ascii=False),
        results=results,
        subset=results is not None and any(found.protocol == COMPARED for found in results.recalls),
        parts=list(parts_read(saved.description.backbone, saved.detector, training)),
        limits=list(_limits(saved, training)),
    )
    return str(ModelCard(text))


def _evaluated(results: CardResults) -> Iterator[EvalResult]:
    for found in results.recalls:
        for direction, title in ((found.i2t, "image to text"), (found.t2i, "text to image")):
            for k in CUTOFFS:
                recall = direction[f"R@{k}"]
                yield EvalResult(
                    task_type="image-text-retrieval",
                    task_name="Image-text retrieval",
                    dataset_type=results.dataset,
                    dataset_name=results.dataset,
                    dataset_config=found.protocol,
                    dataset_split="test",
                    metric_type="recall",
                    metric_name=f"R@{k} {title}, percent",
                    metric_value=recall.value,
                    metric_args={"k": k, "interval_95": [recall.low, recall.high]},
                )


def _images(saved: Saved) -> str:
    backbone = saved.description.backbone
    if isinstance(backbone, PixelBackboneSettings):
        side = "shorter side of" if backbone.keep_aspect else "square of"
        return f"pixels, {side} {backbone.crop_size}, patches of {backbone.patch_size}"
    words = " and their tags" if backbone.reads == "tagged regions" else ""
    detector = (
        "a detector for pictures is in the folder"
        if saved.detector is not None
        else "there is no detector in the folder, so it accepts no pictures"
    )
    return f"at most {backbone.regions} detector regions{words}, features of width {saved.description.feature_width}; {detector}"


def _data(training: TrainingRecord | None) -> str:
    if training is None or training.data is None:
        return "not recorded"
    counts = ", ".join(f"{split} {number:,}" for split, number in sorted(training.data.images.items()))
    return f"{training.data.name} (images: {counts})"


def _trained(training: TrainingRecord) -> Iterator[tuple[str, str]]:
    section = training.settings.get("train") or training.settings["pretrain"]
    for key in SHOWN:
        if key in section:
            yield key, f"`{json.dumps(section[key], ensure_ascii=False)}`"
    if training.kept_step is not None and training.last_step is not None:
        yield "step of these weights", f"{training.kept_step:,} of {training.last_step:,}"
    code = training.code
    changed = " with uncommitted changes" if code.dirty else ""
    commit = f" at {code.commit[:12]}{changed}" if code.commit else ", commit not recorded"
    yield "code", f"vldeformer {code.version or 'of unknown version'}{commit}"
    packages = ", ".join(f"{name} {training.packages[name]}" for name in ("torch", "transformers") if training.packages.get(name))
    yield "versions", f"Python {training.python or 'not recorded'}, {packages or 'packages not recorded'}"
    machine = training.machine
    gpus = ", ".join(machine["gpus"]) or "no GPU" if isinstance(machine.get("gpus"), list) else "GPU not recorded"
    cores = f"{machine['cores']} cores" if machine.get("cores") else "cores not recorded"
    yield "hardware", f"{machine.get('processor') or 'CPU not recorded'}, {cores}, {gpus}"
    if training.wall_seconds is not None:
        yield "time", f"{training.wall_seconds:,.0f} s"


def _limits(saved: Saved, training: TrainingRecord | None) -> Iterator[str]:
    data = training.data.name if training and training.data else None
    if data == "scenes":
        yield WORLD
    public = [known for known in PUBLIC_DATASETS.values() if data and known.name in data.split("_")]
    for known in public:
        yield f"Trained on {known.name}, which has its own terms. {' '.join(known.terms.split())}"
    if data is None:
        yield "Its training data and the terms of those data are not recorded: ask the author of the model."
    elif data != "scenes" and not public:
        yield f"The terms of the data set {data} are not known: ask the author of the model."
    yield "Its recall on other pictures and captions is not known."
    yield "It always returns the nearest items, even if all are wrong, and reproduces the biases of its captions."
    if saved.description.backbone.reads != "pixels" and saved.detector is None:
        yield "It needs the features of the detector that it was trained with."
