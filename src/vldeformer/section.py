"""The base of every settings section: frozen, typed, and an unknown key is an error; and what is said of a wrong value."""

import reprlib

from pydantic import BaseModel, ConfigDict
from pydantic_core import ErrorDetails


class Section(BaseModel):
    """A section of the settings. It is defined beside the code it configures; ``config`` only assembles sections."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def expected_and_got(problem: ErrorDetails) -> str:
    """One of pydantic's problems in a few words, without its key: what was expected and what came, shortened."""
    if problem["type"] == "missing":
        return "is missing"
    if problem["type"] == "extra_forbidden":
        return "is unknown"
    expected = problem["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return f"expected {expected}, got {reprlib.repr(problem['input'])}"
