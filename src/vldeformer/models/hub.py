"""ViLT and VisualBERT of the Hugging Face hub, by id or as a local folder, as models of this project.

Transformers reads the weights; here it is checked that none is missing, left over or of another shape, and that the model's
image processor does what ``inputs.photographs`` does.
"""

import contextlib
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from torch import Tensor, nn

from vldeformer.errors import InputError
from vldeformer.hub_files import hub_file, quiet
from vldeformer.inputs.photographs import PhotographTransform
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.any_settings import AnyBackbone
from vldeformer.models.dual import DualEncoder
from vldeformer.models.foreign_config import backbone_settings, check_width, expect, first_sentence, read_config
from vldeformer.models.joint import JointMatcher
from vldeformer.models.settings import Pooling
from vldeformer.models.vilt_settings import ViltSettings
from vldeformer.models.visualbert_settings import VisualBertSettings
from vldeformer.models.weights import ModelDescription, build_model, load_tensors

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
PROCESSORS = ("preprocessor_config.json", "processor_config.json")
WORDS = ("tokenizer.json", "vocab.txt")
BERT = "google-bert/bert-base-uncased"
"""Whose word pieces VisualBERT uses; its own repositories hold none."""
VISUALBERT_TOKENS, VISUALBERT_REGIONS = 128, 100
POOLING_DROPOUT = 0.1


@dataclass(frozen=True)
class Architecture:
    """A model of transformers: the attribute that holds its backbone (None: it is one), and its matching head if it has one.

    ``rows`` makes that head's weight or bias into two rows, of no match and of match.
    """

    kind: str
    loader: Any
    body: str | None
    head: str | None = None
    rows: Callable[[Tensor], Tensor] = torch.clone


def _against_zero(match: Tensor) -> Tensor:
    """ViLT has one logit, of a match: its difference to a logit that is always 0."""
    return torch.cat([torch.zeros_like(match), match])


def _swapped(rows: Tensor) -> Tensor:
    """In VisualBERT's sentence-image head 0 means that the sentence belongs to the image, 1 that it is a random one."""
    return rows.flip(0)


ARCHITECTURES = {
    "ViltForImageAndTextRetrieval": Architecture(
        "vilt", transformers.ViltForImageAndTextRetrieval, "vilt", "rank_output", _against_zero
    ),
    "ViltForMaskedLM": Architecture("vilt", transformers.ViltForMaskedLM, "vilt"),
    "ViltForQuestionAnswering": Architecture("vilt", transformers.ViltForQuestionAnswering, "vilt"),
    "ViltModel": Architecture("vilt", transformers.ViltModel, None),
    "VisualBertForPreTraining": Architecture(
        "visualbert", transformers.VisualBertForPreTraining, "visual_bert", "cls.seq_relationship", _swapped
    ),
    "VisualBertForQuestionAnswering": Architecture("visualbert", transformers.VisualBertForQuestionAnswering, "visual_bert"),
    "VisualBertForVisualReasoning": Architecture("visualbert", transformers.VisualBertForVisualReasoning, "visual_bert"),
    "VisualBertForMultipleChoice": Architecture("visualbert", transformers.VisualBertForMultipleChoice, "visual_bert"),
    "VisualBertModel": Architecture("visualbert", transformers.VisualBertModel, None),
}
"""By what config.json names first as ``architectures``. Heads of other tasks are known and dropped."""


def import_hub(name: str, pooling: Pooling | None = None) -> tuple[JointMatcher | DualEncoder, ModelDescription, WordPieces]:
    """A hub id or local folder → a model in eval mode, its description and its word pieces.

    A joint matcher if there is a matching head, else a dual encoder. ``pooling`` None: ``mean``. Raises InputError (one line)
    if the model cannot be had, is of no known architecture, or if a tensor is missing, left over or of another shape.
    """
    path = hub_file(name, "config.json")
    config = read_config(path)
    named = config.get("architectures") or ["none"]
    if not isinstance(named, list) or not isinstance(named[0], str):
        raise InputError(f"{path}: architectures is {named!r}; expected a list of names")
    if named[0] not in ARCHITECTURES:
        raise InputError(f"{path}: architecture {named[0]}; expected one of {', '.join(ARCHITECTURES)}")
    architecture = ARCHITECTURES[named[0]]
    settings: AnyBackbone
    if architecture.kind == "vilt":
        settings = _vilt_settings(config, path)
        width = 3
        _check_processor(hub_file(name, *PROCESSORS, like=path), settings)
    else:
        settings = _visualbert_settings(config, path)
        width = config["visual_embedding_dim"]
    words = _word_pieces(name, path, architecture.kind)
    expect(config, {"vocab_size": len(words)}, str(path))
    description = ModelDescription(
        kind="joint" if architecture.head else "dual",
        backbone=settings,
        vocabulary_size=len(words),
        feature_width=width,
        pooling=pooling or "mean",
        pooling_dropout=POOLING_DROPOUT,
    )
    model = build_model(description)
    _copy_weights(architecture, hub_file(name, *WEIGHTS, like=path), model)
    return model.eval(), description, words


