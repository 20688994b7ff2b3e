"""Paths of a step's inputs for messages about one item: the code that finds the item wrong has its id, the step has the paths."""

import contextlib
from collections.abc import Iterator

from vldeformer.errors import InputError


@contextlib.contextmanager
def error_context(**places: object) -> Iterator[None]:
    """Add paths to an InputError about one image, caption or pair: ``(model M, features S)`` for model=M, features=S."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{error} ({', '.join(f'{name} {place}' for name, place in places.items())})") from None
