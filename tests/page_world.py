"""A small run as the stages leave it, made by hand: two models on 12 images, whose captions are as nasty as captions get."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from vldeformer.data.manifest import Manifest
from vldeformer.data.pixels import write_pixels
from vldeformer.data.records import Caption, Image, Regions
from vldeformer.data.regions import write_regions
from vldeformer.evaluation.measures import Bootstrap, measure
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.retrieval.embeddings import Embeddings, Scores
from vldeformer.retrieval.ranking import exact_ranks
from vldeformer.steps.report import report

NASTY = (
    "<script>document.title = 'taken'</script><img src=https://example.org/x onerror=alert(1)>",
    "שלום עולם \u202e abc",
    'a dog 🐶👩‍👩‍👧 with "quotes" & {{ braces }} {% raw %} \'',
    "long " * 500,
    "x" * 2000,
)
SETTINGS = {
    "titles": {"joint": "Joint <b>early</b>", "decomposed": "Decomposed & more"}, "baseline": "joint", "main": "decomposed",
    "decomposed": ["decomposed"], "claimed": ["decomposed"], "trivial": [], "ablations": {},
    "published_protocols": [], "counterparts": {},
    "claimed_drop": 0.6, "claimed_speedup": 1000,
}  # fmt: skip
SPEED = {
    "pair_ms": 0.41, "image_ms": 0.35, "caption_ms": 0.121, "ranking_ms": 42.0, "n_images": 12, "n_captions": 60,
    "sampled_pairs": 20,
    "sampled_images": 12, "sampled_captions": 60,
    "joint_seconds_extrapolated": 2050.0, "dual_seconds": 1.002, "speedup": 2045.9, "device": "cpu",
    "threads": 2, "hardware": "Some <CPU>", "precision": "float32", "repeats": 5, "warmup": 2,
    "batch": {"pairs": 8, "images": 8, "captions": 8},
    "gallery_curve": [
        {"n_images": n, "joint_seconds_per_query": 4.1e-4 * n, "dual_ms_per_query": 0.2 + 4e-5 * n}
        for n in (100, 10_000, 1_000_000)
    ],
}  # fmt: skip
RECORD = {
    "settings": {"backbone": {"crop_size": 32, "patch_size": 8}, "note": "</pre><script>alert(2)</script>"}, "inputs": {},
    "code": {"version": "0.1", "commit": "0123456789abcdef", "dirty": False}, "packages": {"numpy": "2"},
    "machine": {"system": "Linux", "processor": "", "cores": 2}, "finished": "2026-01-01T00:00:00Z", "wall_seconds": 1.5,
}  # fmt: skip


@dataclass(frozen=True)
class PageWorld:
    """Folders of the run; ``arguments``: of the command `page`, without ``--out``."""

    root: Path
    manifest: Manifest
    results: dict[str, RetrievalResult]
    scored: dict[str, Embeddings | Scores]

    def arguments(self, pictures=True, negatives=True, joint=True):
        judged = [f"decomposed={self.root / 'embed'}"] + ([f"joint={self.root / 'score'}"] if joint else [])
        given = ["--settings", "report.json", "--results", "results/w", "--manifest", "manifest.json", "--features", "regions"]
        given = [str(self.root / item) if item[:2] != "--" else item for item in given]
        given += ["--judged", *judged, "--journals", f"decomposed={self.root / 'journal.jsonl'}"]
        given += ["--pictures", str(self.root / "pixels")] if pictures else []
        return given + (["--negatives", str(self.root / "negatives")] if negatives else [])


def make_world(root):
    """Write it below ``root``."""
    draw = np.random.default_rng(0)
    images = tuple(Image(f"i{row}", "test") for row in range(12))
    captions = tuple(Caption(f"c{row}", f"i{row // 5}", f"{NASTY[row % 5]} {row}") for row in range(60))
    manifest = Manifest("w", images, captions)
    manifest.save(root / "manifest.json")
    names = tuple(image.id for image in images), tuple(caption.id for caption in captions)
    index = np.repeat(np.arange(12), 5)
    vectors = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in _near(draw, index)]
    scored = {
        "decomposed": Embeddings(names[0], vectors[0], names[1], vectors[1], index),
        "joint": Scores(*names, index, (vectors[0] @ vectors[1].T + draw.normal(size=(12, 60)) / 4).astype(np.float32)),
    }
    scored["decomposed"].save(
        root / "embed", RECORD | {"inputs": {"manifest": {"path": str(root / "manifest.json"), "sha256": "0" * 64}}}
    )
    scored["joint"].save(root / "score", RECORD)
    results = {name: _result(name, one) for name, one in scored.items()}
    paths = [root / "results" / "w" / name / "subset.json" for name in results]
    for path, result in zip(paths, results.values(), strict=True):
        result.save(path)
    _dump(root / "report.json", {"report": SETTINGS})
    _dump(root / "results" / "w" / "speed.json", SPEED)
    lines = [{"step": step, "loss": 3 / step} for step in range(1, 9)] + [{"step": 8, "val_mean_recall": 50.0}]
    (root / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    journals = {"decomposed": root / "journal.jsonl"}
    report(
        settings=root / "report.json",
        results=paths,
        speed=root / "results" / "w" / "speed.json",
        journals=journals,
        out=root / "results" / "w",
    )
    write_pixels(root / "pixels", names[0], draw.integers(0, 255, (12, 32, 48, 3), dtype=np.uint8), (32, 48))
    seen = Regions(np.ones((3, 4), "f4"), np.array([[0, 0, 0.5, 0.5], [0.5, 0, 1, 1], [0, 0, 1, 1]], "f4"), ("dog", "<i>", "sky"))
    write_regions(root / "regions", [(name, seen) for name in names[0]], 4)
    _negatives(root / "negatives", captions)
    return PageWorld(root, manifest, results, scored)


def _near(draw, index):
    images = draw.normal(size=(12, 6)).astype(np.float32)
    return images, images[index] + draw.normal(size=(60, 6)).astype(np.float32) * 0.7


def _result(name, scored):
    ranks, bootstrap = exact_ranks(scored), Bootstrap(50, 0.95, 0)
    index = scored.caption_image_index
    measures = measure(ranks, index, bootstrap)
    return RetrievalResult("w", name, "subset", scored.image_ids, scored.caption_ids, index, ranks, measures, bootstrap)


def _negatives(folder, captions):
    rows = [
        {"caption_id": one.id, "kind": kind, "places": [1], "words": ["new"], "text": f"<b>new</b> {one.text}"}
        for kind in ("noun", "swap")
        for one in captions[:7]
    ]
    folder.mkdir()
    pd.DataFrame(rows).to_parquet(folder / "text.parquet")
    halves = [{"image_id": f"i{row}", "partner_id": f"i{row + 1}", "kept": [0, 2], "taken": [1]} for row in range(6)]
    pd.DataFrame(halves).to_parquet(folder / "image.parquet")
    _dump(folder / "provenance.json", RECORD)


def _dump(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
