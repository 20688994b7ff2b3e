"""How much of a device a ViLT-B/32-sized model with random weights uses in embedding and training; what a large batch takes.

    python benchmarks/vilt_throughput.py
    python benchmarks/vilt_throughput.py --device cpu --precision float32 --layers 2 --batch 4 --steps 2 --out try.json

The second only says whether it runs at all. Photographs are random pictures of 640 x 480 in memory: scaling and cutting them is
part of the rates, decoding files is not. Utilisation is the share of the device's own large bfloat16 product, in the same run.
Operations are those of the transformer's matrix products on the tokens that are there; training counts them three times, forward
and backward. Embedding is timed for it with its inputs on the device; a training step as `fit` does it, with its wait for data.
"""

import argparse
import itertools
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from ceilings import best_seconds
from measuring import save

from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption, Image
from vldeformer.inputs.collate import TextReader
from vldeformer.inputs.in_memory import InMemoryPictures, in_memory_ids
from vldeformer.inputs.photographs import PhotographReader
from vldeformer.inputs.streams import PairStream
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.dual import DualEncoder, decompose
from vldeformer.models.fast_layers import use_fast_layers
from vldeformer.models.vilt import ViltBackbone
from vldeformer.models.vilt_settings import ViltSettings
from vldeformer.planning.config import load_settings
from vldeformer.retrieval.item_vectors import encode_captions, encode_images
from vldeformer.retrieval.reader import Reader
from vldeformer.runtime import RuntimeSettings
from vldeformer.training.loop import CLIP_NORM, start_processes
from vldeformer.training.optim import build_optimizer
from vldeformer.training.run_files import peak_memory_mib
from vldeformer.training.settings import DualTraining, NoNegatives
from vldeformer.training.tasks import contrastive_training

ROOT = Path(__file__).resolve().parent.parent
BERT_WORDS = 30_522
CAPTION = "a man in a red shirt rides a small brown horse along the beach"
PRODUCT_SIDE = {"cuda": 8192, "cpu": 2048}


@dataclass(frozen=True)
class World:
    """Pairs of a picture and one and the same caption, and how they are read."""

    manifest: Manifest
    reader: Reader


def make_world(pairs: int, different: int, backbone: ViltSettings, runtime: RuntimeSettings) -> World:
    """``different`` pictures by turns, so that many pairs fit in memory."""
    pictures = list(np.random.default_rng(0).integers(0, 256, (different, 480, 640, 3), dtype=np.uint8))
    shown = [pictures[number % different] for number in range(pairs)]
    ids = in_memory_ids(shown)
    captions = tuple(Caption(f"{name}#0", name, CAPTION) for name in ids)
    return World(
        Manifest("pictures", tuple(Image(name, "train") for name in ids), captions),
        Reader(
            TextReader(WordPieces.learn([CAPTION], 100), backbone.caption_tokens),
            PhotographReader(InMemoryPictures(shown, None), backbone.crop_size, backbone.patch_size),
            runtime,
        ),
    )


def operations(backbone: ViltSettings, tokens: int) -> float:
    """Of one forward pass over ``tokens`` tokens: two for each weight and token, and attention's."""
    weights = backbone.layers * (4 * backbone.hidden**2 + 2 * backbone.hidden * backbone.intermediate)
    return 2.0 * weights * tokens + backbone.layers * 4.0 * tokens**2 * backbone.hidden


