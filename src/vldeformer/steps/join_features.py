"""Step `join-features`: several region stores → one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import OutFolder

VERSION = 1


def join_features(
    stores: Annotated[Sequence[Path], Parameter(name="STORE...", help="region stores; the name of its folder names each")],
    /,
    *,
    out: Annotated[OutFolder, Parameter(help="region store to write")],
) -> None:
    """Several region stores → one, ids NAME:ID; features are not copied."""
    from vldeformer.data.parts import join_region_stores
    from vldeformer.errors import InputError

    named = {store.absolute().name: store for store in stores}
    if len(named) < len(stores):
        raise InputError("join-features: two stores have one folder name, which names them in ids; rename one")
    join_region_stores(out, named)
