"""What the config.json of a published model says, as settings of a backbone here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from vldeformer.artifact import read_json
from vldeformer.errors import InputError
from vldeformer.models.settings import BackboneSettings
from vldeformer.section import expected_and_got

SIZES = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "intermediate": "intermediate_size",
    "dropout": "hidden_dropout_prob",
    "norm_eps": "layer_norm_eps",
    "positions": "max_position_embeddings",
}
"""Name here → name in config.json, the same for all BERTs and ViLT."""

Settings = TypeVar("Settings", bound=BackboneSettings)


def read_config(path: Path) -> dict[str, Any]:
    """A config.json. Raises InputError naming it if it is missing or no JSON object."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a JSON object, got {type(value).__name__}")
    return value


def first_sentence(error: Exception) -> str:
    """What another library says is wrong, without the pages that may follow; the error's kind if it says nothing."""
    said = "" if isinstance(error, LookupError) else str(error)  # of a KeyError only the key
    return said.strip().partition("\n")[0].partition(". ")[0] or type(error).__name__


def expect(config: Mapping[str, Any], values: Mapping[str, Any], source: str) -> None:
    """Raises InputError naming ``source`` and the first key that says something else than the only value that is built here."""
    for name, value in values.items():
        if config.get(name, value) != value:
            raise InputError(f"{source}: {name} is {config[name]!r}; only {value!r} can be imported")


def check_width(config: Mapping[str, Any], name: str, source: str) -> None:
    """Raises InputError naming ``source`` unless ``name`` is the width of the image features that the model reads."""
    if not isinstance(config.get(name), int) or config[name] < 1:
        came = f"is {config[name]!r}" if config.get(name) is not None else "is missing"
        raise InputError(f"{source}: {name} {came}; expected the width of a region in the config.json that came with the weights")


def backbone_settings(kind: type[Settings], config: Mapping[str, Any], source: str, /, **own: Any) -> Settings:
    """Settings of a backbone from a published config.

    Args:
        kind: class of the settings.
        config: the config.json, which gives the sizes.
        source: where it is from, for messages.
        own: values of the other keys of this class.

    Raises:
        InputError: a size is missing or wrong.

    """
    missing = [name for name in (*SIZES.values(), "attention_probs_dropout_prob") if name not in config]
    if missing:
        raise InputError(f"{source}: {missing[0]} is missing; expected the config.json that came with the weights")
    expect(config, {"hidden_act": "gelu", "attention_probs_dropout_prob": config["hidden_dropout_prob"]}, source)
    sizes = {here: config[there] for here, there in SIZES.items()}
    try:
        return kind(**sizes | own)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise InputError(f"{source}: {SIZES.get(name, name)}: {expected_and_got(first)}") from None
