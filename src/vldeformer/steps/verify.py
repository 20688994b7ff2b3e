"""``vldeformer verify``: whether stored files are what was written, a line for each that is not."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def verify(
    paths: Annotated[Sequence[Path], Parameter(name="PATH...", help="artifact, index, model, result, or a tree of them")], /
) -> None:
    """Compare stored files with what was written.

    A line for each that is missing or changed; exit code 1 if there is one. What an older version wrote has no digests, which a
    line says and which is no fault.
    """
    import sys

    from vldeformer.project.verification import faults_below

    wrong = 0
    for path in paths:
        for is_fault, line in faults_below(path):
            print(line)
            wrong += is_fault
    if wrong:
        sys.exit(1)
    print(f"{', '.join(map(str, paths))}: no fault found")
