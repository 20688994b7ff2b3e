"""The report as one page to read and to send."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vldeformer.commands.arguments import SETTINGS, STORE, add_command, add_paths, named_paths

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands


def add_page(commands: "Commands") -> None:
    """The command `page`."""
    added = add_command(commands, "page", _page, "results, scores and pictures → one self-contained HTML page")
    add_paths(added, settings=SETTINGS, results="folder results/NAME that `report` wrote", manifest="manifest.json")
    add_paths(added, features=f"{STORE} that the main model reads", out="index.html to write")
    added.add_argument("--ablations", type=Path, metavar="PATH", help="settings file of `ablations`, if it was run")
    judged = "folders of `embed` and `score` by experiment"
    added.add_argument("--judged", nargs="*", default=[], metavar="NAME=PATH", help=judged)
    added.add_argument("--journals", nargs="*", default=[], metavar="NAME=PATH", help="training journals by experiment")
    added.add_argument("--negatives", type=Path, metavar="PATH", help="folder of composed hard negatives")
    added.add_argument("--pictures", type=Path, metavar="PATH", help="store of pixels or photographs, if the data set has any")


def _page(given: argparse.Namespace) -> None:
    from vldeformer.stages.page import page

    page(
        given.settings,
        given.ablations,
        given.results,
        named_paths(given.judged),
        named_paths(given.journals),
        given.manifest,
        given.negatives,
        given.features,
        given.pictures,
        given.out,
    )