def _vilt_settings(config: dict[str, Any], path: Path) -> ViltSettings:
    sides = {}
    for key in ("image_size", "patch_size"):
        value = config.get(key)
        sides[key] = value[0] if isinstance(value, list) and len(set(value)) == 1 else value
    expect(config, {"modality_type_vocab_size": 2, "type_vocab_size": 2, "qkv_bias": True, "num_channels": 3}, str(path))
    return backbone_settings(
        ViltSettings,
        config,
        str(path),
        kind="vilt",
        caption_tokens=config.get("max_position_embeddings"),
        crop_size=sides["image_size"],
        patch_size=sides["patch_size"],
        keep_aspect=True,
        text_model=None,
    )


def _visualbert_settings(config: dict[str, Any], path: Path) -> VisualBertSettings:
    expect(config, {"bypass_transformer": False, "type_vocab_size": 2}, str(path))
    check_width(config, "visual_embedding_dim", str(path))
    positions = config.get("max_position_embeddings")
    longest = min(VISUALBERT_TOKENS, positions) if isinstance(positions, int) else VISUALBERT_TOKENS
    return backbone_settings(
        VisualBertSettings, config, str(path), kind="visualbert", caption_tokens=longest, regions=VISUALBERT_REGIONS
    )


def _check_processor(path: Path, settings: ViltSettings) -> None:
    """Raises InputError unless the model's image processor is the transform that photographs pass through here."""
    read_config(path)  # what is no object at all
    try:
        found = transformers.ViltImageProcessorPil.from_pretrained(path.parent).to_dict()
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise InputError(f"{path}: expected the settings of a ViLT image processor; {first_sentence(error)}") from None
    own = PhotographTransform(settings.crop_size, settings.patch_size).processor.to_dict()
    keys = (
        "size",
        "size_divisor",
        "resample",
        "image_mean",
        "image_std",
        "rescale_factor",
        "do_resize",
        "do_rescale",
        "do_normalize",
    )
    expect(found, {key: own[key] for key in keys}, str(path))


def _word_pieces(name: str, like: Path, kind: str) -> WordPieces:
    try:
        path = hub_file(name, *WORDS, like=like)
    except InputError:
        if kind != "visualbert":
            raise
        path = hub_file(BERT, *WORDS)
    return WordPieces.load(path) if path.name == WORDS[0] else WordPieces.read_vocabulary(path)


def _copy_weights(architecture: Architecture, path: Path, model: JointMatcher | DualEncoder) -> None:
    try:
        with quiet(transformers.utils.logging), _no_bar():
            source, loading = architecture.loader.from_pretrained(
                path.parent, dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True, local_files_only=True
            )
    except pickle.UnpicklingError:
        reason = "it is damaged or holds something else than tensors, which could run code when it is read"
        raise InputError(f"{path}: refused: {reason}; use a model.safetensors") from None
    except (OSError, ValueError, RuntimeError, EOFError, LookupError, AttributeError, SafetensorError) as error:
        expected, reason = f"expected the weights of a {architecture.loader.__name__}", first_sentence(error)
        raise InputError(f"{path}: {expected}, cannot read them ({reason}); cut short or damaged, get the file again") from None
    body = f"{architecture.body}." if architecture.body else ""
    needed = (body, f"{architecture.head}.") if architecture.head else (body,)
    # A row of numbers that older versions of transformers stored.
    unknown = [key for key in loading["unexpected_keys"] if not key.endswith("embeddings.position_ids")]
    for what, names in (
        ("missing", [key for key in loading["missing_keys"] if key.startswith(needed)]),
        ("left over", unknown),
        ("of another shape than config.json says", [key for key, *_ in loading["mismatched_keys"]]),
    ):
        if names:
            raise InputError(f"{path}: {len(names)} tensors {what}, first {min(names)!r}; get the whole model again")
    own: nn.Module = getattr(model.backbone, "vilt" if architecture.kind == "vilt" else "visual_bert")
    load_tensors(own, source.get_submodule(architecture.body or "").state_dict(), str(path), lambda name: f"{body}{name}")
    if architecture.head:
        assert isinstance(model, JointMatcher)
        head = source.get_submodule(architecture.head).state_dict()
        rows = {part: architecture.rows(tensor) for part, tensor in head.items()}
        load_tensors(model.classifier, rows, str(path), lambda part: f"{architecture.head}.{part}")


@contextlib.contextmanager
def _no_bar() -> Iterator[None]:
    log = transformers.utils.logging
    shown = log.is_progress_bar_enabled()
    log.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            log.enable_progress_bar()
