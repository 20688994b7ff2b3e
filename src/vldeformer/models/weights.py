"""Models on disk: a folder with ``encoder.json`` (what it is), ``model.safetensors`` (weights) and ``tokenizer.json``."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field, ValidationError, model_validator
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialize
from torch import Tensor, nn

from vldeformer.artifact import read_json, whole_folder, write_json
from vldeformer.errors import InputError
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.any_settings import AnyBackboneSettings
from vldeformer.models.backbone import Backbone
from vldeformer.models.dual import DualEncoder, decompose
from vldeformer.models.joint import JointMatcher
from vldeformer.models.linear import LinearBackbone
from vldeformer.models.oscar import OscarBackbone
from vldeformer.models.settings import BackboneSettings, PixelBackboneSettings, Pooling
from vldeformer.models.vilt import ViltBackbone
from vldeformer.models.visualbert import VisualBertBackbone
from vldeformer.section import Section, expected_and_got, place_of, tags_of, unused
from vldeformer.stored_digests import check_stored

DESCRIPTION = "encoder.json"

BACKBONES: dict[str, type[Backbone]] = {
    "oscar": OscarBackbone,
    "vilt": ViltBackbone,
    "visualbert": VisualBertBackbone,
    "linear": LinearBackbone,
}
"""Kind of backbone → its class; their settings are in ``any_settings``."""


FORMAT_1_KEYS = frozenset(
    {"tag_tokens", "joint_tokens", "regions", "region_norm", "region_norm_eps", "patch_size", "crop_size", "keep_aspect"}
    | {"text_model"}
)
"""Keys that every description of format 1 has and only some kinds of backbones read."""


class ModelDescription(Section):
    """What ``encoder.json`` says: all that is needed to build the model before its weights are read."""

    format: Literal[2] = 2
    kind: Literal["joint", "dual"]
    backbone: AnyBackboneSettings
    vocabulary_size: int
    feature_width: int = Field(ge=1)
    pooling: Pooling
    pooling_dropout: float = Field(ge=0, lt=1)
    shared_weights: bool = True
    """False: a dual encoder that reads images with weights of their own, ``image_backbone``."""
    initial_temperature: float | None = Field(default=None, gt=0)
    """Where the learned temperature of a dual encoder started; None: its temperature is not learned and no weight."""
    joint_layers: int | None = Field(default=None, ge=1)
    """Top layers of a joint matcher that read caption and image together; None: all layers."""
    cosine: bool = Field(default=False, exclude_if=unused)
    """A joint matcher whose score has the cosine of the decomposed reading in it."""
    image_size: int | None = None
    """Side of the squares that photographs are made into before the crop, pixels; None: the crop's own, or no squares."""

    @model_validator(mode="before")
    @classmethod
    def _of_format_1(cls, values: Any) -> Any:
        """Format 1 had the keys of all kinds of backbones in one; those that this kind does not read are left out."""
        if not isinstance(values, dict) or values.get("format", 2) != 1 or not isinstance(values.get("backbone"), dict):
            return values
        backbone = values["backbone"]
        known = tags_of(cls.model_fields["backbone"]).get(str(backbone.get("kind")))
        read = known.model_fields if known else FORMAT_1_KEYS
        kept = {name: value for name, value in backbone.items() if name in read or name not in FORMAT_1_KEYS}
        return values | {"format": 2, "backbone": kept}


def build_backbone(settings: BackboneSettings, vocabulary_size: int, feature_width: int) -> Backbone:
    """A backbone with random weights (drawn from torch's global generator)."""
    return BACKBONES[settings.kind](settings, vocabulary_size, feature_width)


def build_model(description: ModelDescription) -> JointMatcher | DualEncoder:
    """The described model with random weights. Raises InputError if its settings do not go together."""
    whole = isinstance(description.backbone, PixelBackboneSettings) and description.backbone.keep_aspect
    if whole and description.pooling == "mean_all":
        raise InputError("pooling mean_all needs inputs of one length, which photographs of their own shape are not; use mean")
    backbone = build_backbone(description.backbone, description.vocabulary_size, description.feature_width)
    if description.kind == "joint":
        apart = description.backbone.layers_apart(description.joint_layers)
        return JointMatcher(backbone, description.backbone.dropout, apart, description.cosine)
    return decompose(
        backbone,
        description.pooling,
        description.pooling_dropout,
        description.shared_weights,
        description.initial_temperature,
    )


