"""The wheel works in a new environment with base dependencies only. `make wheel-check` makes it and runs these tests."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

PYTHON = os.environ.get("WHEEL_PYTHON")
SOURCE = Path(__file__).parents[1] / "src" / "vldeformer"
pytestmark = pytest.mark.skipif(PYTHON is None, reason="`make wheel-check` installs the wheel and runs this")
OPTIONAL = {"fastapi", "lancedb", "eccv_caption", "prometheus_client", "starlette", "uvicorn"}
IMPORT_EVERYTHING = """
import importlib, pkgutil, vldeformer
missing = set()
for module in pkgutil.walk_packages(vldeformer.__path__, "vldeformer."):
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        missing.add(error.name.split(".")[0])
print(*sorted(missing))
"""
ENCODE = "import sys, vldeformer; print(*vldeformer.load(sys.argv[1]).encode_text(['a red ring']).shape)"


@pytest.fixture
def installed(tmp_path):
    """``installed("python", "-c", code)``: run a program of the environment in a folder outside the project."""

    def run(program, *arguments):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        command = [Path(PYTHON).with_name(program), *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


def printed(process):
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


def test_the_package_is_the_installed_one_with_all_its_files(installed):
    folder = Path(printed(installed("python", "-c", "import vldeformer; print(vldeformer.__path__[0])")))
    assert "site-packages" in folder.parts
    wanted = {path.relative_to(SOURCE) for path in SOURCE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {str(path) for path in wanted ^ found} == set()


def test_every_module_needs_base_dependencies_or_an_extra(installed):
    assert set(printed(installed("python", "-c", IMPORT_EVERYTHING)).split()) <= OPTIONAL


def test_a_model_is_loaded_and_pictures_are_indexed_and_searched(installed, model_folder, tmp_path):
    model = model_folder("squares")
    assert printed(installed("python", "-c", ENCODE, model)).split()[0] == "1"
    (tmp_path / "pictures").mkdir()
    for number in range(5):
        blocks = np.random.default_rng(number).integers(256, size=(3, 4, 3), dtype=np.uint8)
        PIL.Image.fromarray(blocks).resize((70, 50)).save(tmp_path / "pictures" / f"{number}.png")
    printed(installed("vldeformer", "index", "--model", model, "--images", "pictures", "--out", "index"))
    hits = printed(installed("vldeformer", "search", "index", "a red ring", "-k", "3", "--format", "jsonl")).splitlines()
    assert len(hits) == 3 and {"0.png", "1.png", "2.png", "3.png", "4.png"} > {json.loads(hit)["id"] for hit in hits}
    (tmp_path / "journal.jsonl").write_text('{"step": 1, "loss": 0.5}\n', encoding="utf-8")
    for command, said in {
        "serve index": "pip install 'vldeformer[serve]'",
        "index-export index --to lancedb --out database": "pip install 'vldeformer[lance]'",
        "journal journal.jsonl --to dvclive --out board": "pip install dvclive",
    }.items():
        refused = installed("vldeformer", *command.split())
        assert refused.returncode == 2 and said in refused.stderr and len(refused.stderr.splitlines()) == 1, command
