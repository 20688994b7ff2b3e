"""``vldeformer journal``: a training journal in the files of other tools."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from vldeformer.steps.arguments import OutFolder


def journal(
    journal: Annotated[Path, Parameter(help="journal.jsonl of `train` or `pretrain`, also of one that runs")],
    /,
    *,
    to: Annotated[Literal["tensorboard", "dvclive"], Parameter(help="the tool that reads it; it must be installed")],
    out: OutFolder,
) -> None:
    """Training journal → files that TensorBoard or DVCLive show."""
    from vldeformer.report.journals import journal_for_dvclive, journal_for_tensorboard

    (journal_for_tensorboard if to == "tensorboard" else journal_for_dvclive)(journal, out)
