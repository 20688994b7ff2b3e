"""Exact ranks of COCO's size beside the bare matrix product, a loop of argsort, eccv_caption and CLIP_benchmark, in one run.

    python benchmarks/exact_ranks.py --out benchmarks/exact_ranks.json

Every contender runs in processes of its own, in turns with the others; the median of the turns counts. A package and its
judgements are loaded before the clock starts. Memory is the peak of the
whole process, with Python, NumPy (for CLIP_benchmark also torch) and the vectors. Vectors are random ones of full and of low
dimension, and collapsed ones. On the random ones all must find the same six recalls.
`pip install --no-deps clip_benchmark==1.6.2` brings CLIP_benchmark; what is not installed is left out, and this is said.
"""

import argparse
import contextlib
import functools
import importlib.util
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vldeformer.retrieval.embeddings import Embeddings
from vldeformer.retrieval.ranking import BLOCK_IMAGES, exact_ranks

CAPTIONS_PER_IMAGE = 5
CUTOFFS = (1, 5, 10)
COCO_IMAGES = 5000  # the package judges these and no others
KINDS = ("random", "flat", "narrow", "equal")
SLOW = ("argsort_loop", "eccv_caption", "clip_benchmark")
CLIP_BATCH = 64  # images; the package ranks as many queries at a time
Recalls = list[float]
"""R@1, R@5, R@10 in fractions, captions of an image first, then images of a caption."""


def vectors(kind: str, n_images: int, width: int) -> Embeddings:
    """random: all directions alike, with queries that miss; flat: in 30 dimensions, as a trained model's nearly are; narrow: all
    cosines above 0.99, as of a model that was not trained; equal: one vector.
    """
    generator = np.random.default_rng(0)
    index = np.repeat(np.arange(n_images), CAPTIONS_PER_IMAGE)
    rank = width if kind == "random" else 30
    images = generator.standard_normal((n_images, rank), dtype=np.float32)
    noise = np.float32(6 if kind == "random" else 0.8)
    captions = images[index] + noise * generator.standard_normal((len(index), rank), dtype=np.float32)
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


def recalls(i2t: np.ndarray, t2i: np.ndarray) -> Recalls:
    """Of ranks, the first being 1."""
    return [float((ranks <= cutoff).mean()) for ranks in (i2t, t2i) for cutoff in CUTOFFS]


def ours(embeddings: Embeddings) -> Recalls:
    """Ranks of all queries in both directions."""
    ranks = exact_ranks(embeddings)
    return recalls(ranks.i2t, ranks.t2i)


def argsort_loop(embeddings: Embeddings) -> Recalls:
    """What is often written: the whole matrix, then each query's gallery sorted and its right items looked up."""
    scores = embeddings.images @ embeddings.captions.T
    index = embeddings.caption_image_index
    i2t = [np.flatnonzero(index[np.argsort(-row)] == image)[0] for image, row in enumerate(scores)]
    t2i = [np.flatnonzero(np.argsort(-column) == index[caption])[0] for caption, column in enumerate(scores.T)]
    return recalls(np.array(i2t) + 1, np.array(t2i) + 1)


@functools.cache
def eccv_metrics() -> Any:
    """The package with its judgements."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from eccv_caption import Metrics
    return Metrics()


def best_rows(scores: np.ndarray, k: int) -> np.ndarray:
    """Rows of the k highest of (N,) scores, best first, as a stable sort of all has them: of equal ones the lower row."""
    low = -scores
    near = np.flatnonzero(low <= np.partition(low, k - 1)[k - 1])
    return near[np.argsort(low[near], kind="stable")[:k]]


def eccv_caption(embeddings: Embeddings) -> Recalls:
    """The package's 5k recalls from the lists that it needs for them: its own ids, cut at the largest K."""
    metrics, longest = eccv_metrics(), max(CUTOFFS)
    captions = metrics.coco_ids
    images = np.array([metrics.coco_gts["t2i"][number][0] for number in captions[::CAPTIONS_PER_IMAGE].tolist()])
    scores = embeddings.images @ embeddings.captions.T
    i2t = {int(number): captions[best_rows(row, longest)].tolist() for number, row in zip(images, scores, strict=True)}
    t2i = {int(number): images[best_rows(column, longest)].tolist() for number, column in zip(captions, scores.T, strict=True)}
    found = metrics.compute_all_metrics(i2t, t2i, target_metrics=("coco_5k_recalls",), Ks=CUTOFFS)
    return [float(found[f"coco_5k_r{cutoff}"][way]) for way in ("i2t", "t2i") for cutoff in CUTOFFS]


def clip_retrieval() -> Any:
    """The package's module, which imports torch."""
    from clip_benchmark.metrics import zeroshot_retrieval

    return zeroshot_retrieval


