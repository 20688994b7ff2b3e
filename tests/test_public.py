"""What `import vldeformer` offers: few names, nothing heavy until one is used, and examples that run."""

import doctest
import subprocess
import sys
from pathlib import Path

import numpy
import PIL.Image
import pytest
import torch

import vldeformer
import vldeformer.retrieval.encoder
import vldeformer.retrieval.image_transform

PAGE = Path(__file__).parents[1] / "docs" / "python.md"


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, vldeformer; dir(vldeformer); print({'torch', 'transformers', 'numpy', 'sklearn'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_reports_and_evaluation_need_no_torch():
    code = "import sys, vldeformer; vldeformer.evaluate; print({'torch', 'transformers'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_every_public_name_is_there_and_no_other():
    assert set(vldeformer.__all__) <= set(dir(vldeformer))
    assert all(getattr(vldeformer, name) is not None for name in vldeformer.__all__)
    with pytest.raises(AttributeError, match="no attribute 'decode'"):
        vldeformer.decode  # noqa: B018


@pytest.fixture
def names(model_folder, tmp_path):
    """What the examples talk of."""
    PIL.Image.new("L", (90, 60), 200).save(tmp_path / "photograph.png")
    model = model_folder("squares")
    return {
        "PIL": PIL, "numpy": numpy, "torch": torch, "vldeformer": vldeformer, "folder": tmp_path / "kept", "model": model,
        "photograph": tmp_path / "photograph.png", "encoder": vldeformer.load(model),
        "region_encoder": vldeformer.load(model_folder("oscar")),
    }  # fmt: skip


def test_the_examples_of_the_page_are_true(names):
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, globs=names)
    assert not failed and tried > 10


@pytest.mark.parametrize("module", [vldeformer.retrieval.encoder, vldeformer.retrieval.image_transform], ids=lambda m: m.__name__)
def test_the_examples_of_the_docstrings_are_true(names, module):
    failed, tried = doctest.testmod(module, extraglobs=names)
    assert not failed and tried > 0
