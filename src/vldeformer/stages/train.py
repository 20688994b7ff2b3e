"""Stage `train`: a joint matcher or a decomposed encoder on the target set."""

import time
from pathlib import Path
from typing import Any

import torch

from vldeformer.artifact import check_replaceable
from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.inputs.streams import PairStream
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.dual import DualEncoder
from vldeformer.models.settings import BackboneSettings
from vldeformer.models.text_start import start_from_text
from vldeformer.models.weights import ModelDescription, build_model, copy_backbone, load_model
from vldeformer.runtime import RuntimeSettings
from vldeformer.seeding import named_seed
from vldeformer.stages.open_inputs import extractor_of, open_readers
from vldeformer.stages.run_folder import finish, run_folder, run_key, run_lock
from vldeformer.stages.sections import read_backbone, read_section, read_training
from vldeformer.stages.train_dual import check_inputs, dual_training, open_negatives, open_teacher
from vldeformer.training.loop import Task, fit, start_processes
from vldeformer.training.settings import DualTraining, JointTraining, OracleTraining
from vldeformer.training.tasks import dual_validation, joint_training, joint_validation

ARCHITECTURE = ("kind", "layers", "hidden", "heads", "intermediate", "norm_eps")


def train(
    settings: Path,
    manifest: Path,
    visual: Path,
    tokenizer: Path,
    start: Path | None,
    negatives: Path | None,
    out: Path,
    teacher: Path | None = None,
) -> None:
    """Write ``model/`` (the weights that were best on val), ``last/`` (the last ones, if they are others) and ``journal.jsonl``.

    ``start``: folder of the pre-trained model; ``negatives``: folder of the stage `negatives`; ``teacher``: the joint model.
    Each is needed if and only if the settings ask for it. Raises InputError if one does not go with the settings or the inputs.
    """
    started = time.monotonic()
    check_replaceable(out)
    backbone, section = read_backbone(settings), read_training(settings)
    runtime = read_section(settings, "runtime", RuntimeSettings)
    if isinstance(section, OracleTraining):
        raise InputError(f"{settings}: train.kind is oracle, which is not trained; use `vldeformer score-oracle`")
    if (section.start != "scratch") != (start is not None):
        raise InputError(f"{settings}: train.start is {section.start!r}; give --start unless it is 'scratch'")
    check_inputs(settings, section, negatives, teacher)
    joint_layers = section.joint_layers if isinstance(section, JointTraining) else None
    pooling = section.pooling if isinstance(section, DualTraining) else None
    try:
        backbone.layers_apart(joint_layers)
    except InputError as error:
        raise InputError(f"{settings}: train.{error}") from None

    accelerator = start_processes(runtime)
    words = WordPieces.load(tokenizer)
    readers = open_readers(backbone, words, visual, pooling, joint_layers)
    torch.manual_seed(named_seed(section.seed, "weights"))
    description = ModelDescription(
        backbone=backbone,
        vocabulary_size=len(words),
        feature_width=readers.visual.feature_width,
        image_size=readers.visual.image_size,
        **section.architecture(),
    )
    model = build_model(description)
    if start is not None:
        loaded, its_description, its_words = load_model(start)
        _check_architecture(settings, backbone, start, its_description.backbone)
        if its_words.tokenizer.to_str() != words.tokenizer.to_str():  # which shapes need not tell
            raise InputError(f"{start}: the model to start from has other word pieces than {tokenizer}; give --tokenizer its own")
        copy_backbone(loaded, model, section.start_share)
    elif backbone.text_start is not None:
        start_from_text(model.backbone, backbone.text_start)
        if isinstance(model, DualEncoder) and model.image_backbone is not None:
            start_from_text(model.image_backbone, backbone.text_start)

    whole = Manifest.load(manifest)
    images = whole.split("train")
    images = images if section.images is None else images.first(section.images)
    stream = PairStream(
        images,
        readers.text,
        readers.visual,
        section.batch_images,
        section.seed,
        negatives=open_negatives(section, negatives, images) if isinstance(section, DualTraining) else None,
        share=(accelerator.process_index, accelerator.num_processes),
    )
    val = whole.split("val").first(section.validate_images)
    state: dict[str, Any] = {}
    if isinstance(section, JointTraining):
        backward = joint_training(stream, section, accelerator)
        validate = joint_validation(val, readers.text, readers.visual, runtime)
    else:
        judge = None
        if teacher is not None:
            judge = open_teacher(teacher, description, words, runtime, accelerator)
        backward = dual_training(stream, section, accelerator, state, readers, runtime, judge)
        validate = dual_validation(val, readers.text, readers.visual, runtime)
    sections = {"backbone": backbone, "train": section, "runtime": runtime}
    inputs = {"manifest": manifest, "visual": visual, "tokenizer": tokenizer}
    given = {"start": start, "negatives": negatives, "teacher": teacher}
    inputs |= {name: path for name, path in given.items() if path is not None}
    task = Task(backward, stream.ids, validate, section.validate_steps, section.patience, state)
    with run_lock(out, accelerator):
        fitted = fit(model, task, section, accelerator, run_folder(out), run_key(sections, inputs))
        finish(out, model, description, words, fitted, sections, inputs, started, accelerator, extractor_of(visual))


def _check_architecture(settings: Path, backbone: BackboneSettings, start: Path, its_backbone: BackboneSettings) -> None:
    """Raises InputError at the first key of the architecture, of which shapes tell only a part, in which the two differ."""
    regions = ("region_norm", "region_norm_eps") if backbone.reads == "tagged regions" else ()
    for key in (*ARCHITECTURE, *regions):
        wanted, found = getattr(backbone, key), getattr(its_backbone, key)
        if wanted != found:
            raise InputError(f"{settings}: backbone.{key} is {wanted!r}, but the model to start from, {start}, has {found!r}")
