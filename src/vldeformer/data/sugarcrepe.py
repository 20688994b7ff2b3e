"""SugarCrepe's files: a caption of an image beside one that is wrong in a single point, a JSON file a subset.

    replace_obj.json: {"0": {"filename": "000000085329.jpg", "caption": "…", "negative_caption": "…"}, …}

Layout, names of the subsets and the rule of judging are those of Hsieh et al., "SugarCrepe: Fixing Hackable Benchmarks for
Vision-Language Compositionality", 2023, as published in their repository. ``add_rel`` is ours; theirs has no such subset.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from vldeformer.artifact import read_json, write_json
from vldeformer.data.records import Image, check_characters
from vldeformer.errors import InputError

SUBSETS = ("replace_obj", "replace_att", "replace_rel", "swap_obj", "swap_att", "add_obj", "add_att", "add_rel")
TEXTS = ("filename", "caption", "negative_caption")


@dataclass(frozen=True, slots=True)
class CompositionalItem:
    """``caption`` is true of the image in ``file``, ``negative`` is not. ``key`` names the item within its subset."""

    subset: str
    key: str
    file: str
    caption: str
    negative: str


def write_items(folder: Path, items: Iterable[CompositionalItem]) -> None:
    """Write SUBSET.json for each subset that has items."""
    subsets: dict[str, dict[str, dict[str, str]]] = {}
    for item in items:
        texts = dict(zip(TEXTS, (item.file, item.caption, item.negative), strict=True))
        subsets.setdefault(item.subset, {})[item.key] = texts
    for subset, rows in subsets.items():
        write_json(folder / f"{subset}.json", rows)


def read_items(folder: Path) -> list[CompositionalItem]:
    """The items of all subsets that are there, subset by subset, in the order of their numbers.

    Raises InputError naming file and item if there is no subset, a file is cut short or of another layout, or a text is empty.
    """
    paths = {subset: folder / f"{subset}.json" for subset in SUBSETS}
    items = [item for subset, path in paths.items() if path.is_file() for item in _read_subset(subset, path)]
    if not items:
        raise InputError(f"{folder}: expected SugarCrepe's files, {', '.join(f'{name}.json' for name in SUBSETS)}; found no item")
    return items


def _read_subset(subset: str, path: Path) -> list[CompositionalItem]:
    rows = read_json(path)
    if not isinstance(rows, dict):
        raise InputError(f"{path}: expected items by number, got {type(rows).__name__}; see SugarCrepe's layout")
    ordered = sorted(rows, key=lambda key: (0, int(key), "") if key.isdecimal() else (1, 0, key))
    return [CompositionalItem(subset, key, *_texts(f"{path}: item {key!r}", rows[key])) for key in ordered]


def _texts(where: str, row: Any) -> tuple[str, str, str]:
    for name in TEXTS:
        value = row.get(name) if isinstance(row, dict) else None
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"{where}: expected {name!r} as a text, got {str(value)[:60]!r}; correct the item or delete it")
        check_characters(where, value)
    return row["filename"], row["caption"], row["negative_caption"]


def image_ids_by_file(files: Sequence[str], images: Sequence[Image]) -> dict[str, str]:
    """File name → id of the image that it names; files of no image are left out.

    A name is the image's id or path, or either without its extension and first folders: ``dog.png`` names ``pets/dog.jpg``,
    ``cats/dog.png`` does not. Or it is, as SugarCrepe names COCO's images, a number with zeros before it
    (``000000085329.jpg`` is 85329 or COCO_val2014_000000085329). Raises InputError if two images have one name or number.
    """
    names: dict[str, set[str]] = {}
    ends: dict[str, set[str]] = {}
    numbers: dict[int, set[str]] = {}
    for image in images:
        for name in (image.id, image.file or image.id):
            for whole in (name, _bare(name)):
                names.setdefault(whole, set()).add(image.id)
            for end in _ends(name):
                ends.setdefault(end, set()).add(image.id)
        if "/" not in image.id and (number := re.search(r"(\d+)$", _bare(image.id))):
            numbers.setdefault(int(number[1]), set()).add(image.id)
    found = {file: _image_id(file, names, ends, numbers) for file in files}
    return {file: image_id for file, image_id in found.items() if image_id is not None}


def _image_id(
    file: str, names: Mapping[str, set[str]], ends: Mapping[str, set[str]], numbers: Mapping[int, set[str]]
) -> str | None:
    own = _ends(file)
    ways = [("name", names.get(file)), ("name", ends.get(own[0])), *(("name", names.get(end)) for end in own)]
    ways += [("number", numbers.get(int(own[-1])))] if own[-1].isdecimal() else []
    what, same = next(((what, same) for what, same in ways if same), ("", set()))
    if len(same) > 1:
        first, second = sorted(same)[:2]
        advice = "name the file with its folder, and judge one data set at a time"
        raise InputError(f"file {file!r}: images {first!r} and {second!r} have that {what}; {advice}")
    return next(iter(same), None)


def _ends(name: str) -> list[str]:
    """A file's name without its extension: with all of its folders, with one less and so on, with none."""
    parts = PurePosixPath(_bare(name)).parts or (name,)
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _bare(name: str) -> str:
    """Without a known extension; ids may hold dots of their own."""
    return re.sub(r"\.(jpe?g|png)$", "", name, flags=re.IGNORECASE)
