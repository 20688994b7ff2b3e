"""Step `fetch`: the raw files of a data set, made here (`scenes`) or from the web, whole and verified.

A data set from the web gets a folder with Karpathy's file and ``images/``. Archives come into ``downloads/`` below it, where a
cut or killed download continues; each is deleted when it is unpacked.
"""

import contextlib
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Group, Parameter

from vldeformer.datasets.public_datasets import CAPTIONS_PER_IMAGE, PUBLIC_DATASETS, Part, PublicDataset, WebArchive
from vldeformer.errors import InputError
from vldeformer.steps.arguments import SettingsFile

VERSION = 1
fetch = App(name="fetch", help="Download or make the raw files of a data set.", group_commands=Group("data sets"))
"""The command, with one below it for each data set."""


@fetch.command(name="scenes")
def fetch_scenes(
    *,
    settings: Annotated[
        SettingsFile | None, Parameter(help="settings file of the step; default: config/datasets/scenes.yaml")
    ] = None,
    out: Annotated[Path | None, Parameter(help="scenes.jsonl to write; default: in raw_dir of the settings")] = None,
) -> None:
    """Make the scenes and captions of the built-in world."""
    from vldeformer.planning.config import load_settings
    from vldeformer.planning.experiment_files import BASE
    from vldeformer.steps.settings_file import read_dataset

    dataset = read_dataset(settings, VERSION) if settings else load_settings(Path("config"), "scenes", BASE).dataset
    dataset.make(out or Path(dataset.raw_dir, dataset.raw_files[0]))


def fetch_public(
    dataset: PublicDataset, out: Path, only: Part | None = None, accepted: bool = False, base_url: str | None = None
) -> None:
    """Fetch what is not there yet. ``only``: one part of it; ``accepted``: the terms of use are; else they are asked for.

    ``base_url`` takes the place of the servers of the table (a mirror). Raises InputError if the terms are not accepted, on
    whatever ``download`` and ``unpack`` refuse, if splits or the number of photographs are not the published ones, or if
    photographs are missing that nobody may pass on.
    """
    from vldeformer.datasets.archives import unpack
    from vldeformer.datasets.downloads import download

    missing = [archive for archive in dataset.archives if only in (None, archive.part) and not _is_there(archive, out)]
    if missing:
        _agree(dataset, accepted)
    downloads = out / "downloads"
    try:
        for archive in missing:
            packed = download(archive, downloads, base_url)
            unpack(packed, archive.member, out / archive.target)
            packed.unlink()
            _is_there(archive, out)
    finally:
        for leftover in downloads.glob("tmp*"):  # pooch's, of a killed run
            leftover.unlink()
        with contextlib.suppress(OSError):  # not empty: what has come so far
            downloads.rmdir()
            out.rmdir()
    if only != "images" or (out / dataset.annotations).is_file():
        _check_captions(dataset, out, with_photographs=only != "annotations")
    print(f"{dataset.name}: {'fetched' if missing else 'nothing to fetch'}, {out} is complete", file=sys.stderr)


def _is_there(archive: WebArchive, out: Path) -> bool:
    """Raises InputError if a folder of photographs is there but not whole: it is somebody's own."""
    target = out / archive.target
    if not target.exists():
        return False
    if target.is_dir():
        found = sum(1 for entry in target.iterdir() if not entry.name.startswith("."))
        if found != archive.n_files:
            raise InputError(f"{target}: expected {archive.n_files:,} files, found {found:,}; move it away and fetch again")
    return True


def _agree(dataset: PublicDataset, accepted: bool) -> None:
    print(dataset.terms, file=sys.stderr)
    if accepted:
        return
    if not sys.stdin.isatty():
        raise InputError(f"{dataset.name}: read the terms of use above and add --accept-terms if you accept them")
    print("Do you accept these terms? Type yes: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() != "yes":
        raise InputError(f"{dataset.name}: the terms of use are not accepted, nothing was fetched")


def _check_captions(dataset: PublicDataset, out: Path, with_photographs: bool) -> None:
    from vldeformer.datasets.karpathy import read_karpathy

    manifest = read_karpathy(out / dataset.annotations, dataset.name, CAPTIONS_PER_IMAGE, dataset.splits)
    if not with_photographs:
        return
    missing = [image.file for image in manifest.images if not (out / "images" / (image.file or "")).is_file()]
    if missing:
        where = (
            f"{len(missing):,} of {len(manifest.images):,} photographs are missing, {out / 'images' / (missing[0] or '')} first"
        )
        form = f"; they are given on a signed form, {dataset.form}: unpack them there and run the same command again"
        raise InputError(f"{dataset.name}: {where}{form if dataset.form else '; move the folder away and fetch again'}")


def _add(dataset: PublicDataset) -> None:
    """The command of one data set of the table."""
    parts = sorted({archive.part for archive in dataset.archives})
    what = "captions" if dataset.form else "captions and photographs"
    summary = f"{what[0].upper()}{what[1:]} in Karpathy's split, {_size(dataset)}; continues a cut download."

    @fetch.command(name=dataset.name, help=summary)
    def fetch_dataset(
        *,
        out: Annotated[Path, Parameter(help="folder to write into")] = Path("raw", dataset.name),
        only: Annotated[Part | None, Parameter(choices=parts, help="fetch only this part")] = None,
        accept_terms: Annotated[bool, Parameter(help="accept the terms of use without a question (they are shown)")] = False,
    ) -> None:
        fetch_public(dataset, out, only, accept_terms)


def _size(dataset: PublicDataset) -> str:
    sizes = [archive.n_bytes for archive in dataset.archives]
    known = sum(size for size in sizes if size is not None) / 1e9
    return f"{known:.2g} GB to download" + (" and an archive of unknown size" if None in sizes else "")


for _dataset in PUBLIC_DATASETS.values():
    _add(_dataset)
