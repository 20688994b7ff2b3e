"""The files below a folder of photographs: one listing for all that look for photographs, and one rule for how names are matched.

Links to folders are followed, each folder once, so that a loop of links ends; hidden files are left out; what cannot be read is
listed with the reason and never left out.
"""

import os
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file below the folder. name: its path with ``/``; stat: None if ``problem`` says why it cannot be read."""

    name: str
    stat: os.stat_result | None
    problem: str | None = None


def files_below(root: Path, outside: Path | None = None) -> Iterator[FoundFile]:
    """Folders proper first, then those that links lead to.

    Args:
        root: the folder.
        outside: a folder that is not listed.

    Yields:
        Each file, and each folder that cannot be listed.

    Raises:
        OSError: ``root`` itself cannot be listed.

    """
    seen = {_identity(outside)} if outside is not None and outside.is_dir() else set()
    plain, links = [root], list[Path]()
    while plain or links:
        folder = plain.pop(0) if plain else links.pop(0)
        identity = _identity(folder)
        if identity in seen:
            continue
        seen.add(identity)
        try:
            entries = _entries(folder)
        except OSError as error:
            if folder == root:
                raise
            yield FoundFile(folder.relative_to(root).as_posix(), None, f"a folder that cannot be listed: {error.strerror}")
            continue
        for entry in entries:
            path = Path(entry.path)
            if _is_folder(path):
                (links if entry.is_symlink() else plain).append(path)
            else:
                yield _file(path, path.relative_to(root).as_posix())


def is_utf8(name: str) -> bool:
    """Whether a name of the system can be written into a file: of other bytes than UTF-8 Python makes half characters."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


class Names:
    """Names of files, found as people write them: in another Unicode form or case, with another ending or a folder in front."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        self._rules: tuple[tuple[Callable[[str], str], dict[str, list[str]]], ...] = tuple(
            (rule, _grouped(self.names, rule)) for rule in (_composed, _in_any_case, _without_ending)
        )

    def find(self, name: str) -> str | None:
        """The file that is meant; None: there is none, or several may be."""
        if name in self.names:
            return name
        for rule, known in self._rules:
            for shorter in _without_folders(name):
                found = known.get(rule(shorter), [])
                if len(found) == 1:
                    return found[0]
        return None

    def hint(self, name: str) -> str:
        """``; did you mean …?`` with the names that are near, or nothing."""
        near = [
            found for rule, known in self._rules for shorter in _without_folders(name) for found in known.get(rule(shorter), [])
        ]
        last = _without_ending(PurePosixPath(name).name)
        near += [one for one in sorted(self.names) if _without_ending(PurePosixPath(one).name) == last][:2] if not near else []
        return f"; did you mean {' or '.join(map(repr, dict.fromkeys(near[:2])))}?" if near else ""


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip())


def _in_any_case(name: str) -> str:
    return unicodedata.normalize("NFC", _composed(name).casefold())


def _without_ending(name: str) -> str:
    return str(PurePosixPath(_in_any_case(name)).with_suffix("")) if PurePosixPath(name).name else name


def _without_folders(name: str) -> Iterator[str]:
    """The name, then without its first folder, its first two, and so on."""
    parts = PurePosixPath(name).parts
    for first in range(len(parts)):
        yield "/".join(parts[first:])


def _grouped(names: Iterable[str], rule: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        groups.setdefault(rule(name), []).append(name)
    return groups


def _file(path: Path, name: str) -> FoundFile:
    if not is_utf8(name):
        return FoundFile(ascii(name), None, "its name is not UTF-8; rename it")
    try:
        found = path.stat()
    except OSError as error:  # a link that leads nowhere or in a circle
        return FoundFile(name, None, error.strerror or str(error))
    if not stat.S_ISREG(found.st_mode):
        return FoundFile(name, None, "expected a photograph, got no ordinary file")
    return FoundFile(name, found)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)


def _is_folder(path: Path) -> bool:
    """False, too, of a link in a circle, and of one into a folder that is closed to us."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _identity(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_dev, found.st_ino
