"""From results to tables, figures and the page of claims."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vldeformer.commands.arguments import SETTINGS, add_command, add_paths, named_paths

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands


def add_reporting(commands: "Commands") -> None:
    """report, ablations, claims."""
    added = add_command(commands, "report", _report, "results → metrics.json, tables and figures")
    add_paths(added, settings=SETTINGS, speed="speed.json", out="folder to write")
    _add_results(added)
    added.add_argument("--published", type=Path, metavar="PATH", help="published.csv: recalls of other models beside ours")
    added.add_argument("--journals", nargs="*", default=[], metavar="NAME=PATH", help="training journals by experiment")
    added.add_argument("--rerank", type=Path, metavar="PATH", help="folder of re-ranked results, one for each depth")
    added = add_command(commands, "ablations", _ablations, "results → tables and curves, one about each choice")
    add_paths(added, settings=SETTINGS, speed="speed.json", out="folder to write")
    _add_results(added)
    added.add_argument("--pair-times", nargs="*", default=[], metavar="NAME=PATH", help="pair_time.json by experiment")
    added = add_command(commands, "claims", _claims, "results of data sets → a page that says which of the paper's claims hold")
    folders = "folders results/DATASET, in the order of the page"
    added.add_argument("--results", type=Path, nargs="+", required=True, metavar="PATH", help=folders)
    add_paths(added, out="page to write (.md)")


def _add_results(to: argparse.ArgumentParser) -> None:
    to.add_argument("--results", type=Path, nargs="+", required=True, metavar="PATH", help="RESULT.json files of one dataset")
    tested = "results of the compositional test"
    to.add_argument("--compositional", type=Path, nargs="*", default=[], metavar="PATH", help=tested)


def _report(given: argparse.Namespace) -> None:
    from vldeformer.stages.report import report

    report(
        given.settings,
        given.results,
        given.speed,
        named_paths(given.journals),
        given.published,
        given.compositional,
        given.rerank,
        given.out,
    )


def _ablations(given: argparse.Namespace) -> None:
    from vldeformer.stages.ablations import ablations

    ablations(given.settings, given.results, given.compositional, given.speed, named_paths(given.pair_times), given.out)


def _claims(given: argparse.Namespace) -> None:
    from vldeformer.stages.claims import claims

    claims(given.results, given.out)
