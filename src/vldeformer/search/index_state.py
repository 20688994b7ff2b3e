"""Which images an index holds and in what state they were read, so that a later run reads only new and changed ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vldeformer.search.images import Listed
from vldeformer.search.layout import Contents, Description, read_contents, read_shard


@dataclass(frozen=True)
class IndexState:
    """The images of an index. rows: row of each image that can be found; skipped: images that could not be read."""

    contents: Contents
    rows: dict[str, int]
    read: dict[str, Listed]
    skipped: dict[str, Listed]

    @classmethod
    def of(cls, folder: Path, description: Description) -> "IndexState":
        """Read it from the shards. Raises InputError if a file of the index is damaged."""
        contents = read_contents(folder)
        removed, start = set(contents.removed), 0
        rows, read, skipped = dict[str, int](), dict[str, Listed](), dict[str, Listed]()
        for entry in contents.shards:
            shard = read_shard(folder, entry, description.width)
            for number, values in enumerate(shard.items.to_pylist(), start=start):
                skipped.pop(values["id"], None)
                if number not in removed:
                    rows[values["id"]], read[values["id"]] = number, Listed(**values)
            skipped |= {values["id"]: Listed(**values) for values in shard.skipped}
            start += entry.rows
        return cls(contents, rows, read, skipped)

    def has(self, one: Listed) -> bool:
        """Whether it was read or skipped as it is now."""
        known = self.read.get(one.id) or self.skipped.get(one.id)
        return known is not None and (known.size, known.mtime_ns) == (one.size, one.mtime_ns)

    def rows_of(self, images: Iterable[Listed]) -> list[int]:
        """The rows of those that can be found."""
        return [self.rows[one.id] for one in images if one.id in self.rows]

    def missing_in(self, listed: Iterable[Listed]) -> list[int]:
        """Rows of images that are no longer there. What lies below a folder that cannot be listed may be there."""
        names = {one.id for one in listed}
        unlisted = tuple(f"{one.id}/" for one in listed if one.problem is not None)
        return [row for name, row in self.rows.items() if name not in names and not name.startswith(unlisted)]
