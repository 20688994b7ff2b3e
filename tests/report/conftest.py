"""Made-up results of two models and a speed file, for everything that reports them."""

import json

import numpy as np
import pytest
from page_world import make_world

from vldeformer.cli import main
from vldeformer.evaluation.measures import Bootstrap, measure
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.report.settings import ReportSettings
from vldeformer.retrieval.ranking import Ranks

SPEED = {
    "pair_ms": 0.41, "image_ms": 0.35, "caption_ms": 0.121, "ranking_ms": 42.0, "n_images": 1000, "n_captions": 5000,
    "sampled_pairs": 2000,
    "sampled_images": 1000, "sampled_captions": 5000,
    "joint_seconds_extrapolated": 2050.0, "dual_seconds": 1.002, "speedup": 2045.9,
    "device": "cpu", "threads": 2, "hardware": "Some_CPU 100%", "precision": "float32", "repeats": 5, "warmup": 2,
    "batch": {"pairs": 128, "images": 128, "captions": 128},
    "gallery_curve": [
        {"n_images": n, "joint_seconds_per_query": 4.1e-4 * n, "dual_ms_per_query": 0.2 + 4e-5 * n}
        for n in (100, 1000, 10_000, 100_000, 1_000_000)
    ],
}  # fmt: skip


def make_result(experiment, protocol, n_images, worst, seed):
    generator = np.random.default_rng(seed)
    index = np.repeat(np.arange(n_images), 5)
    ranks = Ranks(generator.integers(1, worst, size=n_images), generator.integers(1, worst, size=len(index)))
    bootstrap = Bootstrap(200, 0.95, 0)
    images, captions = tuple(f"i{row}" for row in range(n_images)), tuple(f"c{row}" for row in range(5 * n_images))
    return RetrievalResult(
        "tiny", experiment, protocol, images, captions, index, ranks, measure(ranks, index, bootstrap), bootstrap
    )


@pytest.fixture
def make():
    return make_result


@pytest.fixture
def settings():
    return ReportSettings(
        titles={"oracle": "Oracle (reads the scene)", "joint": "Joint (early interaction)", "decomposed": "Decomposed & more"},
        baseline="joint",
        main="decomposed",
        decomposed=["decomposed"],
        claimed=["decomposed"],
        ablations={},
        published_protocols=[],
        counterparts={},
        claimed_drop=0.6,
        claimed_speedup=1000,
    )


@pytest.fixture
def result_paths(tmp_path):
    results = [
        make_result("decomposed", "test", 60, 30, 3),
        make_result("decomposed", "subset", 40, 20, 2),
        make_result("joint", "subset", 40, 10, 1),
    ]
    paths = [tmp_path / "results" / result.experiment / f"{result.protocol}.json" for result in results]
    for result, path in zip(results, paths, strict=True):
        result.save(path)
    return paths


@pytest.fixture
def speed_path(tmp_path):
    path = tmp_path / "speed.json"
    path.write_text(json.dumps(SPEED))
    return path


@pytest.fixture(scope="session")
def page_world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="session")
def page_file(page_world):
    out = page_world.root / "results" / "w" / "report" / "index.html"
    assert main(["page", *page_world.arguments(), "--out", str(out)]) == 0
    return out
