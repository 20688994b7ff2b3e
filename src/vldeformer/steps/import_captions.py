"""Stage `import-captions`: captions and keys of a VinVL download → manifest."""

from pathlib import Path

from vldeformer.datasets.vinvl_captions import read_captions


def import_captions(captions: Path, keys: Path, split: str, out: Path) -> None:
    """Write the manifest; the dataset is named after the folder of ``captions`` (``coco_ir``)."""
    read_captions(captions, keys, captions.absolute().parent.name, split).save(out)
