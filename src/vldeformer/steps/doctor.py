"""``vldeformer doctor``: what is commonly wrong with a project folder or its environment, a line each with what to do."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def doctor(
    *, configfile: Annotated[Path, Parameter(help="configfile of the run to check")] = Path("config/default.yaml")
) -> None:
    """Check the project in this folder for common problems.

    Prints one line per problem, with what to do. The exit code is 1 if there is a problem.
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
