"""Peak memory and time of one contrastive step of 1800 pairs with hard negatives, as one graph and by gradient caching.

    python benchmarks/grad_cache.py

Random inputs, random weights of the size of the default run; each measurement is a process of its own.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import torch
from measuring import save

from vldeformer.inputs.batch import PairBatch, RegionInput, TextInput
from vldeformer.models.dual import decompose
from vldeformer.models.oscar_settings import OscarSettings
from vldeformer.models.weights import build_backbone
from vldeformer.objective.retrieval import retrieval_loss
from vldeformer.runtime import RuntimeSettings
from vldeformer.training.grad_cache import GradCache
from vldeformer.training.loop import start_processes
from vldeformer.training.run_files import peak_memory_mib

TOKENS, TAGS, REGIONS, WIDTH, WORDS = 16, 8, 8, 30, 1000
BACKBONE = OscarSettings(
    kind="oscar", layers=3, hidden=128, heads=4, intermediate=512, dropout=0.1, positions=None, caption_tokens=TOKENS,
    tag_tokens=TAGS, joint_tokens=None, regions=REGIONS, text_model=None,
)  # fmt: skip


def main() -> None:
    """Measure every chunk size, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pairs", type=int, default=1800)
    parser.add_argument("--chunks", type=int, nargs="+", default=[0, 64], help="images of a chunk; 0: the whole batch")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one is not None:
        print(json.dumps(one_step(given.pairs, given.one or None, given.threads)))
        return
    steps = []
    for chunk in given.chunks:
        command = [sys.executable, __file__, "--pairs", given.pairs, "--threads", given.threads, "--one", chunk]
        steps.append(json.loads(subprocess.run([*map(str, command)], check=True, capture_output=True, text=True).stdout))
        print(steps[-1])
    save(given.out, {"pairs": given.pairs, "threads": given.threads, "steps": steps})


def one_step(pairs: int, chunk_images: int | None, threads: int) -> dict[str, float | None]:
    """Peak memory of this process before and after one backward pass, MiB, and its time, s."""
    accelerator = start_processes(RuntimeSettings(device="cpu", threads=threads, precision="float32", processes=1))
    torch.manual_seed(0)
    encoder = decompose(build_backbone(BACKBONE, WORDS, WIDTH)).train()
    batch = random_batch(pairs)
    before, started = peak_memory_mib(accelerator.device), time.perf_counter()

    def loss(vectors):  # type: ignore[no-untyped-def]
        hard = (vectors.hard_captions, batch.hard_text_valid, vectors.hard_images, batch.hard_visual_valid)
        return retrieval_loss("infonce", vectors.captions, vectors.images, batch.image_numbers, 0.07, 1.0, *hard), {}

    value, _ = GradCache(chunk_images, accelerator, {}).backward(encoder, batch, loss)
    seconds = time.perf_counter() - started
    norm = torch.cat([weight.grad.flatten() for weight in encoder.parameters() if weight.grad is not None]).norm()
    return {
        "chunk_images": chunk_images,
        "memory_before_mib": round(before),
        "peak_memory_mib": round(peak_memory_mib(accelerator.device)),
        "seconds": round(seconds, 1),
        "loss": value.item(),
        "gradient_norm": norm.item(),
    }


def random_batch(pairs: int) -> PairBatch:
    """Captions and images of full length."""

    def text() -> TextInput:
        return TextInput(torch.randint(WORDS, (pairs, TOKENS)), torch.ones(pairs, TOKENS, dtype=torch.bool))

    def visual() -> RegionInput:
        tags, regions = torch.randint(WORDS, (pairs, TAGS)), torch.rand(pairs, REGIONS, WIDTH)
        return RegionInput(tags, torch.ones(pairs, TAGS, dtype=torch.bool), regions, torch.ones(pairs, REGIONS, dtype=torch.bool))

    valid = torch.ones(pairs, dtype=torch.bool)
    return PairBatch(text(), visual(), torch.arange(pairs), text(), valid, visual(), valid)


if __name__ == "__main__":
    main()
