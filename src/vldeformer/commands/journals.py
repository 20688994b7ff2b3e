"""Training journals for the tools that show them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vldeformer.commands.arguments import add_command

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands


def add_journals(commands: "Commands") -> None:
    """The command journal."""
    added = add_command(commands, "journal", _journal, "training journal → files that TensorBoard or DVCLive show")
    added.add_argument(
        "journal", type=Path, metavar="JOURNAL", help="journal.jsonl of `train` or `pretrain`, also of one that runs"
    )
    added.add_argument("--to", choices=["tensorboard", "dvclive"], required=True, help="who is to read it; it must be installed")
    added.add_argument("--out", type=Path, required=True, metavar="PATH", help="folder to write")


def _journal(given: argparse.Namespace) -> None:
    from vldeformer.stages.journal import journal_for_dvclive, journal_for_tensorboard

    (journal_for_tensorboard if given.to == "tensorboard" else journal_for_dvclive)(given.journal, given.out)
