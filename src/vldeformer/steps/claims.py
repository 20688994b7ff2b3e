"""Step `claims`: results of data sets → the page of the paper's claims."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import PathList

VERSION = 4


def claims(
    *,
    results: Annotated[PathList, Parameter(help="folders results/DATASET, in the order of the page")],
    out: Annotated[Path, Parameter(help="page to write (.md)")],
) -> None:
    """Write a page that judges each of the paper's claims."""
    from vldeformer.artifact import whole_file
    from vldeformer.errors import InputError
    from vldeformer.report.claims import claims_page

    for folder in results:
        if not folder.is_dir():
            raise InputError(f"{folder}: expected a folder results/DATASET, found none; run `snakemake all` for it")
    text = claims_page(results)
    with whole_file(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
