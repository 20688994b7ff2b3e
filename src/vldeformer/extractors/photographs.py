"""Regions of photographs: the cells of a network's feature map, standardised, with their boxes and the image's tags.

A fitted extractor is one file, ``extractor.safetensors``: the network's weights, mean and deviation of the features, and, as
JSON, settings, layout of the network and words of its classes. Reading it needs no package and no download.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import PIL.Image
import torch
from pydantic import TypeAdapter
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from vldeformer.artifact import whole_file
from vldeformer.data.records import Regions
from vldeformer.errors import InputError
from vldeformer.extractors.base import Extractor
from vldeformer.extractors.class_words import likeliest
from vldeformer.extractors.efficientnet_lite0 import EfficientNetLite0
from vldeformer.extractors.grid import cell_boxes, pooled_cells
from vldeformer.extractors.network import VisionNetwork
from vldeformer.extractors.settings import AnyRegionSettings, EfficientNetLite0Regions, PhotographRegions
from vldeformer.stored_digests import check_stored

PARAMETERS, METADATA = "network.", "extractor"
LEAST_DEVIATION = 1e-4
"""A feature that is the same everywhere is not divided: elsewhere it would be too large for float16."""


def network_class(settings: PhotographRegions) -> type[VisionNetwork]:
    """The class of the network that settings of a kind name."""
    if isinstance(settings, EfficientNetLite0Regions):
        return EfficientNetLite0
    from vldeformer.extractors.hub import HubNetwork  # seconds, which the other kind does without

    return HubNetwork


def open_network(settings: PhotographRegions) -> VisionNetwork:
    """The published network that settings name. Raises InputError (one line) if it cannot be had or is damaged."""
    return network_class(settings).open(settings)


class PhotographExtractor(Extractor):
    """Grid × grid regions of an image, behind the whole image if the settings ask for it.

    Features have mean 0 and deviation 1 over the images that it was fitted on.

    Each image is read alone, so that its numbers depend on no other.
    """

    file_name: ClassVar[str] = "extractor.safetensors"

    def __init__(self, settings: PhotographRegions, network: VisionNetwork, mean: np.ndarray, deviation: np.ndarray) -> None:
        """Take over a network in float32 and give it the precision of the settings. mean, deviation: (V,) float32."""
        self.settings, self.mean, self.deviation = settings, mean, deviation
        self._weights = network.state_dict()  # stay float32 for `save`
        # Convolutions of one image take a fifth less time with the channels last.
        place: dict[str, Any] = {"dtype": getattr(torch, settings.precision), "memory_format": torch.channels_last}
        self.network = network.eval().to(**place)

    @classmethod
    def fit(cls, settings: PhotographRegions, network: VisionNetwork, images: Iterable[PIL.Image.Image]) -> Self:
        """Standardise by the cells of images of the training split.

        Args:
            settings: of the section ``regions``.
            network: what ``open_network`` returns.
            images: upright RGB, at least one.

        Raises:
            InputError: there is no image, or the feature map has fewer cells than ``regions.grid``.

        """
        width = network.checked_width(settings.grid, f"regions.kind {network.kind}")
        plain = cls(settings, network, np.zeros(width, np.float32), np.ones(width, np.float32))
        count, total, squares = 0, np.zeros(width), np.zeros(width)
        for image in images:
            features = plain.regions(image).features.astype(np.float64)
            count, total, squares = count + len(features), total + features.sum(axis=0), squares + (features**2).sum(axis=0)
        if not count:
            raise InputError("expected photographs of the training split to standardise features by, found none that can be read")
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
        plain.mean = mean.astype(np.float32)
        plain.deviation = np.where(deviation < LEAST_DEVIATION, 1, deviation).astype(np.float32)
        return plain

    @property
    def feature_width(self) -> int:
        """V, box numbers not counted."""
        return len(self.mean)

    @property
    def learned_from(self) -> str:
        """What the settings say of the network."""
        return self.settings.learned_from

    def regions(self, rgb: PIL.Image.Image) -> Regions:
        """The whole image if asked for, then cells row by row; tags of the whole image, the likeliest first."""
        settings, words = self.settings, self.network.words
        pixels = self.network.preparation(rgb).to(getattr(torch, settings.precision), memory_format=torch.channels_last)
        with torch.inference_mode():
            found, logits = self.network(pixels)
        feature_map = found[0].float().numpy()
        grids = (1, settings.grid) if settings.whole_image else (settings.grid,)
        cells = np.concatenate([pooled_cells(feature_map, grid) for grid in grids])
        boxes = np.concatenate([cell_boxes(feature_map.shape[1], feature_map.shape[2], grid) for grid in grids])
        features = (cells - self.mean) / self.deviation
        tags: tuple[str, ...] = ()
        if logits is not None and words:
            tags = likeliest(logits[0].float().numpy(), words, settings.tags, settings.least_probability)
        return Regions(features, boxes, tags)

    def save(self, folder: Path) -> None:
        """Write weights, standardisation and description as one file. The same extractor gives the same bytes."""
        network = self.network
        tensors = {f"{PARAMETERS}{name}": tensor.contiguous() for name, tensor in self._weights.items()}
        tensors |= {"mean": torch.from_numpy(self.mean), "deviation": torch.from_numpy(self.deviation)}
        settings = self.settings.portable().model_dump(mode="json")
        described = {"settings": settings, "layout": network.layout(), "words": list(network.words)}
        with whole_file(folder / self.file_name) as temporary:
            save_file(tensors, temporary, metadata={METADATA: json.dumps(described, sort_keys=True)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what ``save`` wrote; every tensor must be there, and no other, in the network's shapes."""
        if not path.is_file():
            raise InputError(f"{path}: expected an extractor, found no file; make it with `vldeformer features`")
        check_stored(path)
        try:
            with safe_open(path, framework="pt") as file:
                described = json.loads((file.metadata() or {})[METADATA])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
            settings: Any = TypeAdapter[Any](AnyRegionSettings).validate_python(described["settings"])
            assert isinstance(settings, PhotographRegions)
            mean, deviation = (tensors.pop(name).clone().numpy() for name in ("mean", "deviation"))  # no map of the file
            network = network_class(settings).rebuild(described["layout"])
            network.words = tuple(described["words"])
            network.load_state_dict({name.removeprefix(PARAMETERS): tensor for name, tensor in tensors.items()})
            width = network.eval().checked_width(settings.grid, "network")
            if mean.shape != (width,) or deviation.shape != (width,):
                raise InputError(f"mean and deviation of {mean.shape} and {deviation.shape} features, expected {width}")
            return cls(settings, network, mean, deviation)
        except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError, OSError, AssertionError) as error:
            what = str(error).strip().partition("\n")[0] or type(error).__name__
            raise InputError(
                f"{path}: expected an extractor written by `vldeformer features`, got another file ({what})"
            ) from None
