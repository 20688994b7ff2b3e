"""Throughput and memory of a ViLT-B/32-sized model with random weights: embedding and training steps on one device.

    python benchmarks/vilt_throughput.py --device cuda --precision bfloat16 --out benchmarks/vilt_throughput.json
    python benchmarks/vilt_throughput.py --layers 2 --batch 4 --steps 2 --out try.json          does it run at all

Photographs are random pictures of 640 x 480 in memory: scaling and cutting them is part of the times, decoding files is not. The
floating-point operations are those of the transformer's matrix products on the tokens that are there; training counts them three
times, forward and backward.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from vldeformer.config import load_settings
from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption, Image
from vldeformer.inputs.collate import TextReader
from vldeformer.inputs.given import GivenPictures, given_ids
from vldeformer.inputs.photographs import PhotographReader
from vldeformer.inputs.streams import PairStream
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.dual import DualEncoder, decompose
from vldeformer.models.settings import BackboneSettings
from vldeformer.models.vilt import ViltBackbone
from vldeformer.retrieval.encode import encode_captions, encode_images
from vldeformer.runtime import RuntimeSettings, arithmetic, prepare_torch
from vldeformer.training.optim import build_optimizer
from vldeformer.training.tasks import contrastive_training

ROOT = Path(__file__).resolve().parent.parent
BERT_WORDS = 30_522
CAPTION = "a man in a red shirt rides a small brown horse along the beach"


def flops(backbone: BackboneSettings, sequences: int, tokens: int) -> float:
    """Operations of one forward pass over ``sequences`` of ``tokens`` tokens: two for each weight and token, and attention's."""
    weights = backbone.layers * (4 * backbone.hidden**2 + 2 * backbone.hidden * backbone.intermediate)
    attention = backbone.layers * 4 * tokens**2 * backbone.hidden
    return sequences * (2 * weights * tokens + attention)


def median_seconds(work: Callable[[], object], runtime: RuntimeSettings, repeats: int) -> float:
    """Median after one run to warm up."""
    times = []
    for turn in range(repeats + 1):
        started = time.perf_counter()
        work()
        if runtime.device == "cuda":
            torch.cuda.synchronize()
        if turn:
            times.append(time.perf_counter() - started)
    return statistics.median(times)


def peak_mib(runtime: RuntimeSettings) -> float:
    """Highest memory so far: of the GPU, or of this process."""
    if runtime.device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(given: argparse.Namespace) -> dict[str, object]:
    """What is saved."""
    settings = load_settings(ROOT / "config", "coco_vilt", "gpu24")
    backbone = settings.backbone.model_copy(update={"layers": given.layers})
    train = settings.train.model_copy(update={"batch_images": given.batch, "hard_negatives": "none"})
    runtime = RuntimeSettings(device=given.device, threads=os.cpu_count() or 1, precision=given.precision, processes=1)
    device = prepare_torch(runtime)
    torch.manual_seed(0)
    encoder: DualEncoder = decompose(ViltBackbone(backbone, BERT_WORDS, 3)).to(device).eval()

    pictures = np.random.default_rng(0).integers(0, 256, (2 * given.batch, 480, 640, 3), dtype=np.uint8)
    ids = given_ids(list(pictures))
    manifest = Manifest(
        "pictures", tuple(Image(name, "train") for name in ids), tuple(Caption(f"{name}#0", name, CAPTION) for name in ids)
    )
    words = WordPieces.learn([CAPTION], 100)
    text = TextReader(words, backbone.caption_tokens)
    visual = PhotographReader(GivenPictures(list(pictures), None), backbone.crop_size, backbone.patch_size)
    image_tokens = 1 + int(visual.read(ids[:1]).patches.shape[1])
    caption_tokens = int(text.read([CAPTION]).ids.shape[1])

    batch = ids[: given.batch]
    reading = median_seconds(lambda: visual.read(batch), runtime, given.steps)
    images = median_seconds(lambda: encode_images(encoder, batch, visual, runtime, batch_size=given.batch), runtime, given.steps)
    captions = median_seconds(
        lambda: encode_captions(encoder, [CAPTION] * given.batch, text, runtime, batch_size=given.batch), runtime, given.steps
    )
    embedding_peak = peak_mib(runtime)

    stream = PairStream(manifest, text, visual, given.batch, seed=0)
    loss_of, optimizer = contrastive_training(stream, train, device), build_optimizer(encoder, train.weight_decay)

    def step() -> None:
        with arithmetic(runtime):
            loss, _ = loss_of(encoder.train(), 0)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    training = median_seconds(step, runtime, given.steps)
    one_image, one_caption = flops(backbone, 1, image_tokens), flops(backbone, 1, caption_tokens)
    gpu = torch.cuda.get_device_name() if runtime.device == "cuda" else None
    return {
        "machine": {"gpu": gpu, "cores": os.cpu_count(), "system": platform.platform(), "torch": torch.__version__},
        "runtime": runtime.model_dump(mode="json"),
        "layers": given.layers,
        "batch": given.batch,
        "image_tokens": image_tokens,
        "caption_tokens": caption_tokens,
        "reading_images_per_second": given.batch / reading,
        "embedding": {
            "images_per_second": given.batch / images,
            "captions_per_second": given.batch / captions,
            "image_tflop_per_second": 1e-12 * given.batch * one_image / max(images - reading, 1e-9),
            "peak_mib": embedding_peak,
        },
        "training": {
            "pairs_per_second": given.batch / training,
            "tflop_per_second": 3e-12 * given.batch * (one_image + one_caption) / training,
            "peak_mib": peak_mib(runtime),
        },
    }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="bfloat16")
    parser.add_argument("--layers", type=int, default=12, help="transformer layers; ViLT-B has 12")
    parser.add_argument("--batch", type=int, default=96, help="pairs of a step")
    parser.add_argument("--steps", type=int, default=10, help="timed repeats; the median counts")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    found = measure(given := parser.parse_args())
    text = json.dumps(found, indent=1) + "\n"
    given.out.write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
