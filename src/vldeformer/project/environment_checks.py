"""What can be wrong with the environment and the folder whatever the run: Python, packages, disk, what killed runs left.

A check takes the project's folder and yields a line for each problem: what is seen, then what to do.
"""

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

LOCK = "requirements.lock"
NEEDED_BYTES = 2 << 30
"""Free space below which a run may not end: the default one writes about half of it."""
MADE_BELOW = ("artifacts", "results", "data", "raw")
CONTINUED = (".run", ".part")
TEMPORARY = re.compile(r"\..+\.([a-z0-9_]{8}(\.tmp)?|old)")
"""Names under which files and folders are written until they are whole, and put aside until they are replaced."""


def check_python(project: Path) -> Iterator[str]:
    """The Python that runs is not that of the lock file."""
    wanted = re.search(r"for Python (\d+\.\d+)", _lock(project))
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if wanted and wanted[1] != running:
        yield f"Python {running} runs, {LOCK} was made for {wanted[1]}: `make setup PYTHON=/path/to/python{wanted[1]}`"


def check_packages(project: Path) -> Iterator[str]:
    """Installed packages are not those of the lock file."""
    if not (project / LOCK).is_file():
        yield f"{LOCK} is not here: `git checkout {LOCK}`"
    other = []
    for name, wanted in re.findall(r"^([\w.-]+)==(\S+)", _lock(project), re.MULTILINE):
        try:
            found = metadata.version(name).partition("+")[0]  # torch of another index: 2.13.0+cpu
        except metadata.PackageNotFoundError:
            found = "not installed"
        if found != wanted:
            other.append(f"{name} {found} instead of {wanted}")
    if other:
        yield f"{len(other)} packages are not as {LOCK} says, first {other[0]}: `make setup`"


def check_disk(project: Path) -> Iterator[str]:
    """There is no room for a run."""
    free = shutil.disk_usage(project).free
    if free < NEEDED_BYTES:
        yield f"{free >> 20:,} MiB are free on this disk, a run may need {NEEDED_BYTES >> 20:,}: make room"


def check_lock(project: Path) -> Iterator[str]:
    """A killed snakemake has left its lock."""
    locks = project / ".snakemake" / "locks"
    if locks.is_dir() and any(locks.iterdir()):
        yield "Snakemake is locked by a run that still goes on or was killed: if none goes on, `snakemake --unlock`"


def check_leftovers(project: Path) -> Iterator[str]:
    """Killed runs have left what is not whole."""
    unfinished, temporary = [], []
    for top in MADE_BELOW:
        for path in sorted((project / top).rglob("*")):
            if path.suffix in CONTINUED:
                unfinished.append(path.relative_to(project))
            elif TEMPORARY.fullmatch(path.name) or path.suffix == ".unpacked":
                temporary.append(path.relative_to(project))
    if unfinished:
        first = f"{len(unfinished)} unfinished, first {unfinished[0]}"
        yield f"{first}: run the same command again, it goes on from there, or delete it"
    if temporary:
        first = f"{len(temporary)} temporary files or folders of killed runs, first {temporary[0]}"
        yield f"{first}: if nothing runs now, delete them"


def _lock(project: Path) -> str:
    path = project / LOCK
    return path.read_text(encoding="utf-8") if path.is_file() else ""


ENVIRONMENT_CHECKS: tuple[Callable[[Path], Iterator[str]], ...] = (
    check_python,
    check_packages,
    check_disk,
    check_lock,
    check_leftovers,
)
