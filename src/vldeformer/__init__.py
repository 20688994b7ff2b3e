"""Decompose a vision-language transformer into an encoder that reads a caption or an image alone.

    encoder = vldeformer.load("artifacts/scenes/base/train/model")      # or an id of the Hugging Face hub
    captions = encoder.encode_text(["a red star left of a blue ring"])  # (1, D) float32, unit length
    images = encoder.encode_images([PIL.Image.open("scene.png")])       # (1, D)
    images @ captions.T                                                 # cosines

    index = vldeformer.open_index("INDEX")                              # made by `vldeformer index`
    index.search("two dogs in snow", k=10)                              # list of Hit: id, score, path

    vldeformer.evaluate(image_vectors, caption_vectors, caption_image_index, protocol="coco-5k")

``load`` gives an Encoder, ``open_index`` a SearchIndex. What is wrong is said in one line by InputError. More: docs/python.md.

Shape letters used in every docstring and annotation of this package:

    B pairs in a batch      T caption tokens        G tag tokens        R regions or patches
    S sequence positions    V visual feature width  H hidden width      D embedding width
    Q queries               N gallery items         K cut-off of a ranked list

Units: boxes are fractions of the image (x1 y1 x2 y2); similarity is cosine, divided by the temperature;
latency is in milliseconds (median), memory in MiB, schedules in steps.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vldeformer.data.records import Regions
    from vldeformer.encoder import Encoder, load
    from vldeformer.errors import InputError
    from vldeformer.evaluation.protocols import evaluate
    from vldeformer.search.index import Hit, SearchIndex, open_index

__all__ = ["Encoder", "Hit", "InputError", "Regions", "SearchIndex", "evaluate", "load", "open_index"]

# Opened when they are first asked for: planning a run, `--help` and reports need no torch.
_HOMES = {
    "Encoder": "vldeformer.encoder",
    "Hit": "vldeformer.search.index",
    "InputError": "vldeformer.errors",
    "Regions": "vldeformer.data.records",
    "SearchIndex": "vldeformer.search.index",
    "evaluate": "vldeformer.evaluation.protocols",
    "load": "vldeformer.encoder",
    "open_index": "vldeformer.search.index",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
