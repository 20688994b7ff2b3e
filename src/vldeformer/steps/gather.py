"""Step `gather`: the shards of `embed --shard` → the folder that `embed` writes in one piece."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from vldeformer.errors import InputError
from vldeformer.steps.arguments import OutFolder

VERSION = 1


def gather(
    shards: Annotated[Sequence[Path], Parameter(name="SHARD...", help="folder made by `embed --shard`")],
    /,
    *,
    out: Annotated[OutFolder, Parameter(help="folder to write, identical to that of `embed` without --shard")],
) -> None:
    """Join all N folders of `embed --shard`, in any order."""
    import time

    from vldeformer.artifact import RECORD, check_replaceable, read_json
    from vldeformer.provenance import provenance
    from vldeformer.retrieval.shards import Shard, join
    from vldeformer.steps.error_context import error_context

    started = time.monotonic()
    check_replaceable(out)
    loaded = [Shard.load(folder) for folder in shards]
    records = [read_json(folder / RECORD) for folder in shards]
    for folder, record in zip(shards, records, strict=True):
        _check_same(folder, record, shards[0], records[0])
    with error_context(shards=f"{shards[0]}, …" if len(shards) > 1 else shards[0]):
        vectors = join(loaded)
    # What made the shards made the vectors: the shards' own paths say nothing once they are joined.
    made = provenance(records[0]["settings"], {}, started) | {"inputs": records[0]["inputs"]}
    kept = ("code", "machine", "wall_seconds", "finished")
    made["shards"] = {
        str(shard.share): {name: record.get(name) for name in kept} for shard, record in zip(loaded, records, strict=True)
    }
    vectors.save(out, made)


def _check_same(folder: Path, record: Any, first: Path, wanted: Any) -> None:
    """Raises InputError naming what two shards were not both made of: model, manifest, features, or a setting."""
    for name, part in _made_of(first, wanted).items():
        if _made_of(folder, record).get(name) != part:
            raise InputError(f"{folder}: its {name} is not that of {first}; embed all shares with one model, data and settings")


def _made_of(folder: Path, record: Any) -> dict[str, Any]:
    try:
        parts = {name: item["sha256"] for name, item in record["inputs"].items()}
        return parts | {f"setting {name}": value for name, value in record["settings"].items()}
    except (KeyError, TypeError, AttributeError):
        raise InputError(f"{folder / 'provenance.json'}: expected settings and inputs, got another layout; embed again") from None
