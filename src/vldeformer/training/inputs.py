"""What a training reads besides its pairs: the model to start from, hard negatives, and the joint model's scores."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.inputs.collate import ComposedImage
from vldeformer.inputs.drawn_negatives import ComposedNegatives, MinedNegatives
from vldeformer.inputs.streams import PairStream
from vldeformer.models.joint import JointMatcher
from vldeformer.models.settings import BackboneSettings
from vldeformer.models.weights import ModelDescription, load_model
from vldeformer.negatives.stored import read_hard_images, read_hard_texts
from vldeformer.retrieval.embeddings import Embeddings
from vldeformer.retrieval.item_vectors import embed
from vldeformer.retrieval.reader import Reader, open_encoder
from vldeformer.runtime import RuntimeSettings
from vldeformer.training.joint_settings import JointTraining
from vldeformer.training.mining import Miner, RankedShares
from vldeformer.training.optimizer_settings import RetrievalTraining
from vldeformer.training.settings import DualTraining
from vldeformer.training.tasks import Backward, contrastive_training
from vldeformer.training.teacher import Teacher
from vldeformer.training.vector_loss import ControlVectors

ARCHITECTURE = ("kind", "layers", "hidden", "heads", "intermediate", "norm_eps")


def check_architecture(settings: Path, backbone: BackboneSettings, start: Path, its_backbone: BackboneSettings) -> None:
    """Raises InputError at the first key of the architecture, of which shapes tell only a part, in which the two differ."""
    regions = ("region_norm", "region_norm_eps") if backbone.reads == "tagged regions" else ()
    for key in (*ARCHITECTURE, *regions):
        wanted, found = getattr(backbone, key), getattr(its_backbone, key)
        if wanted != found:
            raise InputError(f"{settings}: backbone.{key} is {wanted!r}, but the model to start from, {start}, has {found!r}")


def check_inputs(
    settings: Path, section: RetrievalTraining, negatives: Path | None, teacher: Path | None, control: Path | None
) -> None:
    """Raises InputError unless composed negatives, a teacher and a control are given exactly if the settings ask for them."""
    if (section.control is None) != (control is None):
        raise InputError(
            f"{settings}: give --control, a decomposed model, exactly if train.curriculum or a control_distillation names one"
        )
    if section.needs_composed != (negatives is not None):
        kind = (
            f"train.hard_negatives.kind is {section.hard_negatives.kind!r}"
            if isinstance(section, DualTraining)
            else "train.kind is joint"
        )
        raise InputError(f"{settings}: {kind}; give --negatives exactly if hard negatives are 'text', 'image' or 'both'")
    if section.needs_teacher and teacher is None:
        raise InputError(f"{settings}: train.distillation or train.hard_negatives.limit asks for the joint model; give --teacher")
    if teacher is not None and not section.needs_teacher:
        raise InputError(
            f"{settings}: neither train.distillation nor train.hard_negatives.limit asks for --teacher; leave it out"
        )


def open_negatives(section: DualTraining, folder: Path | None, images: Manifest) -> ComposedNegatives | MinedNegatives:
    """The negatives that the settings name: of the step `negatives` in ``folder``, or to be mined from ``images``.

    Raises InputError if those in ``folder`` are of other images.
    """
    kinds = section.hard_negatives.kind
    if kinds == "mined":
        return MinedNegatives(images, section.seed)
    texts = read_hard_texts(folder) if folder is not None and kinds in ("text", "both") else None
    composed = read_hard_images(folder) if folder is not None and kinds in ("image", "both") else None
    if texts and not any(caption.id in texts for caption in images.captions):
        raise InputError(f"{folder}: no composed caption is of a training caption; compose negatives of this data set")
    if composed:
        _check_composed(folder, composed, images)
    return ComposedNegatives(texts, composed)


def _check_composed(folder: Path | None, composed: Mapping[str, Sequence[ComposedImage]], images: Manifest) -> None:
    """A small target set must not see the rest of a large one in its negatives."""
    ids = images.image_rows
    own = [image for image_id, variants in composed.items() if image_id in ids for image in variants]
    if not own:
        raise InputError(f"{folder}: no composed image is of a training image; compose negatives of this data set")
    outside = next((image for image in own if image.partner_id not in ids), None)
    if outside is not None:
        raise InputError(
            f"{folder}: composed image {outside.image_id!r} takes from {outside.partner_id!r}, which is no training image; "
            "compose with negatives.images as train.images"
        )


def embed_by_control(control: Path | None, images: Manifest, features: Path, runtime: RuntimeSettings) -> Embeddings | None:
    """What a control makes of the training set; None: the settings name none.

    Args:
        control: folder of the decomposed model.
        images: of the training.
        features: what it reads of images.
        runtime: where it runs.

    Raises:
        InputError: ``open_encoder`` refuses the control.

    """
    if control is None:
        return None
    encoder, reader = open_encoder(control, features, runtime)
    return embed(encoder, images, reader)


def ranked_shares(section: JointTraining, images: Manifest, control: Embeddings | None) -> RankedShares | None:
    """The ranking of the training set ``images`` that a curriculum draws from; None: there is no curriculum."""
    if section.curriculum is None or control is None:
        return None
    return RankedShares(MinedNegatives(images, section.seed), control, section.curriculum.stages)


def dual_training(
    stream: PairStream,
    section: DualTraining,
    accelerator: Accelerator,
    state: dict[str, Any],
    reader: Reader,
    teacher: Teacher | None,
    control: ControlVectors | None,
) -> Backward:
    """The task of the decomposed model, with a miner if its negatives are mined.

    Args:
        stream: the pairs.
        section: the settings.
        accelerator: the processes.
        state: see ``Task``.
        reader: of the model; the miner embeds the training set with it.
        teacher: the joint model, if the settings ask for it.
        control: see ``control_vectors``.

    """
    miner = None
    if isinstance(stream.negatives, MinedNegatives) and section.mined is not None:
        look = functools.partial(embed, manifest=stream.manifest, reader=reader)
        every_steps = section.mined.epochs * stream.sampler.steps_per_epoch
        miner = Miner(stream.negatives, look, every_steps, section.mined.depth, state)
    return contrastive_training(stream, section, accelerator, state, teacher, miner, control)


def control_vectors(
    section: JointTraining | DualTraining, control: Embeddings | None, accelerator: Accelerator
) -> ControlVectors | None:
    """What gives soft targets: another decomposed model's vectors of the training set, ``control``; None: nothing does."""
    part = section.cosine if isinstance(section, JointTraining) else section
    if control is None or part is None or part.control_distillation is None:
        return None
    captions, images = (torch.from_numpy(rows).to(accelerator.device) for rows in (control.captions, control.images))
    return ControlVectors(captions, images, part.control_distillation)


