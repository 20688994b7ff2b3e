"""Vision models of the Hugging Face hub, by id or as a local folder: ResNet, ViT, DINOv2, the vision tower of CLIP or SigLIP.

Of a model of images and text only the vision tower is read. Weights must be in ``model.safetensors``: a pickle could run code.
"""

import math
import re
import threading
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
import transformers
from safetensors import SafetensorError
from torch import Tensor, nn

from vldeformer.errors import InputError
from vldeformer.extractors.class_words import class_word
from vldeformer.extractors.network import FeatureMap, Pixels, Preparation, Scores, VisionNetwork
from vldeformer.extractors.settings import HubRegions
from vldeformer.hub_files import first_line, hub_file, quiet

WEIGHTS = "model.safetensors"
PROCESSORS = ("preprocessor_config.json", "processor_config.json")
UNUSED = "pooler."
"""Tensors that may be missing: a pooled vector is not read."""
MOST_SPECIAL = 16
"""Most tokens that are no patches: CLS, registers and the like."""
UNNAMED = re.compile(r"LABEL_\d+")
"""What transformers calls classes that have no name."""
LOADING_ERRORS = (OSError, ValueError, RuntimeError, TypeError, LookupError, AttributeError, ImportError, SafetensorError)


class HubNetwork(VisionNetwork):
    """A model of transformers. Its classes are those of its head, if it is an image classifier."""

    kind: ClassVar[str] = "hub"

    def __init__(self, model: Any, preparation: Preparation, words: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.preparation, self.words = model, preparation, words
        self._states = threading.local()
        """Of each thread, what the body has returned: a classifier returns scores only."""
        body = getattr(model, model.base_model_prefix, None)
        (body if isinstance(body, nn.Module) else model).register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, given: object, output: Any) -> None:
        self._states.last = output.last_hidden_state if hasattr(output, "last_hidden_state") else None

    def forward(self, pixels: Pixels) -> tuple[FeatureMap, Scores | None]:
        """Grid of patches or last feature map, and scores of the classes if there is a head."""
        output = self.model(pixel_values=pixels)
        logits = output.logits if self.words else None
        return as_map(self._states.last, self.preparation.side, self.model.config), logits

    def layout(self) -> dict[str, Any]:
        """Class and configuration of the model, and the preparation of its pixels."""
        preparation = {name: getattr(self.preparation, name) for name in ("side", "mean", "deviation", "scale", "resample")}
        config = {name: value for name, value in self.model.config.to_dict().items() if name != "_name_or_path"}
        return {"classifies": bool(self.words), "config": config, "preparation": preparation}

    @classmethod
    def rebuild(cls, layout: dict[str, Any]) -> Self:
        """The model without weights."""
        values = dict(layout["preparation"])
        preparation = Preparation(**values | {name: tuple(values[name]) for name in ("mean", "deviation")})
        config = transformers.AutoConfig.for_model(**layout["config"])
        # As many words as there are classes: the caller has them.
        words = tuple(map(str, config.id2label)) if layout["classifies"] else ()
        return cls(_loader(layout["classifies"]).from_config(config), preparation, words)

    @classmethod
    def open(cls, settings: HubRegions) -> Self:
        """The model of a hub id or local folder.

        Raises:
            InputError: it cannot be had, is no vision model, lacks a tensor, or has neither a grid of patches nor a feature map.

        """
        name = settings.model
        path = hub_file(name, "config.json")
        hub_file(name, WEIGHTS, like=path)
        preparation = _preparation(hub_file(name, *PROCESSORS, like=path))
        model = _read_model(path)
        labels = [label for _, label in sorted(model.config.id2label.items())] if _classifies(model.config) else []
        words = tuple("" if UNNAMED.fullmatch(label) else class_word(label) for label in labels)
        network = cls(model.eval(), preparation, words)
        try:
            network.checked_width(settings.grid, f"regions.model {name}")
        except InputError as error:
            raise InputError(f"regions.model {name}: {str(error).removeprefix(f'regions.model {name}: ')}") from None
        except LOADING_ERRORS as error:
            raise InputError(
                f"regions.model {name}: expected a model of images, it does not take one ({first_line(error)})"
            ) from None
        return network


def as_map(states: Tensor | None, side: int, config: Any) -> FeatureMap:
    """The last states of a vision model as a map.

    Args:
        states: (1, V, H, W), or (1, S, V) with the patches, row by row, behind any special tokens (CLS, registers).
        side: of the input, pixels.
        config: of the model; ``patch_size`` says how many patches there are.

    Raises:
        InputError: the states are no grid.

    """
    if states is not None and states.ndim == 4:
        return states
    if states is not None and states.ndim == 3:
        tokens, patch = states.shape[1], getattr(config, "patch_size", None)
        across = side // patch if isinstance(patch, int) else 0
        if not 0 < across**2 <= tokens <= across**2 + MOST_SPECIAL:
            across = math.isqrt(tokens) if math.isqrt(tokens) ** 2 == tokens else 0  # patches were joined on the way, as in Swin
        if across:
            patches: Tensor = states[:, -(across**2) :].transpose(1, 2).unflatten(2, (across, across))
            return patches
    shape = "none" if states is None else f"shape {tuple(states.shape)}"
    raise InputError(
        f"expected a grid of patches or a feature map as last states, got {shape}: it has no regions; use another model"
    )


def _classifies(config: Any) -> bool:
    return str((config.architectures or [""])[0]).endswith("ForImageClassification")


def _loader(classifies: bool) -> Any:
    return transformers.AutoModelForImageClassification if classifies else transformers.AutoModel


def _read_model(path: Path) -> Any:
    """The model of a config.json. A warning about tensors left over would only name the text tower and other heads."""
    log = transformers.utils.logging
    shown = log.is_progress_bar_enabled()
    log.disable_progress_bar()
    try:
        with quiet(log):
            config = transformers.AutoConfig.from_pretrained(path.parent, local_files_only=True)
            model, loading = _loader(_classifies(config)).from_pretrained(
                path.parent,
                config=getattr(config, "vision_config", config),
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
            )
    except LOADING_ERRORS as error:
        raise InputError(f"{path.parent}: expected a vision model, cannot read it ({first_line(error)}); get it again") from None
    finally:
        if shown:
            log.enable_progress_bar()
    missing = [name for name in loading["missing_keys"] if UNUSED not in name]
    for what, names in (("missing", missing), ("of another shape", [name for name, *_ in loading["mismatched_keys"]])):
        if names:
            raise InputError(f"{path.parent}: {len(names)} tensors are {what}, first {min(names)!r}; get the whole model again")
    return model


def _preparation(path: Path) -> Preparation:
    """What a model's image processor does to colours, and the side of its input; its own resizing and cutting are not used."""
    try:
        with quiet(transformers.utils.logging):
            found = transformers.AutoImageProcessor.from_pretrained(path.parent, local_files_only=True).to_dict()
        size = found["crop_size"] if found.get("do_center_crop") and found.get("crop_size") else found["size"]
        sides = {value for value in dict(size).values() if value is not None}
        (side,) = sides
        normal = bool(found.get("do_normalize"))
        mean = tuple(found["image_mean"]) if normal else (0.0, 0.0, 0.0)
        deviation = tuple(found["image_std"]) if normal else (1.0, 1.0, 1.0)
        scale = float(found["rescale_factor"]) if found.get("do_rescale") else 1.0
        return Preparation(int(side), mean, deviation, scale, int(found["resample"]))
    except LOADING_ERRORS as error:
        raise InputError(
            f"{path}: expected an image processor with a square input ({first_line(error)}); use another model"
        ) from None
