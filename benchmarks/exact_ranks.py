"""Exact ranks of COCO's size beside the bare matrix product, a loop of argsort and eccv_caption, in one run on one machine.

    python benchmarks/exact_ranks.py --out benchmarks/exact_ranks.json

Every contender runs in processes of its own, in turns with the others; the median of the turns counts. Memory is the peak of the
whole process, with Python, NumPy and the vectors. Vectors are random ones of full and of low dimension, and collapsed ones.
"""

import argparse
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vldeformer.retrieval.embeddings import Embeddings
from vldeformer.retrieval.ranking import BLOCK_IMAGES, exact_ranks

CAPTIONS_PER_IMAGE = 5
CUTOFFS = (1, 5, 10)
COCO_IMAGES = 5000  # the package judges these and no others
KINDS = ("random", "flat", "narrow", "equal")
SLOW = ("argsort_loop", "eccv_caption")


def vectors(kind: str, n_images: int, width: int) -> Embeddings:
    """random: all directions alike; flat: in 30 dimensions, as a trained model's nearly are; narrow: all cosines above 0.99, as
    of a model that was not trained; equal: one vector.
    """
    generator = np.random.default_rng(0)
    index = np.repeat(np.arange(n_images), CAPTIONS_PER_IMAGE)
    rank = width if kind == "random" else 30
    images = generator.standard_normal((n_images, rank), dtype=np.float32)
    captions = images[index] + np.float32(0.8) * generator.standard_normal((len(index), rank), dtype=np.float32)
    if kind != "random":
        turn = generator.standard_normal((rank, width), dtype=np.float32)
        images, captions = images @ turn, captions @ turn
    if kind == "narrow":
        images, captions = 0.02 * images + 10, 0.02 * captions + 10
    if kind == "equal":
        images[:], captions[:] = 1, 1
    for each in (images, captions):
        each /= np.linalg.norm(each, axis=1, keepdims=True)
    return Embeddings.from_arrays(images, captions, index)


def bare_product(embeddings: Embeddings) -> None:
    """Every score once, nothing kept; by blocks, as ``exact_ranks`` asks for them."""
    for start in range(0, len(embeddings.images), BLOCK_IMAGES):
        embeddings.block(start, start + BLOCK_IMAGES)


def ours(embeddings: Embeddings) -> None:
    """Ranks of all queries in both directions."""
    exact_ranks(embeddings)


def argsort_loop(embeddings: Embeddings) -> None:
    """What is often written: the whole matrix, then each query's gallery sorted and its right items looked up."""
    scores = embeddings.images @ embeddings.captions.T
    index = embeddings.caption_image_index
    for image, row in enumerate(scores):
        np.flatnonzero(index[np.argsort(-row)] == image)[0]
    for caption, column in enumerate(scores.T):
        np.flatnonzero(np.argsort(-column) == index[caption])[0]


def eccv_caption(embeddings: Embeddings) -> None:
    """The package's 5k recalls from sorted lists; the ids are its own, and the lists are cut at the largest K."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from eccv_caption import Metrics
    metrics = Metrics()
    captions = metrics.coco_ids
    images = np.array([metrics.coco_gts["t2i"][number][0] for number in captions[::CAPTIONS_PER_IMAGE].tolist()])
    scores = embeddings.images @ embeddings.captions.T
    longest = max(CUTOFFS)
    i2t = {int(number): captions[np.argsort(-row)[:longest]].tolist() for number, row in zip(images, scores, strict=True)}
    t2i = {int(number): images[np.argsort(-column)[:longest]].tolist() for number, column in zip(captions, scores.T, strict=True)}
    metrics.compute_all_metrics(i2t, t2i, target_metrics=("coco_5k_recalls",), Ks=CUTOFFS)


CONTENDERS: dict[str, Callable[[Embeddings], None]] = {
    function.__name__: function for function in (bare_product, ours, argsort_loop, eccv_caption)
}


def alone(name: str, kind: str, n_images: int, width: int) -> dict[str, float]:
    """One contender in this process, after one small run to warm up."""
    embeddings = vectors(kind, n_images, width)
    if name not in SLOW:
        CONTENDERS[name](embeddings.first(512))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall, cpu = time.perf_counter(), time.process_time()
    CONTENDERS[name](embeddings)
    seconds = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    return seconds | {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "before_mib": before}


def measured(names: list[str], kind: str, given: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Medians over the turns; slow contenders take one turn."""
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(given.threads))
    turns: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for turn in range(given.repeats):
        for name in names:
            if turn and name in SLOW:
                continue
            command = [sys.executable, __file__, "--alone", name, "--kind", kind]
            command += ["--images", str(given.images), "--width", str(given.width)]
            done = subprocess.run(command, env=os.environ | threads, capture_output=True, text=True, check=True)
            turns[name].append(json.loads(done.stdout))
    result = {
        name: {key: round(statistics.median(turn[key] for turn in own), 3) for key in own[0]} for name, own in turns.items()
    }
    for name, values in result.items():
        for seconds in ("seconds", "cpu_seconds"):
            values[f"{seconds}_by_bare_product"] = round(values[seconds] / result["bare_product"][seconds], 2)
        shown = f"{values['seconds']:7.2f} s {values['seconds_by_bare_product']:6.2f} x"
        shown += f"{values['cpu_seconds']:7.2f} s of CPU {values['cpu_seconds_by_bare_product']:6.2f} x"
        print(f"{kind:8} {name:14} {shown} {values['peak_mib']:6.0f} MiB", flush=True)
    return result


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=5000, help="images; each has five captions")
    parser.add_argument("--width", type=int, default=768, help="width of the vectors")
    parser.add_argument("--threads", type=int, default=2, help="threads of the matrix product")
    parser.add_argument("--repeats", type=int, default=5, help="turns of the quick contenders")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--alone", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--kind", default="random", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(alone(given.alone, given.kind, given.images, given.width)))
        return
    load = os.getloadavg()[0]
    quick = ["bare_product", "ours"]
    others = ["argsort_loop"]
    if given.images == COCO_IMAGES and importlib.util.find_spec("eccv_caption"):
        others.append("eccv_caption")
    value = {
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "load_average_at_start": load},
        "numpy": np.__version__,
        "images": given.images,
        "captions": CAPTIONS_PER_IMAGE * given.images,
        "width": given.width,
        "threads": given.threads,
        "repeats": given.repeats,
        "vectors": {kind: measured(quick + (others if kind == "random" else []), kind, given) for kind in KINDS},
    }
    given.out.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
