"""Made-up results of two models and a speed file, for everything that reports them."""

import json

import numpy as np
import pytest
from made_reports import SPEED
from page_world import make_world

from vldeformer.cli import main
from vldeformer.evaluation.measures import Bootstrap, measure
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.report.collect import run_report
from vldeformer.report.settings import ReportSettings
from vldeformer.retrieval.ranking import Ranks


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
        trivial=[],
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


@pytest.fixture
def journals(tmp_path):
    """Experiment → journal of 39 steps, validated twice."""
    paths = {name: tmp_path / f"{name}.jsonl" for name in ("joint", "decomposed")}
    for path in paths.values():
        lines = [{"step": step, "loss": 5 / (1 + step), "lr": 1e-4} for step in range(1, 40)]
        lines += [{"step": step, "val_mean_recall": step} for step in (20, 40)]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return paths


@pytest.fixture
def collect(settings, speed_path):
    """A function: RESULT.json files and other inputs → the report."""

    def collected(results, journals=(), published=None, compositional=(), rerank=None, **changes):
        section = settings.model_copy(update=changes)
        return run_report(section, results, speed_path, dict(journals), published, compositional, rerank)

    return collected


@pytest.fixture
def report(collect, result_paths, journals):
    return collect(result_paths, journals)


@pytest.fixture(scope="session")
def page_world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="session")
def page_file(page_world):
    out = page_world.root / "results" / "w" / "report" / "index.html"
    assert main(["page", *page_world.arguments(), "--out", str(out)]) == 0
    return out
