"""Stage `claims`: results of data sets → the page of the paper's claims. Needs no torch."""

from collections.abc import Sequence
from pathlib import Path

from vldeformer.artifact import whole_file
from vldeformer.errors import InputError
from vldeformer.report.claims import claims_page


def claims(results: Sequence[Path], out: Path) -> None:
    """Write the page about the folders results/DATASET. Raises InputError naming one that is no folder."""
    for folder in results:
        if not folder.is_dir():
            raise InputError(f"{folder}: expected a folder results/DATASET, found none; run `snakemake all` for it")
    text = claims_page(results)
    with whole_file(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
