"""What halving the disk costs: vectors and recalls from region features in float16 beside those from float32.

    python benchmarks/float16_features.py                                        the finished run of scenes
    python benchmarks/float16_features.py --model MODEL --manifest manifest.json --features STORE --name coco

A run keeps float16: where a detector lies beside its store, it finds the features again, in float32. A store of VinVL's must
hold float32 (setting `regions.dtype`, `vldeformer import-features --dtype float32`). Here they are rounded.
"""

import argparse
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from joblib import cpu_count
from measuring import save

from vldeformer.artifact import read_json
from vldeformer.data.manifest import Manifest
from vldeformer.data.parts import open_region_store
from vldeformer.data.pixels import PixelStore
from vldeformer.data.records import Regions
from vldeformer.data.regions import FeatureType
from vldeformer.evaluation.protocols import DEFAULT_SETTINGS, evaluate_scored
from vldeformer.inputs.collate import RegionReader
from vldeformer.retrieval.item_vectors import embed
from vldeformer.retrieval.reader import extractor_of, open_encoder
from vldeformer.runtime import prepare_torch, this_machine
from vldeformer.scenes.detector import Detector, detect_regions

RUN = Path(__file__).resolve().parent.parent / "artifacts" / "scenes" / "base"


class Held:
    """Regions in memory behind the interface of a store whose features were written as ``dtype``."""

    def __init__(self, found: Mapping[str, Regions], dtype: FeatureType) -> None:
        self.found, self.dtype = found, dtype
        self.feature_width = next(iter(found.values())).features.shape[1]

    def __getitem__(self, image_id: str) -> Regions:
        regions = self.found[image_id]
        return dataclasses.replace(regions, features=np.asarray(regions.features, dtype=self.dtype))


def exact_regions(features: Path, manifest: Path, ids: list[str]) -> dict[str, Regions]:
    """Image id → Regions in float32. Raises SystemExit if the store holds others and there is no detector beside it."""
    store, extractor = open_region_store(features), extractor_of(features)
    found = {name: store[name] for name in ids}
    if found[ids[0]].features.dtype == np.float32:
        return found
    if extractor is None:
        raise SystemExit(f"{features}: expected float32 features, got {found[ids[0]].features.dtype}; import them as float32")
    return dict(detect_regions(Detector.load(extractor), PixelStore(manifest.parent / "pixels"), ids, cpu_count()))


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """What is saved."""
    runtime, manifest = this_machine(), Manifest.load(given.manifest).split(given.split)
    prepare_torch(runtime)
    exact_features = exact_regions(given.features, given.manifest, [image.id for image in manifest.images])
    encoder, reader = open_encoder(given.model, given.features, runtime)
    assert isinstance(reader.visual, RegionReader)
    found = []
    for dtype in ("float32", "float16"):
        reader.visual.store = Held(exact_features, dtype)
        vectors = embed(encoder, manifest, reader)
        found.append((vectors, evaluate_scored(vectors, "all", DEFAULT_SETTINGS, "unnamed", "unnamed")))
    (exact, exact_result), (rounded, rounded_result) = found
    return {
        "images": len(exact.image_ids),
        "captions": len(exact.caption_ids),
        "largest_difference_of_a_vector": float(np.abs(exact.images - rounded.images).max()),
        "smallest_cosine": float((exact.images.astype(np.float64) * rounded.images).sum(axis=1).min()),
        "mean_recall_float32": exact_result.mean_recall.value,
        "mean_recall_float16": rounded_result.mean_recall.value,
        "i2t_ranks_changed": int((exact_result.ranks.i2t != rounded_result.ranks.i2t).sum()),
        "t2i_ranks_changed": int((exact_result.ranks.t2i != rounded_result.ranks.t2i).sum()),
    }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, default=RUN / "train" / "model", help="model folder or checkpoint")
    parser.add_argument("--manifest", type=Path, default=RUN / "prepare" / "manifest.json")
    parser.add_argument("--features", type=Path, default=RUN / "features" / "store", help="region store")
    parser.add_argument("--split", default="test")
    parser.add_argument("--name", default="scenes", help="under which the result stands in the file")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"), help="what others stand in it stay")
    given = parser.parse_args()
    if not given.model.exists():
        raise SystemExit(f"{given.model}: expected a finished run of scenes, found none; run `make reproduce`, or give --model")
    result = measure(given)
    print(json.dumps({given.name: result}, indent=1))
    others = read_json(given.out) if given.out.is_file() else {}
    others.pop("machine", None)  # that of the last entry is written
    save(given.out, others | {given.name: result})


if __name__ == "__main__":
    main()
