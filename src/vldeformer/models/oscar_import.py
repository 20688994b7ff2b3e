"""Oscar / Oscar+ / VinVL checkpoints, and the ``model.cpkt`` of the released VLDeformer, as models of this project.

Formats: microsoft/Oscar's checkpoint folder (pytorch_model.bin, config.json, vocab.txt) and idealwhite/VLDeformer's file with
``bert.*`` only. A retrieval-tuned checkpoint becomes a joint matcher; its backbone decomposed is the dual encoder of the same
weights. Lengths are the released ones: 35 caption and 35 tag tokens read alone, 70 read together, 70 regions.
"""

import pickle
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vldeformer.errors import InputError
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.dual import DualEncoder
from vldeformer.models.foreign_config import backbone_settings, check_width, expect, first_sentence, read_config
from vldeformer.models.joint import JointMatcher
from vldeformer.models.oscar_settings import OscarSettings
from vldeformer.models.settings import Pooling
from vldeformer.models.weights import ModelDescription, build_model, load_tensors

WEIGHT_FILES = ("pytorch_model.bin", "model.cpkt")
CAPTION_TOKENS, TAG_TOKENS, REGIONS, JOINT_TOKENS = 35, 35, 70, 70
POOLING_DROPOUT = 0.1

AFFINE = ("weight", "bias")
EMBEDDINGS = (
    "word_embeddings.weight",
    "position_embeddings.weight",
    "token_type_embeddings.weight",
    *(f"LayerNorm.{p}" for p in AFFINE),
)
LAYER = (
    *("attention.self.query", "attention.self.key", "attention.self.value"),
    *("attention.output.dense", "attention.output.LayerNorm"),
    *("intermediate.dense", "output.dense", "output.LayerNorm"),
)
DROPPED = {
    "bert.embeddings.position_ids",  # a row of numbers that some versions of transformers stored
    *("cls.predictions.bias", "cls.predictions.decoder.weight", "cls.predictions.decoder.bias"),
    *(f"cls.predictions.transform.{layer}.{part}" for layer in ("dense", "LayerNorm") for part in AFFINE),
    *(f"cls.seq_relationship.{part}" for part in AFFINE),
}
"""The pre-training heads: they are known and not needed."""


def import_oscar(path: Path, pooling: Pooling | None = None) -> tuple[JointMatcher | DualEncoder, ModelDescription, WordPieces]:
    """A checkpoint folder or its file of weights → a model in eval mode, its description and its word pieces.

    ``pooling`` None: ``mean_all``, as released. Raises InputError (one line) if a file is missing, carries code, or if a tensor
    is missing, unknown or of another shape than config.json says.
    """
    weights = _weights_file(path)
    config_path, vocabulary = (_beside(weights, name) for name in ("config.json", "vocab.txt"))
    config = read_config(config_path)
    tensors = _read(weights)
    words = WordPieces.read_vocabulary(vocabulary)
    expect(config, {"type_vocab_size": 2, "vocab_size": len(words)}, str(config_path))
    if str(config.get("img_feature_type")).startswith("dis_code"):
        kind = f"img_feature_type is {config['img_feature_type']!r}"
        raise InputError(f"{config_path}: {kind}; expected features of regions (frcnn, in pre-trained ones faster_r-cnn)")
    check_width(config, "img_feature_dim", str(config_path))
    region_norm = bool(config.get("use_img_layernorm"))
    settings = backbone_settings(
        OscarSettings,
        config,
        str(config_path),
        kind="oscar",
        caption_tokens=CAPTION_TOKENS,
        tag_tokens=TAG_TOKENS,
        joint_tokens=JOINT_TOKENS,
        regions=REGIONS,
        region_norm=region_norm,
        region_norm_eps=config.get("img_layer_norm_eps", 1e-12),
        text_model=None,
    )
    if settings.positions is not None and settings.positions < JOINT_TOKENS:
        rows = f"max_position_embeddings is {settings.positions}"
        raise InputError(f"{config_path}: {rows}; expected at least {JOINT_TOKENS}, which the released code reads")
    tuned = any(name.startswith("classifier.") for name in tensors)
    description = ModelDescription(
        kind="joint" if tuned else "dual",
        backbone=settings,
        vocabulary_size=len(words),
        feature_width=config["img_feature_dim"],
        pooling=pooling or "mean_all",
        pooling_dropout=POOLING_DROPOUT,
    )
    model = build_model(description)
    table = dict(key_table(settings.layers, region_norm, tuned))
    theirs = {here: there for there, here in table.items()}
    load_tensors(model, _renamed(tensors, table, str(weights)), str(weights), theirs.__getitem__)
    return model.eval(), description, words


def key_table(layers: int, region_norm: bool, tuned: bool) -> Iterator[tuple[str, str]]:
    """(name in the checkpoint, name here) of every tensor that a checkpoint must have."""
    for name in EMBEDDINGS:
        yield f"bert.embeddings.{name}", f"backbone.bert.embeddings.{name}"
    for part in AFFINE:
        for number in range(layers):
            for name in LAYER:
                yield f"bert.encoder.layer.{number}.{name}.{part}", f"backbone.bert.encoder.layer.{number}.{name}.{part}"
        yield f"bert.pooler.dense.{part}", f"backbone.bert.pooler.dense.{part}"
        yield f"bert.img_embedding.{part}", f"backbone.region_embedding.{part}"
        if region_norm:
            yield f"bert.LayerNorm.{part}", f"backbone.region_norm.{part}"
        if tuned:
            yield f"classifier.{part}", f"classifier.{part}"


def _renamed(tensors: Mapping[str, Tensor], table: Mapping[str, str], source: str) -> dict[str, Tensor]:
    unknown = sorted(tensors.keys() - table.keys() - DROPPED)
    if unknown:
        what = f"{len(unknown)} tensors that no Oscar checkpoint of this config.json has, first {unknown[0]!r}"
        raise InputError(f"{source}: {what}; the two may belong to different models")
    missing = sorted(table.keys() - tensors.keys())
    if missing:
        raise InputError(f"{source}: {len(missing)} tensors missing, first {missing[0]!r}; the file may be of another model")
    return {here: tensors[there] for there, here in table.items()}


def _weights_file(path: Path) -> Path:
    if path.is_file():
        return path
    found = [path / name for name in WEIGHT_FILES if (path / name).is_file()]
    if not found:
        raise InputError(f"{path}: expected a checkpoint folder with one of {', '.join(WEIGHT_FILES)}, found none")
    return found[0]


def _beside(weights: Path, name: str) -> Path:
    """``name`` in the folder of the weights or the one above: a training writes its weights below the model it began from."""
    for folder in (weights.parent, weights.absolute().parent.parent):
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{weights}: expected {name} beside it, found none; copy the one of the model that it was trained from")


def _read(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickle protocols that torch does not write
            value: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        reason = "it is damaged or holds something else than tensors, which could run code when it is read"
        raise InputError(f"{path}: refused: {reason}; save a plain state_dict") from None
    except (OSError, RuntimeError, EOFError, ValueError, LookupError, AttributeError) as error:
        expected, reason = "expected weights saved by torch", first_sentence(error)
        raise InputError(f"{path}: {expected}, cannot read them ({reason}); cut short or damaged, get the file again") from None
    if not isinstance(value, dict) or not all(isinstance(tensor, Tensor) for tensor in value.values()):
        raise InputError(f"{path}: expected a state_dict, name → tensor, got {type(value).__name__}")
    return value
