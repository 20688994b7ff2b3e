"""Step `train`: a joint matcher or a decomposed encoder on the target set."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import Features, ManifestFile, OutFolder, SettingsFile, Tokenizer

VERSION = 1


def train(
    *,
    settings: SettingsFile,
    manifest: ManifestFile,
    features: Features,
    tokenizer: Tokenizer,
    start: Annotated[Path | None, Parameter(help="model folder made by `pretrain` (train.start: pretrained)")] = None,
    negatives: Annotated[Path | None, Parameter(help="folder made by `negatives` (train.hard_negatives)")] = None,
    teacher: Annotated[
        Path | None,
        Parameter(help="joint model folder that gives scores (train.distillation, train.hard_negatives.limit)"),
    ] = None,
    control: Annotated[
        Path | None,
        Parameter(help="decomposed model folder that ranks negatives or gives soft targets (curriculum, control_distillation)"),
    ] = None,
    out: OutFolder,
) -> None:
    """Train a joint matcher or a decomposed encoder; continues an interrupted run.

    Writes ``model/`` (the best weights on val), ``last/`` (the final ones, if they differ) and ``journal.jsonl``.
    ``--start``, ``--negatives``, ``--teacher`` and ``--control`` are required if and only if the settings need them.
    """
    import time
    from typing import Any

    import torch

    from vldeformer.artifact import check_replaceable
    from vldeformer.data.manifest import Manifest
    from vldeformer.errors import InputError
    from vldeformer.inputs.streams import PairStream
    from vldeformer.inputs.tokens import WordPieces
    from vldeformer.models.dual import DualEncoder
    from vldeformer.models.fast_layers import use_fast_layers
    from vldeformer.models.weights import ModelDescription, build_model, copy_backbone, load_model
    from vldeformer.retrieval.reader import Lengths, extractor_of, open_reader
    from vldeformer.runtime import RuntimeSettings
    from vldeformer.seeding import named_seed
    from vldeformer.steps.settings_file import read_backbone, read_section, read_training
    from vldeformer.training.inputs import (
        check_architecture,
        check_inputs,
        control_vectors,
        dual_training,
        embed_by_control,
        open_negatives,
        open_teacher,
        ranked_shares,
    )
    from vldeformer.training.joint_settings import JointTraining
    from vldeformer.training.loop import Task, fit, start_processes
    from vldeformer.training.optimizer_settings import RetrievalTraining
    from vldeformer.training.run_folder import finish, run_folder, run_key, run_lock
    from vldeformer.training.settings import DualTraining
    from vldeformer.training.start import start_without_pretraining
    from vldeformer.training.tasks import dual_validation, joint_training, joint_validation

    started = time.monotonic()
    check_replaceable(out)
    backbone, section = read_backbone(settings, VERSION), read_training(settings, VERSION)
    runtime = read_section(settings, "runtime", RuntimeSettings, VERSION)
    if not isinstance(section, RetrievalTraining):
        use = f"use `vldeformer score-{section.kind}`"
        raise InputError(f"{settings}: train.kind is {section.kind}, which is not trained; {use}")
    if (section.start != "scratch") != (start is not None):
        raise InputError(f"{settings}: train.start is {section.start!r}; give --start unless it is 'scratch'")
    check_inputs(settings, section, negatives, teacher, control)
    joint_layers = section.joint_layers if isinstance(section, JointTraining) else None
    pooling = section.pooling if isinstance(section, DualTraining) else None
    if isinstance(section, JointTraining):
        try:
            backbone.layers_apart(joint_layers)
        except InputError as error:
            raise InputError(f"{settings}: train.{error}") from None

    accelerator = start_processes(runtime)
    words = WordPieces.load(tokenizer)
    reader = open_reader(backbone, words, features, Lengths.of(backbone, pooling, joint_layers), runtime)
    whole = Manifest.load(manifest)
    images = whole.split("train")
    images = images if section.images is None else images.first(section.images)
    torch.manual_seed(named_seed(section.seed, "weights"))
    description = ModelDescription(
        **section.architecture(),
        backbone=backbone,
        vocabulary_size=len(words),
        feature_width=reader.visual.feature_width,
        image_size=reader.visual.image_size,
    )
    model = build_model(description)
    if start is not None:
        loaded, its_description, its_words = load_model(start)
        check_architecture(settings, backbone, start, its_description.backbone)
        if its_words.tokenizer.to_str() != words.tokenizer.to_str():  # equal shapes do not prove equal word pieces
            raise InputError(f"{start}: the model to start from has other word pieces than {tokenizer}; give --tokenizer its own")
        copy_backbone(loaded, model, section.start_share)
    else:
        start_without_pretraining(model.backbone, backbone, images, reader)
        if isinstance(model, DualEncoder) and model.image_backbone is not None:
            model.image_backbone.load_state_dict(model.backbone.state_dict())

    by_control = embed_by_control(control, images, features, runtime)
    drawn_to = control_vectors(section, by_control, accelerator)
    ranking = ranked_shares(section, images, by_control) if isinstance(section, JointTraining) else None
    drawn = None if ranking is None else ranking.negatives
    stream = PairStream(
        images,
        reader.text,
        reader.visual,
        section.batch_images,
        section.seed,
        negatives=open_negatives(section, negatives, images) if isinstance(section, DualTraining) else drawn,
        share=(accelerator.process_index, accelerator.num_processes),
        captions=section.captions_per_image,
    )
    val = whole.split("val").first(section.validate_images)
    state: dict[str, Any] = {}
    if isinstance(section, JointTraining):
        backward = joint_training(stream, section, accelerator, ranking, drawn_to)
        validate = joint_validation(val, reader)
    else:
        taught_by = None if teacher is None else open_teacher(teacher, description, reader, accelerator)
        backward = dual_training(stream, section, accelerator, state, reader, taught_by, drawn_to)
        validate = dual_validation(val, reader)
    sections = {"backbone": backbone, "train": section, "runtime": runtime}
    inputs = {"manifest": manifest, "features": features, "tokenizer": tokenizer}
    given = {"start": start, "negatives": negatives, "teacher": teacher, "control": control}
    inputs |= {name: path for name, path in given.items() if path is not None}
    task = Task(backward, stream.ids, validate, section.validate_steps, section.patience, state)
    if runtime.kernels == "fast":
        use_fast_layers(model)
    with run_lock(out, accelerator):
        fitted = fit(model, task, section, accelerator, run_folder(out), run_key(sections, inputs))
        finish(out, model, description, words, fitted, sections, inputs, started, accelerator, extractor_of(features))
