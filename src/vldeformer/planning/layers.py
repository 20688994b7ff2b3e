"""Settings files as layers: read one, merge them, and report in one line what is wrong with their values.

Mappings are merged key by key and the last layer wins. One rule is added for tagged unions (``train.kind``, ``train.loss.kind``,
``backbone.kind`` …): a layer that states another tag drops the keys of the layers below that the new kind does not have, or has
with another type. A key that the layer itself states and the kind does not have stays, and is refused when the merged values are
checked.
"""

import copy
import difflib
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from vldeformer.errors import InputError
from vldeformer.section import expected_and_got, place_of, sections_of, tags_of
from vldeformer.text_files import read_text

Layer = tuple[str, Mapping[str, Any]]
"""Where values come from (a file, an option), and the values."""

Layers = Sequence[Layer]


class _UniqueKeyLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # chosen when it runs
    """YAML in which a key that is given twice is an error, not a silent replacement."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.MarkedYAMLError(problem=f"key {key!r} is not a name", problem_mark=key_node.start_mark)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key!r} is given twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]  # the base class is chosen when it runs


def read_layer(path: Path) -> tuple[str, dict[str, Any]]:
    """A settings file's name and its values.

    Raises:
        InputError: there is no such file, it is no YAML in UTF-8, a key is given twice, or it holds no mapping.

    """
    if not path.is_file():
        raise InputError(f"{path}: expected a settings file, found none")
    try:
        values = copy.deepcopy(_parsed(read_text(path)))
    except yaml.MarkedYAMLError as error:
        where = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{where}: expected YAML, got an error: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected YAML in UTF-8, got an error: {' '.join(str(error).split())}") from None
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected sections of settings, got {type(values).__name__}")
    return str(path), values


@functools.lru_cache(maxsize=256)
def _parsed(text: str) -> Any:
    """A plan reads the complete file once for every experiment."""
    return yaml.load(text, Loader=_UniqueKeyLoader)


def existing(path: Path, what: str) -> Path:
    """``path``, if it is a file.

    Raises:
        InputError: it is none; names the nearest file of the folder.

    """
    if path.is_file():
        return path
    near = difflib.get_close_matches(path.stem, [other.stem for other in path.parent.glob("*.yaml")], n=1)
    raise InputError(f"{what} is unknown: expected the file {path}, found none{hint(near)}")


def merge_layers(layers: Layers, model: type[BaseModel]) -> dict[str, Any]:
    """All layers in one, by the rules of the module's docstring; ``model`` says where tagged unions are."""
    merged: dict[str, Any] = {}
    for _, layer in layers:
        merged = _merge(merged, layer, model)
    return merged


def _merge(below: Mapping[str, Any], above: Mapping[str, Any], model: type[BaseModel] | None) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            field = model.model_fields.get(key) if model else None
            merged[key] = _merge_field(merged[key], value, field)
        else:
            merged[key] = value
    return merged


def _merge_field(below: dict[str, Any], above: dict[str, Any], field: FieldInfo | None) -> dict[str, Any]:
    if field is None:
        return _merge(below, above, None)
    tags = tags_of(field)
    if not tags:
        return _merge(below, above, next(iter(sections_of(field.annotation)), None))
    key = str(field.discriminator)
    tag = above.get(key, below.get(key))
    kind = tags.get(tag) if isinstance(tag, str) else None
    if kind is not None and tag != below.get(key):
        below = {name: value for name, value in below.items() if _same_field(name, tags.get(str(below.get(key))), kind)}
    return _merge(below, above, kind)


def _same_field(name: str, old: type[BaseModel] | None, new: type[BaseModel]) -> bool:
    """Whether a key means the same in two kinds of a section."""
    if name not in new.model_fields:
        return False
    return old is None or name not in old.model_fields or old.model_fields[name].annotation == new.model_fields[name].annotation