def save_model(folder: Path, model: nn.Module, description: ModelDescription, words: WordPieces) -> None:
    """Write the folder whole or not at all."""
    with whole_folder(folder) as temporary:
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
        # Through memory: on a full disk safetensors' own writer raises an error that is no OSError.
        (temporary / "model.safetensors").write_bytes(serialize(tensors))
        write_json(temporary / DESCRIPTION, description.model_dump(mode="json"))
        words.save(temporary / "tokenizer.json")


def load_model(folder: Path) -> tuple[JointMatcher | DualEncoder, ModelDescription, WordPieces]:
    """Read what ``save_model`` wrote, ready to run (in eval mode).

    Raises InputError if a file is missing or corrupt, or if a tensor is missing, left over or of another shape.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a model folder with {DESCRIPTION}, found none")
    values = read_json(folder / DESCRIPTION)
    try:
        description = ModelDescription.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        wrong = ": ".join([*filter(None, [".".join(place_of(first, values))]), expected_and_got(first)])
        raise InputError(f"{folder / DESCRIPTION}: not a model description of this version; {wrong}") from None
    words = WordPieces.load(folder / "tokenizer.json")
    if len(words) != description.vocabulary_size:
        raise InputError(f"{folder}: tokenizer.json has {len(words)} words, {DESCRIPTION} says {description.vocabulary_size}")
    model = build_model(description)
    load_weights(model, folder / "model.safetensors")
    return model.eval(), description, words


def as_encoder(model: JointMatcher | DualEncoder, description: ModelDescription) -> DualEncoder:
    """The decomposed reading of either kind of model: the same weights, read apart."""
    if isinstance(model, DualEncoder):
        return model
    return decompose(model.backbone, description.pooling, description.pooling_dropout).train(model.training)


def load_weights(model: nn.Module, path: Path) -> None:
    """Copy a safetensors file into ``model``; every tensor must be there, none left over, each of the right shape."""
    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: expected a safetensors file; {error}") from None
    check_stored(path)
    load_tensors(model, found, str(path))


def load_tensors(module: nn.Module, found: Mapping[str, Tensor], source: str, called: Callable[[str], str] = str) -> None:
    """Copy tensors into ``module``, floats of any type as the module's own type.

    ``called``: name here → name in ``source``. Raises InputError with ``source`` and that name unless names and shapes are the
    same and all numbers are finite floats.
    """
    expected = module.state_dict()
    for what, names in (("missing", expected.keys() - found.keys()), ("left over", found.keys() - expected.keys())):
        if names:
            first = min(map(called, names))
            raise InputError(f"{source}: {len(names)} tensors {what}, first {first!r}; it belongs to another model")
    for name, tensor in expected.items():
        given, named = found[name], f"{source}: tensor {called(name)!r}"
        if tensor.shape != given.shape:
            raise InputError(f"{named} has shape {tuple(given.shape)}, expected {tuple(tensor.shape)}")
        if not tensor.is_floating_point():
            continue
        if not given.is_floating_point() or given.layout != torch.strided:
            kind = given.dtype if given.layout == torch.strided else given.layout
            raise InputError(f"{named} holds {kind}, expected plain floats; get the weights again")
        if not given.to(tensor.dtype).isfinite().all():
            raise InputError(f"{named} holds NaN or infinity, expected finite numbers; get the weights again")
    module.load_state_dict(dict(found))


def copy_backbone(source: JointMatcher | DualEncoder, target: JointMatcher | DualEncoder, share: float = 1.0) -> None:
    """Start ``target`` from ``source``'s weights: the backbone, and the matcher's classifier if both have one.

    Of the matrices, ``share`` of what they become is ``source``'s and the rest what they were; biases and norms are ``source``'s
    (shrink and perturb, Ash and Adams 2020). A dual encoder with separate weights starts both of its backbones from the one that
    ``source`` has. Raises InputError if the backbones are of different sizes, or if ``source`` has two and ``target`` only one.
    """
    name = "the model to start from"
    images = source.image_backbone if isinstance(source, DualEncoder) else None
    separate = target.image_backbone if isinstance(target, DualEncoder) else None
    if images is not None and separate is None:
        raise InputError(f"{name} has separate weights for captions and images; set train.shared_weights to false")
    fresh = {key: tensor.clone() for key, tensor in target.state_dict().items()}
    load_tensors(target.backbone, source.backbone.state_dict(), name)
    if separate is not None:
        load_tensors(separate, (images or source.backbone).state_dict(), name)
    if isinstance(source, JointMatcher) and isinstance(target, JointMatcher):
        load_tensors(target.classifier, source.classifier.state_dict(), name)
    if share < 1:
        with torch.no_grad():
            for key, weight in target.named_parameters():
                if weight.dim() > 1:
                    weight.mul_(share).add_(fresh[key], alpha=1 - share)
