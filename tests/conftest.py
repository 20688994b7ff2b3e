"""A tiny world made once by the project's own stages, and tiny backbones that read it."""

import importlib.util
import io
import json
import shutil
import subprocess
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

import pytest
from settings_files import CONFIG
from tiny_settings import SECTIONS, backbone, sections

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
MARKS = {
    "browser": ("report/test_page_browser.py", "serve/page/*"),
    "gather": ("training/test_gather.py",),
    "hub": ("hub/*", "*/test_*hub*.py"),
    "workflow": ("workflow/*",),
}
"""Mark → patterns of test files that have it; `make test-fast` leaves all of them out."""
KINDS_OF_MODELS = {
    "oscar": {"kind": "oscar"},
    "visualbert": {"kind": "visualbert"},
    "squares": {"kind": "vilt"},
    "photographs": {"kind": "vilt", "keep_aspect": True, "crop_size": 64},
}


def pytest_collection_modifyitems(items):
    for item in items:
        path = item.path.relative_to(Path(__file__).parent).as_posix()
        for mark, patterns in MARKS.items():
            if any(fnmatch(path, pattern) for pattern in patterns):
                item.add_marker(mark)


@pytest.fixture(autouse=True)
def one_thread():
    """Tests must not wait for each other's threads: whatever the test before set, this one starts with one."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(scope="session")
def write_settings(tmp_path_factory):
    """Differences → a settings file with every section."""

    def write(**changes):
        path = tmp_path_factory.mktemp("settings") / "settings.json"
        path.write_text(json.dumps(sections(**changes)))
        return path

    return write


@pytest.fixture(scope="session")
def tiny(tmp_path_factory, write_settings):
    """Folders of the tiny world: raw, prepare, features, and the word pieces. Nothing may write into them."""
    from vldeformer.steps.features import features
    from vldeformer.steps.fetch import fetch_scenes
    from vldeformer.steps.prepare import prepare
    from vldeformer.steps.vocabulary import vocabulary

    root, settings = tmp_path_factory.mktemp("tiny"), write_settings()
    fetch_scenes(settings=settings, out=root / "raw" / "scenes.jsonl")
    prepare(settings=settings, raw_dir=root / "raw", out=root / "prepare")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("joblib.cpu_count", lambda: 1)
        features(settings=settings, raw_dir=root / "raw", prepared=root / "prepare", out=root / "features")
    vocabulary(
        settings=settings,
        manifest=root / "prepare" / "manifest.json",
        features=root / "features" / "store",
        out=root / "tokenizer.json",
    )
    return SimpleNamespace(
        raw=root / "raw",
        prepare=root / "prepare",
        manifest=root / "prepare" / "manifest.json",
        pixels=root / "prepare" / "pixels",
        features=root / "features",
        regions=root / "features" / "store",
        tokenizer=root / "tokenizer.json",
    )


@pytest.fixture(scope="session")
def manifest(tiny):
    from vldeformer.data.manifest import Manifest

    return Manifest.load(tiny.manifest)


@pytest.fixture(scope="session")
def pixel_store(tiny):
    from vldeformer.data.pixels import PixelStore

    return PixelStore(tiny.pixels)


@pytest.fixture(scope="session")
def region_store(tiny):
    from vldeformer.data.regions import RegionStore

    return RegionStore(tiny.regions)


@pytest.fixture(scope="session")
def words(tiny):
    from vldeformer.inputs.tokens import WordPieces

    return WordPieces.load(tiny.tokenizer)


@pytest.fixture(scope="session")
def readers(tiny, words, runtime):
    """``readers("oscar")``: how captions and images are read for a backbone of this kind."""
    from vldeformer.retrieval.reader import Lengths, open_reader

    def opened(kind, full=False):
        settings = backbone(kind)
        store = tiny.pixels if settings.reads == "pixels" else tiny.regions
        return open_reader(settings, words, store, Lengths.of(settings, "mean_all" if full else "mean"), runtime)

    return opened


@pytest.fixture(scope="session")
def make_backbone(words, region_store):
    """``make_backbone("oscar")``: a new one in eval mode, with weights so large that nothing is lost in rounding."""
    import torch

    from vldeformer.models.weights import build_backbone

    def make(kind, **changes):
        settings = backbone(kind, **changes)
        torch.manual_seed(11)
        width = region_store.feature_width + (6 if settings.reads == "tagged regions" else 0)
        made = build_backbone(settings, len(words), width)
        with torch.no_grad():
            for parameter in made.parameters():
                if parameter.ndim > 1:
                    parameter.normal_(std=0.2)
        return made.eval()

    return make


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory, tiny, words, region_store):
    """``model_folder("oscar", pooling="mean", reading="dual", extractor=False)``: made once for the same arguments."""
    import torch

    from vldeformer.models.weights import ModelDescription, build_model, save_model

    torch.set_num_threads(1)  # quickest for models this small
    made = {}

    def make(kind, pooling="mean", reading="dual", extractor=False):
        if (kind, pooling, reading, extractor) in made:
            return made[kind, pooling, reading, extractor]
        folder = tmp_path_factory.mktemp("models") / "model"
        width = {"oscar": region_store.feature_width + 6, "visualbert": region_store.feature_width}.get(kind, 3)
        description = ModelDescription(
            kind=reading,
            backbone=backbone(**KINDS_OF_MODELS[kind]),
            vocabulary_size=len(words),
            feature_width=width,
            pooling=pooling,
            pooling_dropout=0.1,
            image_size=64 if kind == "squares" else None,
        )
        torch.manual_seed(5)
        model = build_model(description)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim > 1:
                    parameter.normal_(std=0.2)
        save_model(folder, model, description, words)
        if extractor:
            shutil.copy(tiny.features / "extractor.npz", folder)
        made[kind, pooling, reading, extractor] = folder
        return folder

    return make


@pytest.fixture(scope="session")
def runtime():
    from vldeformer.runtime import RuntimeSettings

    return RuntimeSettings(**SECTIONS["runtime"])


@pytest.fixture
def config(tmp_path):
    """A copy of the project's settings files that a test may change."""
    return shutil.copytree(CONFIG, tmp_path / "config")


@pytest.fixture(scope="session")
def committed(tmp_path_factory):
    """README.md, docs, benchmarks and results as git has them: a run of one's own leaves other times in the working tree."""
    root, folder = Path(__file__).parents[1], tmp_path_factory.mktemp("committed")
    if not (root / ".git").exists():
        return root
    command = ["git", "-C", root, "archive", "--format=zip", "HEAD", "README.md", "benchmarks", "docs", "results"]
    archived = subprocess.run(command, capture_output=True, check=True).stdout
    with zipfile.ZipFile(io.BytesIO(archived)) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def load():
    """Name → module of benchmarks/; they import each other by their bare names, as scripts do."""
    before, known = sys.path.copy(), set(sys.modules)
    sys.path.insert(0, str(BENCHMARKS))

    def loaded(name):
        spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield loaded
    sys.path[:] = before
    for name in set(sys.modules) - known:
        if getattr(sys.modules[name], "__file__", None) and Path(sys.modules[name].__file__).parent == BENCHMARKS:
            del sys.modules[name]


@pytest.fixture(scope="session")
def fingerprint_world(tmp_path_factory):
    """The tiny world of the fingerprints; its parts are made when a case first needs them."""
    from fingerprints.world import World

    return World(tmp_path_factory.mktemp("fingerprints"))
