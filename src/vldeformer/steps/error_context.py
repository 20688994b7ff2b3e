"""Where the files of a stage lie, for messages about one item: what finds it wrong knows ids, the stage knows the paths."""

import contextlib
from collections.abc import Iterator

from vldeformer.errors import InputError


@contextlib.contextmanager
def told_where(**places: object) -> Iterator[None]:
    """Adds where they lie to what is wrong with one image, caption or pair: ``(model M, store S)`` for model=M, store=S."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{error} ({', '.join(f'{name} {place}' for name, place in places.items())})") from None
