"""Step `import-features`: a VinVL download → region store; 50 GB stream through."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from vldeformer.steps.arguments import OutFolder

VERSION = 1


def import_features(
    download: Annotated[
        Path,
        Parameter(
            name="DOWNLOAD_DIR", help="folder of features.tsv, predictions.tsv, imageid2idx.json (model_0060000 of a download)"
        ),
    ],
    /,
    *,
    out: Annotated[OutFolder, Parameter(help="region store to write")],
    dtype: Annotated[
        Literal["float16", "float32"], Parameter(help="type of the stored features; float16 needs half the disk")
    ] = "float16",
) -> None:
    """Import VinVL features and tags into a region store; continues an interrupted run.

    Until it is complete the store is named OUT.part. Wrong input deletes it.
    """
    import shutil
    import time

    from vldeformer.artifact import RECORD, check_replaceable, finish_part, write_json
    from vldeformer.datasets.vinvl_rows import open_vinvl
    from vldeformer.datasets.vinvl_store import PROGRESS, write_vinvl_regions
    from vldeformer.errors import InputError
    from vldeformer.folder_lock import folder_lock
    from vldeformer.provenance import provenance
    from vldeformer.steps.progress import progress_bar

    started = time.monotonic()
    check_replaceable(out)
    source = open_vinvl(download)
    part = out.with_name(f"{out.name}.part")
    total = source.features.stat().st_size + source.predictions.stat().st_size
    bar = progress_bar(total=total, unit="B", unit_scale=True, unit_divisor=1024, desc="import")
    with folder_lock(out):
        try:
            with bar:
                write_vinvl_regions(part, source, dtype, bar)
        except InputError:
            shutil.rmtree(part, ignore_errors=True)
            raise
        sizes = {"dtype": dtype, "bytes": {path.name: path.stat().st_size for path in (source.features, source.predictions)}}
        # The digest of 50 GB would take as long as the import: of the features the record has the size.
        write_json(part / RECORD, provenance(sizes, {"ids": source.id_rows, "predictions": source.predictions}, started))
        finish_part(part, out)
        (out / PROGRESS).unlink(missing_ok=True)
