"""``vldeformer index-remove``: take images out of an index."""

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import IndexFolder


def index_remove(
    index: IndexFolder,
    ids: Annotated[Sequence[str], Parameter(name="ID...", help="id of an image, as shown by `search`")],
    /,
) -> None:
    """Remove images from an index."""
    from vldeformer.search.writing import remove_images

    print(f"{index}: {remove_images(index, ids):,} images")