def explain(error: ValidationError, model: type[BaseModel], layers: Layers) -> str:
    """One line about one problem: the file that states it, the setting, what was expected and what came.

    An unknown key is named before the one that is missing because of it.
    """
    problems = error.errors()
    first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    values = merge_layers(layers, model)
    path = place_of(first, values)
    name = ".".join(path)
    if first["type"] == "missing":
        return f"{_owner(layers, path, values)}: setting {name} is missing; this file must state every key"
    source = next((source for source, layer in reversed(layers) if _states(layer, path)), layers[0][0])
    if first["type"] == "extra_forbidden":
        kind = _kind_of(model, path[:-1], values)
        near = difflib.get_close_matches(path[-1], _known_keys(model, path[:-1], values), n=1)
        return f"{source}: setting {name} is unknown{kind}{hint(['.'.join([*path[:-1], *near])] if near else [])}"
    return f"{source}: setting {name}: {expected_and_got(first)}"


def _owner(layers: Layers, path: list[str], values: Mapping[str, Any]) -> str:
    """The file that must state a missing key: the first that states its section, or the last that chose the section's kind."""
    if any(map(str.isdigit, path)):  # a list is its last file's alone
        return next((source for source, layer in reversed(layers) if _states(layer, path[:-1])), layers[0][0])
    section: Any = values
    for key in path[:-1]:
        section = section.get(key, {}) if isinstance(section, dict) else {}
    for tag in ("kind", "source"):
        if isinstance(section, dict) and tag in section:
            place = [*path[:-1], tag]
            tags = [(source, _value(layer, place)) for source, layer in layers if _states(layer, place)]
            # The layer from which on the tag has been what it is.
            for index in range(len(tags)):
                if all(value == section[tag] for _, value in tags[index:]):
                    return tags[index][0]
    stating = (source for source, layer in layers if _states(layer, path[:-1]) and isinstance(_value(layer, path[:-1]), dict))
    return next(stating, layers[0][0])


def _states(layer: Any, path: Sequence[str]) -> bool:
    for key in path:
        if isinstance(layer, list) and key.isdigit() and int(key) < len(layer):
            layer = layer[int(key)]
        elif isinstance(layer, dict) and key in layer:
            layer = layer[key]
        else:
            return False
    return True


def _value(layer: Any, path: Sequence[str]) -> Any:
    for key in path:
        layer = layer[int(key)] if isinstance(layer, list) else layer[key]
    return layer


def _classes_at(model: type[BaseModel], path: Sequence[str], values: Any) -> tuple[list[type[BaseModel]], str]:
    """The settings classes at a place, of a union the one that the values choose; and the tag that chose, e.g. ``kind joint``."""
    kinds, chosen = [model], ""
    for key in path:
        values = values.get(key, {}) if isinstance(values, dict) else {}
        fields = [kind.model_fields[key] for kind in kinds if key in kind.model_fields]
        if not fields:
            continue  # a name in a mapping of sections, or a row of a list: the classes below stay
        chosen, kinds = "", []
        for field in fields:
            tags = tags_of(field)
            tag = values.get(str(field.discriminator)) if isinstance(values, dict) and tags else None
            if isinstance(tag, str) and tag in tags:
                kinds.append(tags[tag])
                chosen = f"{field.discriminator} {tag}"
            else:
                kinds += _below(field.annotation)
    return kinds, chosen


def _below(annotation: Any) -> list[type[BaseModel]]:
    """Settings classes of a field, also those inside a list or a mapping."""
    return sections_of(annotation) or [found for inner in get_args(annotation) for found in sections_of(inner)]


def _known_keys(model: type[BaseModel], path: Sequence[str], values: Any) -> list[str]:
    return sorted({name for kind in _classes_at(model, path, values)[0] for name in kind.model_fields})


def _kind_of(model: type[BaseModel], path: Sequence[str], values: Any) -> str:
    """If other kinds have such keys a reader wants to know of which kind this one is."""
    chosen = _classes_at(model, path, values)[1]
    return f" for {chosen}" if chosen and not chosen.startswith("source") else ""


def hint(near: Sequence[str]) -> str:
    """The end of a message that names the nearest known name, if there is one."""
    return f"; did you mean {near[0]}?" if near else ""
