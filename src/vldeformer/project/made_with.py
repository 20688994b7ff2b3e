"""Which results other versions of the deciding packages made: their numbers may differ from those of a run here.

No engine goes by these versions, as an update would make everything stale. ``doctor`` and ``make verify`` say what differs.
"""

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from vldeformer.artifact import RECORD, read_json
from vldeformer.errors import InputError

DECIDING = ("torch", "transformers", "tokenizers", "numpy", "pytorch-metric-learning")
"""Packages that most change a number."""


def check_made_with(project: Path) -> Iterator[str]:
    """Artifacts were made with other versions of the deciding packages than those that are installed.

    Args:
        project: folder of the project; the records of its ``artifacts`` are read.

    Yields:
        A line for each package and version: how many artifacts, which is the first, and what to do.
    """
    installed = {name: _plain(metadata.version(name)) for name in DECIDING}
    found: dict[tuple[str, str], list[Path]] = {}
    for path in sorted((project / "artifacts").rglob(f"*{RECORD}")):
        for name, version in _packages(path).items():
            if name in installed and version is not None and _plain(version) != installed[name]:
                found.setdefault((name, _plain(version)), []).append(path.parent)
    for (name, version), folders in sorted(found.items()):
        first = folders[0].relative_to(project)
        yield (
            f"{len(folders)} artifacts were made with {name} {version}, installed is {installed[name]}, first {first}: "
            "run `make setup` for the locked versions, or make them again if numbers must be of one version"
        )


def _packages(record: Path) -> dict[str, str | None]:
    try:
        packages = read_json(record).get("packages")
    except (InputError, OSError, AttributeError):
        return {}
    return packages if isinstance(packages, dict) else {}


def _plain(version: str) -> str:
    """A version without the build that follows it: 2.13.0 of 2.13.0+cpu."""
    return version.partition("+")[0]


if __name__ == "__main__":
    lines = [*check_made_with(Path())]
    for line in lines:
        print(line, file=sys.stderr)
    sys.exit(bool(lines))