def open_teacher(path: Path, student: ModelDescription, reader: Reader, accelerator: Accelerator) -> Teacher:
    """The joint model that teaches.

    Args:
        path: its folder.
        student: the model that it teaches.
        reader: of the student.
        accelerator: the processes.

    Raises:
        InputError: there is no joint model of this project at ``path``, or it cannot read what the student reads.

    """
    matcher, its, its_words = load_model(path)
    if not isinstance(matcher, JointMatcher):
        raise InputError(f"{path}: it has no matching head, and so nothing to teach; give --teacher a joint model")
    ours, theirs = student.backbone, its.backbone
    read = {"pixels": ("patch_size", "crop_size", "keep_aspect"), "regions": ("regions",)}
    read["tagged regions"] = ("regions", "tag_tokens")
    keys = ("caption_tokens", *read[ours.reads])
    for what, same in (
        ("another kind of backbone", ours.kind == theirs.kind),
        ("other word pieces", its_words.tokenizer.to_str() == reader.text.words.tokenizer.to_str()),
        ("other numbers of a region", its.feature_width == student.feature_width),
        *((f"another backbone.{key}", getattr(ours, key) == getattr(theirs, key, None)) for key in keys),
    ):
        if not same:
            raise InputError(f"{path}: the teacher has {what} than the model that it teaches; train both from one run")
    return Teacher(matcher.to(accelerator.device), reader.runtime)
