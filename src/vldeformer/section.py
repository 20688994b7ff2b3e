"""The base of every settings section: frozen, typed, an unknown key is an error. Also tagged unions and messages about values."""

import reprlib
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails


class Section(BaseModel):
    """A section of the settings. It is defined next to the code it configures; ``config`` only assembles sections."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def unused(value: Any) -> bool:
    """For ``exclude_if`` of a key that came later: where it is off, files of settings stay what they were before it."""
    return not value


def sections_of(annotation: Any) -> list[type[BaseModel]]:
    """The settings classes that a value of this type may have: one of a section, several of a union, none of a plain value."""
    if get_origin(annotation) is Annotated:
        return sections_of(get_args(annotation)[0])
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return [annotation] if issubclass(annotation, BaseModel) else []
    if get_origin(annotation) in (list, dict, Literal):
        return []
    return [found for inner in get_args(annotation) for found in sections_of(inner)]


def tags_of(field: FieldInfo) -> dict[str, type[BaseModel]]:
    """Tag → class of a field that is a tagged union; empty: it is none. ``field.discriminator`` is the key with the tag."""
    if not isinstance(field.discriminator, str):
        return {}
    return {
        tag: kind for kind in sections_of(field.annotation) for tag in get_args(kind.model_fields[field.discriminator].annotation)
    }


def union_members(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every member of every tagged union below a class of settings, as key and tag: ``("train.loss.kind", "infonce")``."""
    seen: dict[tuple[str, str], None] = {}
    for name, field in section.model_fields.items():
        seen.update({(f"{prefix}{name}.{field.discriminator}", tag): None for tag in tags_of(field)})
        for inner in sections_of(field.annotation):
            seen.update(dict.fromkeys(union_members(inner, f"{prefix}{name}.")))
    yield from seen


def place_of(problem: ErrorDetails, values: Any) -> list[str]:
    """The keys that lead to a problem in ``values``, as files have them: pydantic adds the tags of unions, which are no keys."""
    path: list[str] = []
    last = len(problem["loc"]) - 1
    for number, key in enumerate(problem["loc"]):
        if _has(values, key):
            values = values[key]
        elif problem["type"] != "missing" or number < last:
            continue
        path.append(str(key))
    return path


def _has(values: Any, key: int | str) -> bool:
    return key in values if isinstance(values, dict) else isinstance(values, list) and isinstance(key, int) and key < len(values)


def expected_and_got(problem: ErrorDetails) -> str:
    """One of pydantic's problems in a few words, without its key: what was expected and what came, shortened."""
    if problem["type"] == "missing":
        return "is missing"
    if problem["type"] == "extra_forbidden":
        return "is unknown"
    if problem["type"] == "union_tag_invalid":
        which = problem["ctx"]
        return f"expected a {which['discriminator'].strip(chr(39))} of {which['expected_tags']}, got {which['tag']!r}"
    if problem["type"] == "union_tag_not_found":
        return f"expected a key {problem['ctx']['discriminator'].strip(chr(39))}, found none"
    if problem["type"] in ("model_type", "dict_type", "model_attributes_type"):
        return f"expected keys and their values, got {reprlib.repr(problem['input'])}"
    # What pydantic adds of the value ("unable to parse …", "got a number with …") is said by the value itself.
    expected = problem["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    expected = expected.split(", unable to parse")[0].split(", got a number with")[0]
    if isinstance(problem["input"], dict) and problem["type"] == "value_error":
        return f"expected {expected}"  # several keys at once: the whole section would say nothing
    return f"expected {expected}, got {reprlib.repr(problem['input'])}"
