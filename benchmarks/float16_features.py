"""What halving the disk costs: vectors and recalls from region features in float16 beside those from float32.

    python benchmarks/float16_features.py --model MODEL --manifest manifest.json --features STORE --out float16_features.json

``STORE`` holds float32 features (setting `regions.dtype`, `vldeformer import-features --dtype float32`); here they are rounded.
"""

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np

from vldeformer.data.joined import open_region_store
from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Regions, RegionSource
from vldeformer.evaluation.protocols import DEFAULT_SETTINGS, evaluate_scored
from vldeformer.inputs.collate import RegionReader
from vldeformer.retrieval.encode import embed
from vldeformer.runtime import prepare_torch, this_machine
from vldeformer.stages.opened import open_encoder


class Rounded:
    """A store whose features were written as float16."""

    def __init__(self, store: RegionSource) -> None:
        self.store, self.feature_width = store, store.feature_width

    def __getitem__(self, image_id: str) -> Regions:
        regions = self.store[image_id]
        return dataclasses.replace(regions, features=np.asarray(regions.features, dtype=np.float16))


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, required=True, help="model folder or checkpoint")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--features", type=Path, required=True, help="region store of float32 features")
    parser.add_argument("--split", default="test")
    parser.add_argument("--name", default="unnamed", help="under which the result stands in the file")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write or to add to")
    given = parser.parse_args()

    store, runtime = open_region_store(given.features), this_machine()
    prepare_torch(runtime)
    manifest = Manifest.load(given.manifest).split(given.split)
    if store[manifest.images[0].id].features.dtype != np.float32:
        parser.error(f"{given.features}: expected float32 features, got {store[manifest.images[0].id].features.dtype}")
    encoder, readers = open_encoder(given.model, given.features)
    assert isinstance(readers.visual, RegionReader)
    found = []
    for source in (store, Rounded(store)):
        readers.visual.store = source
        vectors = embed(encoder, manifest, readers.text, readers.visual, runtime)
        found.append((vectors, evaluate_scored(vectors, "all", DEFAULT_SETTINGS, "unnamed", "unnamed")))
    (exact, exact_result), (rounded, rounded_result) = found
    result = {
        "images": len(exact.image_ids),
        "captions": len(exact.caption_ids),
        "largest_difference_of_a_vector": float(np.abs(exact.images - rounded.images).max()),
        "smallest_cosine": float((exact.images.astype(np.float64) * rounded.images).sum(axis=1).min()),
        "mean_recall_float32": exact_result.mean_recall.value,
        "mean_recall_float16": rounded_result.mean_recall.value,
        "i2t_ranks_changed": int((exact_result.ranks.i2t != rounded_result.ranks.i2t).sum()),
        "t2i_ranks_changed": int((exact_result.ranks.t2i != rounded_result.ranks.t2i).sum()),
    }
    everything = json.loads(given.out.read_text(encoding="utf-8")) if given.out.is_file() else {}
    text = json.dumps(everything | {given.name: result}, indent=1) + "\n"
    given.out.write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
