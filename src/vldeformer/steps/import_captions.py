"""Step `import-captions`: captions and keys of a VinVL download → manifest."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from vldeformer.steps.arguments import OutFile


def import_captions(
    captions: Annotated[Path, Parameter(name="CAPTIONS_PT", help="*_captions.pt of a VinVL download")],
    /,
    *,
    keys: Annotated[Path, Parameter(help="*_img_keys*.tsv: the images and their order")],
    split: Annotated[Literal["train", "val", "test"], Parameter(help="split of the images in the manifest")],
    out: Annotated[OutFile, Parameter(help="manifest.json to write")],
) -> None:
    """Import VinVL captions into a manifest: the first five of each image.

    The data set is named after the folder of the captions (``coco_ir``).
    """
    import time

    from vldeformer.datasets.vinvl_captions import read_captions
    from vldeformer.provenance import provenance, write_record
    from vldeformer.stored_digests import record_path

    started = time.monotonic()
    manifest = read_captions(captions, keys, captions.absolute().parent.name, split)
    record_path(out).unlink(missing_ok=True)  # that of an older file
    manifest.save(out)
    write_record(out, provenance({"split": split}, {"captions": captions, "keys": keys}, started))
