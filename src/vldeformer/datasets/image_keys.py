"""Image ids in foreign files, and lists of them: ``*_img_keys*.tsv`` of a VinVL download, or any file with one id a line."""

from pathlib import Path

from vldeformer.errors import InputError
from vldeformer.text_files import lines_of, read_text


def image_id(text: str) -> str:
    """An id as the rest of the project writes it: a number without the zeros that SBU's files pad it with.

    So the ids of features (text) and of captions (integers) meet. Any other text stays.
    """
    return text.lstrip("0") or "0" if text.isascii() and text.isdigit() else text


def read_image_keys(path: Path) -> list[str]:
    """The ids in the first column, in file order, as ``image_id`` writes them; empty lines at the end do not count.

    Raises InputError, naming file and row (from 1), if the file is missing, empty or no text, or an id is missing or comes twice.
    """
    try:
        lines = lines_of(read_text(path))
    except FileNotFoundError:
        raise InputError(f"{path}: expected a file with one image id a line, found none") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected one image id a line, got other bytes ({error})") from None
    rows: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        name = image_id(line.split("\t")[0].strip())
        if not name:
            raise InputError(f"{path}: row {number}: expected an image id, got none; delete the row")
        if name in rows:
            raise InputError(f"{path}: row {number}, image {name!r}: comes a second time, first in row {rows[name]}")
        rows[name] = number
    if not rows:
        raise InputError(f"{path}: expected one image id a line, the file is empty")
    return list(rows)
