"""Cases of the steps that make data: raw files, manifests, regions, words, composed negatives."""

import json

import numpy as np
import pytest

from fingerprints.outputs import store, table
from fingerprints.values import array, exact


def fetched(world):
    return exact((world.raw / "scenes.jsonl").read_bytes())


def prepared(world):
    return {"manifest": exact(world.manifest.read_bytes()), "pixels": exact(np.load(world.pixels / "pixels.npy").tobytes())}


def prepared_source(world, source):
    """Manifest and pixels of a data set of another source; its files are made by ``fingerprints.sources``."""
    from fingerprints import sources
    from vldeformer.steps.prepare import prepare

    raw, out = world.new("raw"), world.new("prepared")
    dataset = getattr(sources, source)(raw)
    settings = world.new("settings").with_suffix(".json")
    settings.write_text(json.dumps({"dataset": {"source": source, "name": "tiny", "raw_dir": "raw"} | dataset}))
    prepare(settings=settings, raw_dir=raw, out=out)
    pixels = out / "pixels" / "pixels.npy"
    return {
        "manifest": exact((out / "manifest.json").read_bytes()),
        "pixels": array(np.load(pixels)) if pixels.is_file() else None,
    }


def photograph_regions(world, write, **regions):
    """Regions of the photographs of a Karpathy file by a network of random weights in its published layout.

    Some features of such a network hardly vary: divided by their deviation they would show the rounding of the processor.
    """
    from fingerprints import sources
    from vldeformer.extractors.photographs import PhotographExtractor
    from vldeformer.steps.features import features
    from vldeformer.steps.prepare import prepare

    raw, prepared, out, settings = world.new("raw"), world.new("prepared"), world.new("features"), world.new("settings")
    dataset = {"source": "karpathy", "name": "tiny", "raw_dir": "raw"} | sources.karpathy(raw)
    with pytest.MonkeyPatch.context() as patch:
        named = write(world.new("network"), patch)
        section = {"grid": 1, "tags": 3, "least_probability": 0.0, "dtype": "float32"} | named | regions
        settings.with_suffix(".json").write_text(json.dumps({"dataset": dataset, "regions": section}))
        prepare(settings=settings.with_suffix(".json"), raw_dir=raw, out=prepared)
        features(settings=settings.with_suffix(".json"), prepared=prepared, out=out)
    extractor = PhotographExtractor.load(out / PhotographExtractor.file_name)
    fitted = {"mean": array(extractor.mean), "deviation": array(extractor.deviation)}
    return store(out / "store", extractor.deviation) | fitted


def lite0(folder, patch):
    from vision_models import write_packages

    write_packages(folder, patch=patch)
    return {"kind": "efficientnet_lite0", "image_size": 64, "grid": 2}


def hub_vision(folder, patch):
    from vision_models import save_vision_model

    save_vision_model(folder, "vit")
    return {"kind": "hub", "model": str(folder)}


def negatives(world, features=None, **changes):
    from vldeformer.steps.negatives import negatives as compose

    out = world.new("negatives")
    compose(settings=world.settings(**changes), manifest=world.manifest, features=features or world.regions, out=out)
    return {name: table(out / f"{name}.parquet") for name in ("text", "image")}


def vinvl_store(world, dtype="float32"):
    from vinvl_files import detect, write_features

    from vldeformer.steps.import_features import import_features

    download, out = world.new("download"), world.new("store")
    write_features(download, [detect(str(number), 2 + number % 3) for number in range(5)])
    import_features(download, out=out, dtype=dtype)
    return out


def joined_stores(world):
    """Two stores of one detector as one; the second is a copy of the first under another name."""
    import shutil

    from vldeformer.steps.join_features import join_features

    other, out = world.new("other"), world.new("joined")
    shutil.copytree(world.regions, other)
    join_features([world.regions, other], out=out)
    return {name: value for name, value in store(out).items() if name != "ids"}


def imported_words(world):
    from vldeformer.steps.import_vocabulary import import_vocabulary

    out = world.new("tokenizer").with_suffix(".json")
    import_vocabulary(world.dual / "model", out=out)
    return exact(out.read_bytes())
