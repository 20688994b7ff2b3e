"""Step `embed`: vectors of a split's images and captions, in one piece or as one of N shards."""

from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import AnyModel, Features, ManifestFile, OutFolder, SettingsOrMachine, SplitName

VERSION = 1


def embed(
    *,
    settings: SettingsOrMachine = None,
    model: AnyModel,
    manifest: ManifestFile,
    features: Features,
    split: SplitName = "test",
    shard: Annotated[
        str | None, Parameter(metavar="K/N", help="encode only the K-th of N shards, e.g. 3/8; `gather` joins them")
    ] = None,
    out: OutFolder,
) -> None:
    """Encode the images and captions of a split with a decomposed model.

    A joint model is decomposed: the weights stay the same, the data flow changes.
    """
    import time

    from vldeformer.artifact import check_replaceable
    from vldeformer.data.manifest import Manifest
    from vldeformer.models.importing import files_of
    from vldeformer.provenance import provenance
    from vldeformer.retrieval import item_vectors, scattered
    from vldeformer.retrieval.reader import open_encoder
    from vldeformer.retrieval.shards import Share
    from vldeformer.runtime import RuntimeSettings, prepare_torch, this_machine
    from vldeformer.steps.error_context import error_context
    from vldeformer.steps.progress import progress_bar
    from vldeformer.steps.settings_file import read_section

    started = time.monotonic()
    share = None if shard is None else Share.parse(shard)
    check_replaceable(out)
    runtime = this_machine() if settings is None else read_section(settings, "runtime", RuntimeSettings, VERSION)
    prepare_torch(runtime)
    encoder, reader = open_encoder(model, features, runtime)
    chosen = Manifest.load(manifest).split(split)
    with (
        progress_bar(total=scattered.items_of(share or Share(1, 1), chosen), unit="item", desc="embed") as bar,
        error_context(model=model, features=features, manifest=manifest),
    ):
        given = (encoder, chosen, reader, bar.update)
        vectors = item_vectors.embed(*given) if share is None else scattered.embed_share(share, *given)
    inputs = {"model": files_of(model), "manifest": manifest, "features": features}
    vectors.save(out, provenance({"runtime": runtime.model_dump(mode="json"), "split": split}, inputs, started))
