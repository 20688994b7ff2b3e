"""Raw files of the data sets: made here, or from the web."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vldeformer.commands.arguments import SETTINGS, add_command
from vldeformer.datasets.public_datasets import PUBLIC_DATASETS

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands


def add_fetching(commands: "Commands") -> None:
    """Fetch, with a command below it for each data set."""
    added = commands.add_parser("fetch", help="raw files of a data set", description="raw files of a data set")
    datasets = added.add_subparsers(title="data sets", required=True, metavar="DATASET")
    scenes = add_command(datasets, "scenes", _fetch_scenes, "make the scenes and captions of the built-in world")
    scenes.add_argument("--settings", type=Path, metavar="PATH", help=f"{SETTINGS}; default: config/datasets/scenes.yaml")
    scenes.add_argument("--out", type=Path, metavar="PATH", help="scenes.jsonl to write; default: in the settings' raw_dir")
    for name, dataset in PUBLIC_DATASETS.items():
        what = "captions" if dataset.form else "captions and photographs"
        public = add_command(
            datasets, name, _fetch_public, f"{what} in Karpathy's split, {_size(name)}; continues a cut download"
        )
        public.set_defaults(dataset=name)
        out = Path("raw", name)
        public.add_argument("--out", type=Path, default=out, metavar="DIR", help=f"folder to write into; default: {out}")
        parts = sorted({archive.part for archive in dataset.archives})
        public.add_argument("--only", choices=parts, help="fetch this part alone; default: all")
        public.add_argument(
            "--accept-terms", action="store_true", help="accept the terms of use, which are shown, without asking"
        )


def _size(name: str) -> str:
    sizes = [archive.n_bytes for archive in PUBLIC_DATASETS[name].archives]
    known = sum(size for size in sizes if size is not None) / 1e9
    return f"{known:.2g} GB to download" + (" and an archive of unknown size" if None in sizes else "")


def _fetch_scenes(given: argparse.Namespace) -> None:
    from vldeformer.stages.fetch import fetch_scenes

    fetch_scenes(given.settings, given.out)


def _fetch_public(given: argparse.Namespace) -> None:
    from vldeformer.stages.fetch import fetch_public

    fetch_public(PUBLIC_DATASETS[given.dataset], given.out, given.only, given.accept_terms)
