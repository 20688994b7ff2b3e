"""``vldeformer index-export``: an index for other programs."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from vldeformer.steps.arguments import IndexFolder

OUT = "file that ends in .parquet, or the folder of a LanceDB database with --to lancedb"


def index_export(
    index: IndexFolder,
    /,
    *,
    to: Annotated[Literal["parquet", "lancedb"], Parameter(help="output format")] = "parquet",
    out: Annotated[Path, Parameter(help=OUT)],
) -> None:
    """Export ids, paths and vectors of an index to Parquet or LanceDB."""
    from vldeformer.search.export import export_lance, export_parquet
    from vldeformer.search.index import SearchIndex

    export = export_lance if to == "lancedb" else export_parquet
    print(f"{out}: {export(SearchIndex.open(index), out):,} images")
