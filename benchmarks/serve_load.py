"""Requests a second and waiting times of `vldeformer serve` with 100,000 vectors, asked over loopback.

    python benchmarks/serve_load.py --out benchmarks/serve_load.json

The index is written by the project's own writers. Its vectors are drawn around 500 middles, and its model has random weights,
four layers of width 128: what is measured is the server and the search, not a model of any size. The server is a process of its
own, and so is the client, which keeps its connections open and never asks a text twice. Both share the processors;
``server_cpu_ms`` is what a request takes of them, and says more than the times if others were at work.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from measuring import save

from vldeformer.content_digest import digest
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.importing import files_of
from vldeformer.models.vilt_settings import ViltSettings
from vldeformer.models.weights import ModelDescription, build_model, save_model
from vldeformer.search.images import Listed
from vldeformer.search.layout import CONTENTS, DESCRIPTION, Contents, Description, write_section, write_shard
from vldeformer.search.writing import SHARD_IMAGES

WIDTH, LAYERS, MIDDLES = 128, 4, 500
CONCURRENCY = (1, 8, 64)
WARM_UP = 50
HITS = 24
COLOURS = "red green blue yellow white black brown grey orange pink".split()
THINGS = "dog cat horse bird car boat tree house ball star ring box child woman man".split()
PLACES = "left of, right of, above, below, beside, behind, in front of, near".split(", ")


def query(number: int) -> str:
    """A sentence; two numbers below 1,440,000 never give the same."""
    parts = []
    for words in (COLOURS, THINGS, PLACES, COLOURS, THINGS):
        number, which = divmod(number, len(words))
        parts.append(words[which])
    colour, thing, place, other_colour, other_thing = parts
    return f"a {colour} {thing} {place} the {other_colour} {other_thing} {number}"


def write_model(folder: Path) -> None:
    """A ViLT of width 128 with random weights."""
    words = WordPieces.learn([query(number) for number in range(0, 100_000, 37)], 500)
    backbone = ViltSettings(
        kind="vilt", layers=LAYERS, hidden=WIDTH, heads=4, intermediate=4 * WIDTH, dropout=0.1, positions=None, caption_tokens=40,
        patch_size=16, crop_size=64, keep_aspect=False, text_model=None,
    )  # fmt: skip
    description = ModelDescription(
        kind="dual", backbone=backbone, vocabulary_size=len(words), feature_width=3, pooling="mean", pooling_dropout=0.1,
        image_size=64,
    )  # fmt: skip
    torch.manual_seed(0)
    save_model(folder, build_model(description), description, words)


def write_index(folder: Path, model: Path, vectors: int) -> None:
    """Shards of unit vectors, as `vldeformer index` writes them."""
    draw = np.random.default_rng(0)
    middles = draw.standard_normal((MIDDLES, WIDTH))
    entries = []
    for start in range(0, vectors, SHARD_IMAGES):
        rows = range(start, min(start + SHARD_IMAGES, vectors))
        found = middles[draw.integers(MIDDLES, size=len(rows))] + draw.standard_normal((len(rows), WIDTH))
        found = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
        items = [Listed(f"folder/{row:07}.jpg", 1, 1) for row in rows]
        entries.append(write_shard(folder, f"{len(entries):06}", items, found, []))
    images = folder.with_name("images")
    images.mkdir()
    write_section(folder / CONTENTS, Contents(shards=tuple(entries)))
    described = Description(
        model=str(model), model_sha256=digest(files_of(model)), width=WIDTH, images=f"../{images.name}", images_kind="folder"
    )
    write_section(folder / DESCRIPTION, described)


async def ask(url: str, numbers: range, concurrency: int) -> dict[str, Any]:
    """Send the queries with so many always under way."""
    import httpx

    waiting, seconds, statuses = iter(numbers), [], dict[str, int]()
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:

        async def one_after_another() -> None:
            for number in waiting:
                started = time.perf_counter()
                try:
                    answer = await client.get("/search", params={"q": query(number), "k": HITS})
                    status = str(answer.status_code)
                    assert status != "200" or len(answer.json()["hits"]) == HITS
                except httpx.HTTPError as error:
                    status = type(error).__name__
                seconds.append(time.perf_counter() - started)
                statuses[status] = statuses.get(status, 0) + 1

        began = time.perf_counter()
        await asyncio.gather(*(one_after_another() for _ in range(concurrency)))
        took = time.perf_counter() - began
    p50, p95, p99 = 1e3 * np.percentile(seconds, [50, 95, 99])
    return {
        "concurrency": concurrency,
        "requests": len(numbers),
        "errors": len(numbers) - statuses.get("200", 0),
        "statuses": statuses,
        "requests_per_second": round(len(numbers) / took, 1),
        "p50_ms": round(p50, 2),
        "p95_ms": round(p95, 2),
        "p99_ms": round(p99, 2),
    }


def measured(index: Path, requests: int) -> list[dict[str, Any]]:
    """Start the server, ask it from other processes, end it; a few requests first that do not count."""
    command = [sys.executable, "-m", "vldeformer.cli", "serve", str(index), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = next(word for word in server.stdout.readline().split() if word.startswith("http"))
            _asked(url, 0, WARM_UP, 4)
            levels, process = [], psutil.Process(server.pid)
            for level, concurrency in enumerate(CONCURRENCY):
                before = process.cpu_times()
                found = _asked(url, 10_000 + level * requests, requests, concurrency)
                after = process.cpu_times()
                used = after.user + after.system - before.user - before.system
                levels.append(found | {"server_cpu_ms": round(1e3 * used / requests, 2)})
            return levels
        finally:
            server.terminate()


def _asked(url: str, first: int, requests: int, concurrency: int) -> dict[str, Any]:
    """What a client in a process of its own saw."""
    command = [sys.executable, __file__, "--client", url, str(first), str(requests), str(concurrency)]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--vectors", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=4_000, help="at each level of concurrency")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--client", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.client:
        url, first, requests, concurrency = given.client
        asked = ask(url, range(int(first), int(first) + int(requests)), int(concurrency))
        print(json.dumps(asyncio.run(asked)))
        return
    load = round(os.getloadavg()[0], 2)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_model(root / "model")
        write_index(root / "index", root / "model", given.vectors)
        levels = measured(root / "index", given.requests)
    for one in levels:
        print(
            f"{one['concurrency']:3} at once: {one['requests_per_second']:7.1f} requests/s, "
            f"p50 {one['p50_ms']:7.2f} ms, p95 {one['p95_ms']:7.2f} ms, {one['errors']} errors, "
            f"{one['server_cpu_ms']:.2f} ms of CPU a request"
        )
    value = {"load_average_at_start": load, "vectors": given.vectors, "width": WIDTH, "layers": LAYERS, "k": HITS}
    save(given.out, value | {"structure": "flat", "levels": levels})


if __name__ == "__main__":
    main()