def clip_benchmark(embeddings: Embeddings) -> Recalls:
    """The package's own evaluation of a model that knows the vectors: batches, the score matrix, ``recall_at_k``."""
    import torch

    class Known:
        encode_image = staticmethod(torch.from_numpy(embeddings.images).__getitem__)
        encode_text = staticmethod(torch.from_numpy(embeddings.captions).__getitem__)

    rows = np.split(np.arange(len(embeddings.captions)), len(embeddings.images))
    numbers = torch.arange(len(embeddings.images)).split(CLIP_BATCH)
    loader = [(batch, [rows[image].tolist() for image in batch.tolist()]) for batch in numbers]
    with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
        found = clip_retrieval().evaluate(Known, loader, torch.tensor, "cpu", amp=False, recall_k_list=list(CUTOFFS))
    return [found[f"{way}_retrieval_recall@{cutoff}"] for way in ("text", "image") for cutoff in CUTOFFS]


CONTENDERS: dict[str, Callable[[Embeddings], Recalls | None]] = {
    function.__name__: function for function in (bare_product, ours, argsort_loop, eccv_caption, clip_benchmark)
}

LOADS: dict[str, Callable[[], object]] = {"eccv_caption": eccv_metrics, "clip_benchmark": clip_retrieval}
"""What a contender needs beside the vectors."""


def alone(name: str, kind: str, n_images: int, width: int) -> dict[str, Any]:
    """One contender in this process, after one small run to warm up."""
    embeddings = vectors(kind, n_images, width)
    if name in LOADS:
        LOADS[name]()
    if name not in SLOW:
        CONTENDERS[name](embeddings.first(512))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall, cpu = time.perf_counter(), time.process_time()
    found = CONTENDERS[name](embeddings)
    seconds: dict[str, Any] = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    seconds["recalls"] = found
    return seconds | {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "before_mib": before}


def measured(names: list[str], kind: str, given: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Medians over the turns; slow contenders take one turn. Of random vectors all must find the same recalls."""
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(given.threads))
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for turn in range(given.repeats):
        for name in names:
            if turn and name in SLOW:
                continue
            command = [sys.executable, __file__, "--alone", name, "--kind", kind]
            command += ["--images", str(given.images), "--width", str(given.width)]
            done = subprocess.run(command, env=os.environ | threads, capture_output=True, text=True, check=True)
            turns[name].append(json.loads(done.stdout))
    found = {name: own[0].pop("recalls") for name, own in turns.items()}
    if kind == "random":
        for name, values in found.items():
            if values is not None and not np.allclose(values, found["ours"], rtol=0, atol=1e-6):
                raise SystemExit(f"{name}: expected the recalls {found['ours']}, got {values}")
    result = {
        name: {key: round(statistics.median(turn[key] for turn in own), 3) for key in own[0]} for name, own in turns.items()
    }
    for name, values in result.items():
        for seconds in ("seconds", "cpu_seconds"):
            values[f"{seconds}_by_bare_product"] = round(values[seconds] / result["bare_product"][seconds], 2)
        shown = f"{values['seconds']:7.2f} s {values['seconds_by_bare_product']:6.2f} x"
        shown += f"{values['cpu_seconds']:7.2f} s of CPU {values['cpu_seconds_by_bare_product']:6.2f} x"
        print(f"{kind:8} {name:15} {shown} {values['peak_mib']:6.0f} MiB", flush=True)
    return result


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=5000, help="images; each has five captions")
    parser.add_argument("--width", type=int, default=768, help="width of the vectors")
    parser.add_argument("--threads", type=int, default=2, help="threads of the matrix product")
    parser.add_argument("--repeats", type=int, default=3, help="turns of the quick contenders")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--alone", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--kind", default="random", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(alone(given.alone, given.kind, given.images, given.width)))
        return
    from measuring import save  # imports torch, whose memory is not to count for the contenders

    quick, others = ["bare_product", "ours"], ["argsort_loop"]
    for package in ("eccv_caption", "clip_benchmark"):
        if importlib.util.find_spec(package) is None:
            print(f"{package} is not installed: left out")
        elif package == "eccv_caption" and given.images != COCO_IMAGES:
            print(f"{package} judges {COCO_IMAGES:,} images and no others: left out")
        else:
            others.append(package)
    value = {
        "numpy": np.__version__,
        "images": given.images,
        "captions": CAPTIONS_PER_IMAGE * given.images,
        "width": given.width,
        "threads": given.threads,
        "repeats": given.repeats,
        "vectors": {kind: measured(quick + (others if kind == "random" else []), kind, given) for kind in KINDS},
    }
    save(given.out, value)


if __name__ == "__main__":
    main()
