"""Settings of an experiment on a dataset: the sections, how they are assembled from files, and what does not go together.

Which files: ``experiment_files``. How they are merged, tagged unions among them: ``layers``.
This module imports no torch: the workflow reads the settings each time it is started.
"""

from pathlib import Path

from pydantic import ValidationError

from vldeformer.datasets.sources import SOURCES, DatasetSettings
from vldeformer.errors import InputError
from vldeformer.evaluation.measures import EvaluationSettings
from vldeformer.evaluation.timing import SpeedSettings
from vldeformer.extractors.settings import AnyRegionSettings, PhotographRegions
from vldeformer.inputs.settings import NegativeSettings, VocabularySettings
from vldeformer.models.any_settings import AnyBackboneSettings
from vldeformer.models.linear_settings import LinearSettings
from vldeformer.models.settings import PixelBackboneSettings, TransformerSettings
from vldeformer.planning.experiment_files import ExperimentFiles
from vldeformer.planning.layers import explain, merge_layers
from vldeformer.report.settings import ReportChoices
from vldeformer.retrieval.reranking import RerankSettings
from vldeformer.runtime import RuntimeSettings
from vldeformer.scenes.world_settings import CompositionalSettings
from vldeformer.section import Section
from vldeformer.training.joint_settings import JointTraining
from vldeformer.training.optimizer_settings import OptimizerSettings, PretrainSettings
from vldeformer.training.settings import DualTraining, LexicalTraining, TrainSettings


class Settings(Section):
    """Everything that one experiment on one dataset is made from."""

    dataset: DatasetSettings
    regions: AnyRegionSettings
    vocabulary: VocabularySettings
    backbone: AnyBackboneSettings
    negatives: NegativeSettings
    pretrain: PretrainSettings
    train: TrainSettings
    evaluate: EvaluationSettings
    compositional: CompositionalSettings
    rerank: RerankSettings
    speed: SpeedSettings
    runtime: RuntimeSettings
    report: ReportChoices


def load_settings(files: ExperimentFiles | Path, dataset: str, experiment: str) -> Settings:
    """Merge the files of one experiment on one dataset and check them.

    Args:
        files: the folder ``config``, or what was read of it already.
        dataset: name of a file in ``config/datasets``.
        experiment: name of a file in ``config/experiments``, of a row in ``config/ablations``, or either with ``_seedN``.

    Raises:
        InputError: one line with file, setting, what was expected and what came, if a file is missing or is not YAML, if a
            setting is unknown, missing or of a wrong type, or if two settings do not go together.

    """
    files = ExperimentFiles(files) if isinstance(files, Path) else files
    layers = files.layers(dataset, experiment)
    try:
        settings = Settings.model_validate(merge_layers(layers, Settings))
    except ValidationError as error:
        raise InputError(explain(error, Settings, layers)) from None
    _check_together(settings, " + ".join(source for source, layer in layers[1:] if layer))
    return settings


def _check_together(settings: Settings, source: str) -> None:
    """What no single section can check. Raises InputError."""
    problems = [*_backbone_and_dataset(settings), *_training_and_backbone(settings), *_negatives(settings)]
    for name, training in (("pretrain", settings.pretrain), ("train", settings.train)):
        if isinstance(training, OptimizerSettings):
            too_long = 0 < training.steps <= training.warmup_steps
            steps = f"{training.warmup_steps} and {training.steps}"
            problems.append((too_long, f"{name}.warmup_steps must be fewer than {name}.steps, got {steps}"))
    for wrong, problem in problems:
        if wrong:
            raise InputError(f"{source}: {problem}")


def _backbone_and_dataset(settings: Settings) -> list[tuple[bool, str]]:
    dataset, backbone = settings.dataset, settings.backbone
    described, side = dataset.gives_regions, dataset.square_side
    if not isinstance(backbone, PixelBackboneSettings):
        with_regions = " or ".join(key for key, kind in SOURCES.items() if kind.gives_regions)
        extracted, kind = isinstance(settings.regions, PhotographRegions), settings.regions.kind
        needs = (
            f"backbone.kind {backbone.kind} needs the regions of dataset.source {with_regions}, or of photographs by "
            "regions.kind efficientnet_lite0 or hub; set one of them, or backbone.kind to vilt"
        )
        unread = f"regions.kind {kind} reads photographs, dataset.source {dataset.source} has none; leave regions.kind out"
        return [(not described and not extracted, needs), (extracted and not dataset.gives_pixels, unread)]
    crop, patch, squares = backbone.crop_size, backbone.patch_size, not backbone.keep_aspect
    return [
        (
            not dataset.gives_pixels,
            f"backbone.kind {backbone.kind} needs photographs, dataset.source {dataset.source} has regions only; set it to oscar",
        ),
        (crop % patch > 0, f"backbone.patch_size must divide backbone.crop_size, got {patch} and {crop}"),
        (
            squares and side is not None and crop > side,
            f"backbone.crop_size must not exceed the dataset's image_size, got {crop} and {side}",
        ),
        (
            squares and side is None and not described,
            "dataset.photographs as_they_are needs backbone.keep_aspect true; set it, or photographs: squares with an image_size",
        ),
    ]


def _training_and_backbone(settings: Settings) -> list[tuple[bool, str]]:
    backbone, train = settings.backbone, settings.train
    if isinstance(train, DualTraining):
        whole = isinstance(backbone, PixelBackboneSettings) and backbone.keep_aspect
        lengths = (
            "train.pooling mean_all needs inputs of one length, photographs with backbone.keep_aspect have none; set it to mean"
        )
        pretrained = f"backbone.kind {backbone.kind} is not pre-trained; set train.start to scratch"
        return [
            (whole and train.pooling == "mean_all", lengths),
            (isinstance(backbone, LinearSettings) and train.start != "scratch", pretrained),
        ]
    if isinstance(train, LexicalTraining):
        pixels = f"train.kind lexical reads tags, backbone.kind {backbone.kind} has none; leave this experiment out"
        return [(backbone.reads == "pixels", pixels)]
    if not isinstance(train, JointTraining):
        return []
    if not isinstance(backbone, TransformerSettings):
        return [(True, f"train.kind joint needs a transformer, got backbone.kind {backbone.kind}; use kind dual")]
    layers = f"got {train.joint_layers} and {backbone.layers}"
    too_many = train.joint_layers is not None and train.joint_layers > backbone.layers
    return [(too_many, f"train.joint_layers must not exceed backbone.layers, {layers}")]


def _negatives(settings: Settings) -> list[tuple[bool, str]]:
    negatives, train, backbone = settings.negatives, settings.train, settings.backbone
    if not isinstance(train, DualTraining) or not train.needs_composed:
        return []
    undetected = backbone.reads == "pixels"
    images = f"got {negatives.images} and {train.images}"
    return [
        (
            negatives.images != train.images,
            f"negatives.images must be train.images where composed negatives are read, {images}",
        ),
        (
            undetected and negatives.image_partner == "near",
            f"negatives.image_partner near needs regions, backbone.kind {backbone.kind} has none; set it to category or random",
        ),
        (
            undetected and negatives.replacements == "tags",
            f"negatives.replacements tags needs a detector, backbone.kind {backbone.kind} has none; set it to corpus",
        ),
    ]
