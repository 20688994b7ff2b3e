"""What can be wrong with DVC in a project: not set up, no remote or none that answers, data not in its cache, a changed lock.

DVC and git are asked by their command lines, as a user asks them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

DEFAULT = "(default)"
"""What `dvc remote list` prints behind the default one."""
SECONDS = 30
"""A remote that has not answered by then is said not to."""


def check_dvc(project: Path) -> Iterator[str]:
    """DVC is not set up, its default remote does not answer, or tracked data are not in the cache."""
    if not (project / "dvc.yaml").is_file():
        return
    if not (project / ".dvc").is_dir():
        yield "DVC is not initialised in this folder, though dvc.yaml is here: `git checkout .dvc`, or `dvc init`"
        return
    remotes = _run(project, "dvc", "remote", "list")
    if remotes is None:
        yield "DVC does not run here: `make setup`, or `dvc remote list` to see why"
        return
    default = next((line for line in map(str.strip, remotes.splitlines()) if line.endswith(DEFAULT)), None)
    if default is None:
        yield "DVC has no default remote: `dvc remote add -d NAME URL`, e.g. a folder or s3://bucket/path"
    elif problem := _unreachable(project, *default.removesuffix(DEFAULT).split(maxsplit=1)):
        yield problem
    trackers = [path.name for path in sorted(project.glob("*.dvc")) if path.is_file()]
    if trackers:
        status = json.loads(_run(project, "dvc", "data", "status", "--json") or "{}")
        uncached = {path.rstrip("/") for path in status.get("not_in_cache", [])}
        for tracker in trackers:
            name = tracker.removesuffix(".dvc")
            # That it is not here is no fault in a fresh clone: the run makes it, or `check_run` misses it.
            if name in uncached and (project / name).exists():
                yield f"{name} is not in DVC's cache: `dvc fetch {tracker}`, or `dvc commit {tracker}` to take what lies here"


def check_locked_versions(project: Path) -> Iterator[str]:
    """dvc.lock or a tracker is not as it was committed, or dvc.lock holds a merge."""
    names = sorted(path.name for path in project.glob("*.dvc") if path.is_file())
    lock = project / "dvc.lock"
    if lock.is_file() and any(line.startswith(("<<<<<<< ", ">>>>>>> ")) for line in lock.read_text("utf-8").splitlines()):
        yield "dvc.lock holds the two sides of a merge: `git checkout --ours dvc.lock` or --theirs, then `dvc repro`"
        return
    for line in (_run(project, "git", "status", "--porcelain", "--", "dvc.lock", *names) or "").splitlines():
        state, name = line[:2].strip(), line[3:]
        if state != "??":
            yield f"{name} differs from the last commit: look at `git diff {name}`, then commit it, or `git checkout {name}`"


def _unreachable(project: Path, name: str, url: str) -> str | None:
    url = url.strip()
    if "://" not in url:
        folder = project / url
        return None if folder.is_dir() else f"DVC's remote {name} is not there: {folder}: `dvc remote modify {name} url URL`"
    if _run(project, "dvc", "status", "--cloud", "--quiet") is None:
        return f"DVC's remote {name} does not answer: {url}: look at `dvc status --cloud`, or `dvc remote modify {name} url URL`"
    return None


def _run(project: Path, *command: str) -> str | None:
    """What a program printed, or None if it failed or did not end in time."""
    program = str(Path(sys.executable).with_name(command[0]))
    words = [program if Path(program).exists() else command[0], *command[1:]]
    wide = os.environ | {"COLUMNS": "9999"}  # DVC breaks the lines of a table at the width of the terminal
    try:
        done = subprocess.run(
            words, cwd=project, env=wide, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return done.stdout


VERSION_CHECKS: tuple[Callable[[Path], Iterator[str]], ...] = (check_dvc, check_locked_versions)
