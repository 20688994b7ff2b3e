"""From anything that holds a trained model to the model: folders of this project, published checkpoints, hub ids."""

import contextlib
from pathlib import Path

from vldeformer.artifact import read_json
from vldeformer.errors import InputError
from vldeformer.extractors.files import EXTRACTOR_FILES
from vldeformer.hub_files import hub_file, hub_file_if_any
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.dual import DualEncoder
from vldeformer.models.joint import JointMatcher
from vldeformer.models.oscar_import import WEIGHT_FILES, import_oscar
from vldeformer.models.settings import Pooling
from vldeformer.models.weights import DESCRIPTION, ModelDescription, load_model
from vldeformer.stored_digests import DIGESTS

HUB_MODELS = ("vilt", "visual_bert")
WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"


def import_model(
    path_or_hub_id: str | Path, pooling: Pooling | None = None
) -> tuple[JointMatcher | DualEncoder, ModelDescription, WordPieces]:
    """A published model → a model of this project, in eval mode.

    ``path_or_hub_id``: an Oscar or VinVL checkpoint folder, its file of weights, a ``model.cpkt``, or a ViLT / VisualBERT as
    hub id or folder. It is a joint matcher if it has a matching head, else a dual encoder. ``pooling`` None: ``mean_all`` for
    Oscar, as released, else ``mean``. Raises InputError (one line) if it is none of these or damaged.
    """
    from vldeformer.models.hub import import_hub  # seconds, which who has a model of this project does without

    path = Path(path_or_hub_id)
    if (path / DESCRIPTION).is_file():
        raise InputError(f"{path}: already a model folder of this project; use it as it is")
    if path.is_file():
        return import_oscar(path, pooling)
    if path.is_dir():
        config = path / "config.json"
        values = read_json(config) if config.is_file() else {}
        if isinstance(values, dict) and values.get("model_type") in HUB_MODELS:
            return import_hub(str(path), pooling)
        if any((path / name).is_file() for name in WEIGHT_FILES):
            return import_oscar(path, pooling)
        known = f"{DESCRIPTION}, {', '.join(WEIGHT_FILES)}, or a config.json of {' or '.join(HUB_MODELS)}"
        raise InputError(f"{path}: expected a model, found none of {known}")
    return import_hub(str(path_or_hub_id), pooling)


def load_any(path_or_hub_id: str | Path) -> tuple[JointMatcher | DualEncoder, ModelDescription, WordPieces]:
    """The model in a folder of this project or saved to the hub by it, or a published one as ``import_model`` reads it."""
    folder = files_of(path_or_hub_id)
    return load_model(folder) if (folder / DESCRIPTION).is_file() else import_model(path_or_hub_id)


def files_of(path_or_hub_id: str | Path) -> Path:
    """Where the files lie that ``load_any`` has read: of a hub id the snapshot in the local cache, for a digest of them."""
    path, name = Path(path_or_hub_id), str(path_or_hub_id)
    if path.exists():
        return path
    found = hub_file(name, DESCRIPTION, "config.json")
    if found.name == DESCRIPTION:
        hub_file(name, WEIGHTS, like=found)
        hub_file(name, TOKENIZER, like=found)
        with contextlib.suppress(InputError):  # a model saved before there were digests has none, and the hub may be out of reach
            hub_file_if_any(name, DIGESTS, found)
        any(hub_file_if_any(name, extractor, found) for extractor in EXTRACTOR_FILES)  # the first that there is, and no other
    return found.parent
