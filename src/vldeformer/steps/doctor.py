"""``vldeformer doctor``: what is commonly wrong with a project folder or its environment, a line each with what to do."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def doctor(*, configfile: Annotated[Path, Parameter(help="the run to look at")] = Path("config/default.yaml")) -> None:
    """Look for what is commonly wrong in the project in this folder.

    A line for each problem and what to do; exit code 1 if there is one.
    """
    import sys

    from vldeformer.errors import InputError
    from vldeformer.project.environment_checks import ENVIRONMENT_CHECKS
    from vldeformer.project.made_with import check_made_with
    from vldeformer.project.run_checks import check_run
    from vldeformer.project.version_checks import VERSION_CHECKS

    project = Path()
    if not (project / "Snakefile").is_file():
        raise InputError(f"{project.resolve()}: expected the folder of the project, found no Snakefile; change into it")
    found = [problem for check in (*ENVIRONMENT_CHECKS, *VERSION_CHECKS, check_made_with) for problem in check(project)]
    found += check_run(project, configfile)
    for problem in found:
        print(problem)
    if found:
        sys.exit(1)
    print("nothing found")