def finished(work: Callable[[], object], device: torch.device) -> None:
    """Call ``work`` and wait until the device has done it."""
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def median_seconds(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Median after one run to warm up."""
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        finished(work, device)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def product_tflop_per_second(device: torch.device) -> float:
    """A large bfloat16 product, the best of some: what utilisation is a share of."""
    side = PRODUCT_SIDE[device.type]
    matrix = torch.randn(side, side).to(device, torch.bfloat16)
    return 2e-12 * side**3 / best_seconds(lambda: finished(lambda: matrix @ matrix, device), 10)


def embedding(encoder: DualEncoder, world: World, device: torch.device, given: argparse.Namespace) -> dict[str, float]:
    """Rates from pictures and texts to vectors, and the seconds that both take on the device with their inputs there."""
    ids, texts = [image.id for image in world.manifest.images[: given.batch]], [CAPTION] * given.batch
    reader = world.reader
    images, captions = reader.visual.read(ids).to(device), reader.text.read(texts).to(device)

    def encode() -> None:
        with reader.inference():
            encoder.encode_visual(images)
            encoder.encode_text(captions)

    def rate(work: Callable[[], object]) -> float:
        return float(given.batch / median_seconds(work, device, given.steps))

    return {
        "reading_images_per_second": rate(lambda: reader.visual.read(ids)),
        "images_per_second": rate(lambda: encode_images(encoder, ids, reader, batch_size=given.batch)),
        "captions_per_second": rate(lambda: encode_captions(encoder, texts, reader, batch_size=given.batch)),
        "seconds": median_seconds(encode, device, given.steps),
        "peak_mib": peak_memory_mib(device),
    }


def training(
    encoder: DualEncoder, world: World, settings: DualTraining, accelerator: Accelerator, given: argparse.Namespace
) -> dict[str, Any]:
    """Steps of ``given.batch`` pairs at once; on a GPU then one of ``given.large`` pairs in chunks of so many."""
    use_fast_layers(encoder)
    model, optimizer = accelerator.prepare(encoder, build_optimizer(encoder, settings.weight_decay))
    model.train()
    waits: list[float] = []

    def steps(pairs: int, chunk_images: int | None) -> Callable[[], None]:
        own = settings.model_copy(
            update={"batch_images": pairs, "chunk_images": chunk_images, "hard_negatives": NoNegatives(kind="none")}
        )
        backward = contrastive_training(
            PairStream(world.manifest, world.reader.text, world.reader.visual, pairs, 0), own, accelerator, {}
        )
        numbers = itertools.count()

        def step() -> None:
            _, figures = backward(model, next(numbers))
            accelerator.clip_grad_norm_(model.parameters(), CLIP_NORM)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            waits.append(figures["data_seconds"])

        return step

    seconds = median_seconds(steps(given.batch, None), accelerator.device, given.steps)
    found: dict[str, Any] = {
        "pairs_per_second": given.batch / seconds,
        "seconds": seconds,
        "wait_share": statistics.median(waits[1:]) / seconds,
        "peak_mib": peak_memory_mib(accelerator.device),
    }
    if accelerator.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(accelerator.device)
        steps(given.large, given.batch)()
        large = {"pairs": given.large, "chunk_images": given.batch, "peak_mib": peak_memory_mib(accelerator.device)}
        found["large_batch"] = large
    return found


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """What is saved."""
    settings = load_settings(ROOT / "config", "coco_vilt", "gpu24")
    assert isinstance(settings.backbone, ViltSettings) and isinstance(settings.train, DualTraining)
    backbone = settings.backbone.model_copy(update={"layers": given.layers})
    runtime = RuntimeSettings(device=given.device, threads=os.cpu_count() or 1, precision=given.precision, processes=1)
    accelerator = start_processes(runtime)
    device = accelerator.device
    torch.manual_seed(0)
    encoder = decompose(ViltBackbone(backbone, BERT_WORDS, 3)).to(device).eval()
    world = make_world(max(2 * given.batch, given.large), 2 * given.batch, backbone, runtime)
    image_tokens = 1 + int(world.reader.visual.read(["0"]).patches.shape[1])
    caption_tokens = int(world.reader.text.read([CAPTION]).ids.shape[1])
    work = 1e-12 * given.batch * (operations(backbone, image_tokens) + operations(backbone, caption_tokens))

    peak = product_tflop_per_second(device)
    embedded = embedding(encoder, world, device, given)
    trained = training(encoder, world, settings.train, accelerator, given)
    return {
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "precision": given.precision,
        "layers": given.layers,
        "batch": given.batch,
        "image_tokens": image_tokens,
        "caption_tokens": caption_tokens,
        "bfloat16_product_tflop_per_second": peak,
        "embedding": embedded | {"utilisation": work / embedded["seconds"] / peak},
        "training": trained | {"utilisation": 3 * work / trained["seconds"] / peak},
    }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="bfloat16")
    parser.add_argument("--layers", type=int, default=12, help="transformer layers; ViLT-B has 12")
    parser.add_argument("--batch", type=int, default=96, help="pairs of a step, and of a chunk of the large one")
    parser.add_argument("--large", type=int, default=1800, help="pairs of the step in chunks whose memory is measured, on a GPU")
    parser.add_argument("--steps", type=int, default=10, help="timed repeats; the median counts")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    found = measure(given)
    print(json.dumps(found, indent=1))
    save(given.out, found)


if __name__ == "__main__":
    main()
