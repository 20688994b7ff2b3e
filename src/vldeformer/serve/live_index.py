"""The index as it lies on disk: opened once, and opened again when `vldeformer index` has changed it."""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from vldeformer.errors import InputError
from vldeformer.search.index import SearchIndex
from vldeformer.search.layout import CONTENTS

LOG = logging.getLogger("vldeformer.serve")


@dataclass(frozen=True)
class Opened:
    """An index as it was at one time. A request takes it once, and so sees one state from its beginning to its end."""

    index: SearchIndex
    images: int
    version: int


class LiveIndex:
    """``now`` is what was opened last; ``refresh`` looks at the disk."""

    def __init__(self, folder: Path, model: str | None = None) -> None:
        """Raises InputError if there is no index or its model is not there."""
        self._file, self._lock = folder / CONTENTS, threading.Lock()
        self._seen = self._told = self._stamp()
        index = SearchIndex.open(folder, model)
        _ = index.encoder
        self.now = Opened(index, len(index), 0)

    def refresh(self) -> bool:
        """Open the index again if it has changed; returns whether. One that cannot be opened is told to the log and not taken.

        If the system does not hand a file over, as when too many are open, that may pass: the next call tries again.
        """
        with self._lock:
            stamp = self._stamp()
            if stamp == self._seen or stamp is None:
                return False
            try:
                index = self.now.index.reopened()
                _ = index.encoder  # of another model, if the index was made anew
            except InputError as error:
                self._seen = stamp
                LOG.warning("the changed index is not taken: %s", error)
                return False
            except OSError as error:
                if stamp != self._told:  # once, and not at every look
                    LOG.warning("the changed index cannot be opened now, and is tried again: %s", error)
                self._told = stamp
                return False
            self._seen = stamp
            self.now = Opened(index, len(index), self.now.version + 1)
            LOG.warning("%s: opened again, %s images", index.folder, f"{len(index):,}")
            return True

    def _stamp(self) -> tuple[int, int, int] | None:
        """Time, number and size of the file that says what the index holds; None: it is not there."""
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size
