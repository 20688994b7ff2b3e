"""``vldeformer journal``: a training journal in the files of other tools."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from vldeformer.steps.arguments import OutFolder


def journal(
    journal: Annotated[Path, Parameter(help="journal.jsonl of `train` or `pretrain`, finished or running")],
    /,
    *,
    to: Annotated[Literal["tensorboard", "dvclive"], Parameter(help="tool that reads the output; it must be installed")],
    out: OutFolder,
) -> None:
    """Convert a training journal into files for TensorBoard or DVCLive."""
    from vldeformer.report.journals import journal_for_dvclive, journal_for_tensorboard

    (journal_for_tensorboard if to == "tensorboard" else journal_for_dvclive)(journal, out)
