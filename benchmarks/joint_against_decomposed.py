"""Scoring 1,000 × 5,000 pairs jointly beside the decomposed model from end to end, and one query in up to 1,000,000 images.

    python benchmarks/joint_against_decomposed.py --out benchmarks/joint_against_decomposed.json

Both read the same BERT-base-sized model with random weights by the same layers. The joint time is extrapolated from a sample of
pairs. The decomposed one is that of a sample of images and captions, each encoded once, scaled to all, and of ranking them all.
"""

import argparse
import os
from pathlib import Path

from measuring import save
from vinvl_sized import DATA, make_backbone, make_world

from vldeformer.evaluation.speed import measure_speed
from vldeformer.evaluation.timing import SpeedSettings
from vldeformer.models.dual import decompose
from vldeformer.models.joint import JointMatcher
from vldeformer.runtime import RuntimeSettings, prepare_torch


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with flickr30k and visual_genome_vocab")
    parser.add_argument("--pairs", type=int, default=320, help="pairs that are scored jointly")
    parser.add_argument("--images", type=int, default=200, help="images that are encoded to time it")
    parser.add_argument("--captions", type=int, default=1000, help="captions that are encoded to time it")
    parser.add_argument("--galleries", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=2, help="timed repeats; the median counts")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of torch")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    runtime = RuntimeSettings(device="cpu", threads=given.threads, precision=given.precision, processes=1)
    prepare_torch(runtime)
    world, backbone = make_world(given.data), make_backbone()
    settings = SpeedSettings(
        pairs=given.pairs, images=given.images, captions=given.captions, repeats=given.repeats, warmup=0,
        gallery_sizes=given.galleries,
    )  # fmt: skip
    result = measure_speed(
        JointMatcher(backbone).eval(),
        decompose(backbone, "mean").eval(),
        world.manifest,
        world.joint_reader(runtime),
        world.reader(runtime),
        settings,
    )
    print(
        f"joint {result['joint_seconds_extrapolated']:,.0f} s (extrapolated from {result['sampled_pairs']} pairs), decomposed "
        f"{result['dual_seconds']:.1f} s, of which ranking {result['ranking_ms']:.0f} ms: {result['speedup']:,.0f} times faster"
    )
    for point in result["gallery_curve"]:
        joint, dual = point["joint_seconds_per_query"], point["dual_ms_per_query"]
        print(
            f"{point['n_images']:9,} images: joint {joint:12,.1f} s, decomposed {dual:8.1f} ms, {1e3 * joint / dual:12,.0f} times"
        )
    save(given.out, result)


if __name__ == "__main__":
    main()
