"""``vldeformer doctor``: what is commonly wrong with a project folder or its environment, a line each with what to do."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vldeformer.commands.arguments import add_command
from vldeformer.errors import InputError

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands


def add_doctor(commands: "Commands") -> None:
    """The command ``doctor``."""
    summary = "look for what is commonly wrong in the project in this folder; exit code 1 if something is found"
    added = add_command(commands, "doctor", _doctor, summary)
    added.add_argument("--configfile", type=Path, default=Path("config/default.yaml"), metavar="PATH", help="the run to look at")
    added.set_defaults(out=Path("doctor"))  # what a failure of the system is said of


def _doctor(given: argparse.Namespace) -> None:
    from vldeformer.commands.project_checks import PROJECT_CHECKS
    from vldeformer.commands.run_checks import check_run
    from vldeformer.commands.version_checks import VERSION_CHECKS

    project = Path()
    if not (project / "Snakefile").is_file():
        raise InputError(f"{project.resolve()}: expected the folder of the project, found no Snakefile; change into it")
    found = [problem for check in (*PROJECT_CHECKS, *VERSION_CHECKS) for problem in check(project)]
    found += check_run(project, given.configfile)
    for problem in found:
        print(problem)
    if found:
        sys.exit(1)
    print("nothing found")
