"""Stage `train`: a joint matcher or a decomposed encoder on the target set."""

import time
from pathlib import Path

import torch

from vldeformer.artifact import check_replaceable
from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.inputs.streams import PairStream
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.settings import BackboneSettings
from vldeformer.models.text_start import start_from_text
from vldeformer.models.weights import ModelDescription, build_model, copy_backbone, load_model
from vldeformer.runtime import RuntimeSettings
from vldeformer.seeding import named_seed
from vldeformer.stages.negatives import read_hard_images, read_hard_texts
from vldeformer.stages.opened import extractor_of, open_readers
from vldeformer.stages.run_folder import finish, run_folder, run_key
from vldeformer.stages.sections import read_section
from vldeformer.training.loop import Task, fit, start_processes
from vldeformer.training.settings import TrainSettings
from vldeformer.training.tasks import contrastive_training, dual_validation, joint_training, joint_validation

ARCHITECTURE = ("kind", "layers", "hidden", "heads", "intermediate", "norm_eps")


def train(
    settings: Path, manifest: Path, visual: Path, tokenizer: Path, start: Path | None, negatives: Path | None, out: Path
) -> None:
    """Write ``model/`` (the weights that were best on val) and ``journal.jsonl``.

    ``start``: folder of the pre-trained model; ``negatives``: folder of the stage `negatives`. Both are needed if and
    only if the settings ask for them.
    """
    started = time.monotonic()
    check_replaceable(out)
    backbone = read_section(settings, "backbone", BackboneSettings)
    section = read_section(settings, "train", TrainSettings)
    runtime = read_section(settings, "runtime", RuntimeSettings)
    if section.kind == "oracle":
        raise InputError(f"{settings}: train.kind is oracle, which is not trained; use `vldeformer score-oracle`")
    if (section.start == "pretrained") != (start is not None):
        raise InputError(f"{settings}: train.start is {section.start!r}; give --start exactly if it is 'pretrained'")
    hard = section.hard_negatives if section.kind == "dual" else "none"
    if hard != "none" and negatives is None:
        raise InputError(f"{settings}: train.hard_negatives is {hard!r}; give --negatives")

    accelerator = start_processes(runtime)
    words = WordPieces.load(tokenizer)
    readers = open_readers(backbone, words, visual, section.pooling if section.kind == "dual" else None)
    torch.manual_seed(named_seed(section.seed, "weights"))
    description = ModelDescription(
        kind=section.kind,
        backbone=backbone,
        vocabulary_size=len(words),
        feature_width=readers.visual.feature_width,
        pooling=section.pooling,
        pooling_dropout=section.pooling_dropout,
        image_size=readers.visual.image_size,
    )
    model = build_model(description)
    if start is not None:
        loaded, its_description, _ = load_model(start)
        _check_architecture(settings, backbone, start, its_description.backbone)
        copy_backbone(loaded, model)
    elif backbone.text_model is not None:
        start_from_text(model.backbone, backbone.text_model)

    whole = Manifest.load(manifest)
    images = whole.split("train")
    images = images if section.images is None else images.first(section.images)
    stream = PairStream(
        images,
        readers.text,
        readers.visual,
        section.batch_images,
        section.seed,
        hard_texts=read_hard_texts(negatives) if negatives is not None and hard in ("text", "both") else None,
        hard_images=read_hard_images(negatives) if negatives is not None and hard in ("image", "both") else None,
        share=(accelerator.process_index, accelerator.num_processes),
    )
    val = whole.split("val").first(section.validate_images)
    if section.kind == "joint":
        loss = joint_training(stream, section, accelerator.device)
        validate = joint_validation(val, readers.text, readers.visual, runtime)
    else:
        loss = contrastive_training(stream, section, accelerator.device)
        validate = dual_validation(val, readers.text, readers.visual, runtime)
    sections = {"backbone": backbone, "train": section, "runtime": runtime}
    inputs = {"manifest": manifest, "visual": visual, "tokenizer": tokenizer}
    inputs |= {name: path for name, path in (("start", start), ("negatives", negatives)) if path is not None}
    task = Task(loss, validate, section.validate_steps)
    step = fit(model, task, section, accelerator, run_folder(out), run_key(sections, inputs))
    finish(out, model, description, words, step, sections, inputs, started, accelerator, extractor_of(visual))


def _check_architecture(settings: Path, backbone: BackboneSettings, start: Path, its_backbone: BackboneSettings) -> None:
    """Raises InputError at the first key of the architecture, of which shapes tell only a part, in which the two differ."""
    regions = ("region_norm", "region_norm_eps") if backbone.reads == "tagged regions" else ()
    for key in (*ARCHITECTURE, *regions):
        wanted, found = getattr(backbone, key), getattr(its_backbone, key)
        if wanted != found:
            raise InputError(f"{settings}: backbone.{key} is {wanted!r}, but the model to start from, {start}, has {found!r}")
