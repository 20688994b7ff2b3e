"""The base of every settings section: frozen, typed, and an unknown key is an error; and what is said of a wrong value."""

import reprlib

from pydantic import BaseModel, ConfigDict
from pydantic_core import ErrorDetails


class Section(BaseModel):
    """A section of the settings. It is defined beside the code it configures; ``config`` only assembles sections."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def expected_and_got(problem: ErrorDetails) -> str:
    """One of pydantic's problems in a few words, without its key: what was expected and what came, shortened."""
    if problem["type"] == "missing":
        return "is missing"
    if problem["type"] == "extra_forbidden":
        return "is unknown"
    if problem["type"] == "union_tag_invalid":
        which = problem["ctx"]
        return f"expected a {which['discriminator']} of {which['expected_tags']}, got {which['tag']!r}"
    if problem["type"] in ("model_type", "dict_type"):
        return f"expected keys and their values, got {reprlib.repr(problem['input'])}"
    # What pydantic adds of the value ("unable to parse …", "got a number with …") is said by the value itself.
    expected = problem["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    expected = expected.split(", unable to parse")[0].split(", got a number with")[0]
    if isinstance(problem["input"], dict) and problem["type"] == "value_error":
        return f"expected {expected}"  # several keys at once: the whole section would say nothing
    return f"expected {expected}, got {reprlib.repr(problem['input'])}"
