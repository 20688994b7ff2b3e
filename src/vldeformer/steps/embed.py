"""Stages `embed` and `gather`: vectors of a split's images and captions, in one piece or in shares that are joined."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vldeformer.artifact import RECORD, check_replaceable, read_json
from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.retrieval.shards import Shard, Share, join
from vldeformer.runtime import RuntimeSettings, prepare_torch, this_machine
from vldeformer.stages.error_context import told_where
from vldeformer.stages.progress import progress_bar
from vldeformer.stages.provenance import provenance
from vldeformer.stages.sections import read_section


def embed(
    settings: Path | None, model: Path, manifest: Path, visual: Path, split: str, out: Path, share: Share | None = None
) -> None:
    """Write the vectors of a decomposed model, or of a joint one decomposed: EMB_DIR, or a shard of it."""
    from vldeformer.models.importing import files_of
    from vldeformer.retrieval import encode, scattered
    from vldeformer.stages.open_inputs import open_encoder

    started = time.monotonic()
    check_replaceable(out)
    runtime = this_machine() if settings is None else read_section(settings, "runtime", RuntimeSettings)
    device = prepare_torch(runtime)
    encoder, readers = open_encoder(model, visual)
    encoder = encoder.to(device)
    chosen = Manifest.load(manifest).split(split)
    with (
        progress_bar(total=scattered.items_of(share or Share(1, 1), chosen), unit="item", desc="embed") as bar,
        told_where(model=model, store=visual, manifest=manifest),
    ):
        given = (encoder, chosen, readers.text, readers.visual, runtime, bar.update)
        vectors = encode.embed(*given) if share is None else scattered.embed_share(share, *given)
    inputs = {"model": files_of(model), "manifest": manifest, "visual": visual}
    vectors.save(out, provenance({"runtime": runtime.model_dump(mode="json"), "split": split}, inputs, started))


def gather(shards: Sequence[Path], out: Path) -> None:
    """Write EMB_DIR of the shards of all shares. Raises InputError if one is missing or they are not of one model and data."""
    started = time.monotonic()
    check_replaceable(out)
    loaded = [Shard.load(folder) for folder in shards]
    records = [read_json(folder / RECORD) for folder in shards]
    for folder, record in zip(shards, records, strict=True):
        _check_same(folder, record, shards[0], records[0])
    with told_where(shards=f"{shards[0]}, …" if len(shards) > 1 else shards[0]):
        vectors = join(loaded)
    # What made the vectors is what made the shards: where they lay is of no more use once they are joined.
    made = provenance(records[0]["settings"], {}, started) | {"inputs": records[0]["inputs"]}
    kept = ("code", "machine", "wall_seconds", "finished")
    made["shards"] = {
        str(shard.share): {name: record.get(name) for name in kept} for shard, record in zip(loaded, records, strict=True)
    }
    vectors.save(out, made)


def _check_same(folder: Path, record: Any, first: Path, wanted: Any) -> None:
    """Raises InputError naming what two shards were not both made of: model, manifest, store, or a setting."""
    for name, part in _made_of(first, wanted).items():
        if _made_of(folder, record).get(name) != part:
            raise InputError(f"{folder}: its {name} is not that of {first}; embed all shares with one model, data and settings")


def _made_of(folder: Path, record: Any) -> dict[str, Any]:
    try:
        parts = {name: item["sha256"] for name, item in record["inputs"].items()}
        return parts | {f"setting {name}": value for name, value in record["settings"].items()}
    except (KeyError, TypeError, AttributeError):
        raise InputError(f"{folder / 'provenance.json'}: expected settings and inputs, got another layout; embed again") from None
