"""Downloads that go on where they were cut off, and are only taken over when their hash is right.

What has come is in ``NAME.part`` beside the file, and the server is asked for the rest (HTTP Range) after a cut as well as in the
next run. Pooch compares the hash; its own ``retrieve`` leaves a whole copy under a random name if it is killed.
"""

import time
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests
from tqdm import tqdm

from vldeformer.datasets.public_datasets import WebArchive
from vldeformer.durable import name_file
from vldeformer.errors import InputError

CHUNK_BYTES = 1 << 16
TIMEOUT_SECONDS = (15.0, 60.0)
"""Until the server answers; between two pieces of the file."""


def download(archive: WebArchive, folder: Path, base_url: str | None = None) -> Path:
    """The archive's path in ``folder``; nothing is done if it is there with the right hash.

    ``base_url`` takes the place of all but the file's name in its URL. Raises InputError if the server cannot be reached, has
    no such file or one of another size, cuts off again and again, or if the hash is wrong (the file is then deleted).
    """
    name = Path(urlsplit(archive.url).path).name
    url = archive.url if base_url is None else f"{base_url.rstrip('/')}/{name}"
    target, part = folder / name, folder / f"{name}.part"
    if target.is_file() and pooch.hashes.hash_matches(str(target), archive.hash):
        return target
    folder.mkdir(parents=True, exist_ok=True)
    ResumingDownload(archive.n_bytes).fetch(url, part)
    if not pooch.hashes.hash_matches(str(part), archive.hash):
        part.unlink()
        expected = f"a file with {archive.hash.replace(':', ' ')}"
        raise InputError(f"{url}: expected {expected}, got another one; it was deleted, run the same command again")
    name_file(part, target)
    return target


class ResumingDownload:
    """A file is fetched by parts, as often as it is cut off.

    ``n_bytes``: the file's size, None if not known. After a cut that brought nothing ``wait_seconds`` pass before the next try,
    ``tries`` such cuts in a row end it.
    """

    def __init__(self, n_bytes: int | None, tries: int = 5, wait_seconds: float = 2.0) -> None:
        self.n_bytes, self.tries, self.wait_seconds = n_bytes, tries, wait_seconds

    def fetch(self, url: str, part: Path) -> None:
        """Download the rest of ``part``. Raises InputError; what has come so far stays for the next run."""
        fruitless, answered = 0, False
        while True:
            before = _size(part)
            try:
                complete = self._get_the_rest(url, part)
            except requests.RequestException as error:
                complete, problem = False, type(error).__name__
                answered = answered or isinstance(error, requests.exceptions.ChunkedEncodingError)  # cut off in the middle
            else:
                answered, problem = True, "the server sends less than it says"
            if complete:
                return
            if _size(part) > before:
                fruitless, answered = 0, True
                continue
            fruitless += 1
            if not answered:
                raise InputError(f"{url}: cannot be reached ({problem}); is there a network? Run the same command again to go on")
            if fruitless == self.tries:
                raise InputError(f"{url}: cut off after {_size(part):,} bytes ({problem}); run the same command again to go on")
            time.sleep(self.wait_seconds)

    def _get_the_rest(self, url: str, part: Path) -> bool:
        """One request; True if the file is then whole."""
        have = _size(part)
        if have and have == self.n_bytes:
            return True
        # Compressed on the way, the bytes would not be those of the range that is asked for.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
            first, total = _range_of(response)
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                if total == have:
                    return True
                part.unlink()  # longer than the file: of another one
                return False
            if not response.ok:
                raise InputError(f"{url}: the server answers {response.status_code} {response.reason}; try again later")
            if None not in (self.n_bytes, total) and total != self.n_bytes:
                raise InputError(
                    f"{url}: expected a file of {self.n_bytes:,} bytes, the server has one of {total:,}; it has changed"
                )
            if first not in (0, have):
                raise InputError(f"{url}: asked for the bytes from {have:,} on, the server sends those from {first:,} on")
            # A server that does not know ranges sends the file from its beginning.
            with (
                part.open("ab" if first else "wb") as file,
                tqdm(desc=part.stem, initial=first, total=total, unit="B", unit_scale=True, mininterval=2, disable=None) as bar,
            ):
                for piece in response.iter_content(CHUNK_BYTES):
                    file.write(piece)
                    bar.update(len(piece))
        return total is None or _size(part) == total


def _range_of(response: requests.Response) -> tuple[int, int | None]:
    """The first byte that is sent, and the size of the whole file if it is said."""
    said = response.headers.get("Content-Range", "")
    if said.startswith("bytes "):
        span, _, whole = said.removeprefix("bytes ").partition("/")
        first = span.partition("-")[0]
        return int(first) if first.isdigit() else 0, int(whole) if whole.isdigit() else None
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
