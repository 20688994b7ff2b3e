"""What people have on disk, brought into the project's own files: a VinVL download's features and captions."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vldeformer.commands.arguments import add_command, add_paths
from vldeformer.errors import InputError

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands


def add_importing(commands: "Commands") -> None:
    """import-features, import-captions, join-features."""
    added = add_command(commands, "import-features", _features, "VinVL features and tags → region store; continues a killed run")
    help = "folder of features.tsv, predictions.tsv, imageid2idx.json (model_0060000 of a download)"
    added.add_argument("download", type=Path, metavar="DOWNLOAD_DIR", help=help)
    add_paths(added, out="region store to write")
    stored = "floating type of the stored features (default: float16, half the disk)"
    added.add_argument("--dtype", choices=["float16", "float32"], default="float16", help=stored)
    added = add_command(commands, "import-captions", _captions, "VinVL captions → manifest, the first five of an image")
    added.add_argument("captions", type=Path, metavar="CAPTIONS_PT", help="*_captions.pt of a VinVL download")
    add_paths(added, keys="*_img_keys*.tsv: which images, in which order", out="manifest.json to write")
    added.add_argument(
        "--split", required=True, choices=["train", "val", "test"], help="split that the images get in the manifest"
    )
    added = add_command(commands, "join-features", _join, "several region stores → one, ids NAME:ID; features are not copied")
    added.add_argument("stores", type=Path, nargs="+", metavar="STORE", help="region stores; the name of its folder names each")
    add_paths(added, out="region store to write")


def _features(given: argparse.Namespace) -> None:
    from vldeformer.stages.import_features import import_features

    import_features(given.download, given.out, given.dtype)


def _captions(given: argparse.Namespace) -> None:
    from vldeformer.stages.import_captions import import_captions

    import_captions(given.captions, given.keys, given.split, given.out)


def _join(given: argparse.Namespace) -> None:
    from vldeformer.data.parts import join_region_stores

    stores = {store.absolute().name: store for store in given.stores}
    if len(stores) < len(given.stores):
        raise InputError("join-features: two stores have one folder name, which names them in ids; rename one")
    join_region_stores(given.out, stores)
