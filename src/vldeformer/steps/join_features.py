"""Step `join-features`: several region stores → one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import OutFolder

VERSION = 1


def join_features(
    stores: Annotated[Sequence[Path], Parameter(name="STORE...", help="region stores; NAME is the name of the folder")],
    /,
    *,
    out: Annotated[OutFolder, Parameter(help="region store to write")],
) -> None:
    """Join region stores into one with ids NAME:ID; features are not copied."""
    from vldeformer.data.parts import join_region_stores
    from vldeformer.errors import InputError

    named = {store.absolute().name: store for store in stores}
    if len(named) < len(stores):
        raise InputError("join-features: two stores have one folder name, which names them in ids; rename one")
    join_region_stores(out, named)
