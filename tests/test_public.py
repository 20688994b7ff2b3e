"""What `import vldeformer` offers: few names, nothing heavy until one is used, and examples that run."""

import doctest
import inspect
import pydoc
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy
import PIL.Image
import pytest
import torch

import vldeformer
import vldeformer.encoder
import vldeformer.retrieval.image_transform
import vldeformer.search.index
from vldeformer.search.writing import index_images, remove_images

DOCS = Path(__file__).parents[1] / "docs"


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


def test_help_shows_every_public_name():
    text = pydoc.render_doc(vldeformer, renderer=pydoc.plaintext)
    classes, functions = (
        ("Encoder", "SearchIndex", "Hit", "Regions", "InputError"),
        ("load", "open_index", "evaluate", "push_to_hub"),
    )
    assert all(f"class {name}" in text for name in classes) and all(f" {name}(" in text for name in functions)


def public_functions():
    """Name → public functions of the package and public methods of its classes."""
    for name in vldeformer.__all__:
        thing = getattr(vldeformer, name)
        if inspect.isfunction(thing):
            yield name, thing
        elif inspect.isclass(thing):
            for each, member in inspect.getmembers(thing, lambda one: inspect.isfunction(one) or inspect.ismethod(one)):
                if not each.startswith("_") and member.__module__.startswith("vldeformer"):
                    yield f"{name}.{each}", member


def test_docstrings_of_public_functions_describe_every_parameter():
    checked = 0
    for name, function in public_functions():
        parameters = [each for each in inspect.signature(function).parameters if each != "self"]
        if len(parameters) > 2:
            text = inspect.getdoc(function) or ""
            assert "\nArgs:\n" in text and "\nRaises:\n" in text, name
            assert [each for each in parameters if f"\n    {each}: " not in text] == [], name
            checked += 1
    assert checked >= 6


def test_type_checkers_are_told_that_the_package_is_typed():
    assert (Path(vldeformer.__file__).parent / "py.typed").is_file()
    packed = tomllib.loads((DOCS.parent / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["vldeformer"]
    assert "py.typed" in packed


@pytest.fixture(scope="module")
def index_folder(model_folder, tmp_path_factory):
    """Fourteen pictures, one of them removed."""
    root = tmp_path_factory.mktemp("searched")
    for number in range(14):
        blocks = numpy.random.default_rng(number).integers(256, size=(3, 4, 3), dtype=numpy.uint8)
        place = root / "photos" / ("a" if number % 2 else "b")
        place.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(blocks).resize((70, 50)).save(place / f"{number:02}.png")
    index_images(model_folder("squares"), root / "photos", root / "index")
    remove_images(root / "index", ["a/05.png"])
    return root / "index"


@pytest.fixture
def names(model_folder, index_folder, tmp_path):
    """What the examples talk of."""
    PIL.Image.new("L", (90, 60), 200).save(tmp_path / "photograph.png")
    model = model_folder("squares")
    return {
        "PIL": PIL, "numpy": numpy, "torch": torch, "vldeformer": vldeformer, "folder": tmp_path / "kept", "model": model,
        "photograph": tmp_path / "photograph.png", "encoder": vldeformer.load(model),
        "region_encoder": vldeformer.load(model_folder("oscar")), "index_folder": index_folder,
        "index": vldeformer.open_index(index_folder), "joint_model": model_folder("squares", reading="joint"),
    }  # fmt: skip


@pytest.mark.parametrize("page", ["python.md", "search.md"])
def test_the_examples_of_the_pages_are_true(names, page):
    failed, tried = doctest.testfile(str(DOCS / page), module_relative=False, globs=names)
    assert not failed and tried >= 8


MODULES = [vldeformer.encoder, vldeformer.retrieval.image_transform, vldeformer.search.index]


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_the_examples_of_the_docstrings_are_true(names, module):
    failed, tried = doctest.testmod(module, extraglobs=names)
    assert not failed and tried > 0
