"""Which settings of a data set go together."""

import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from vldeformer.datasets.source import Source
from vldeformer.datasets.sources import SOURCES, DatasetSettings

ROOT = Path(__file__).resolve().parents[2]

PHOTOS = {"name": "photos", "raw_dir": "raw", "images": "pictures"}
KARPATHY = PHOTOS | {"source": "karpathy", "annotations": "dataset.json", "captions_per_image": 5}
FOLDER = PHOTOS | {"source": "folder", "captions": "captions.csv"}
ADAPTER = TypeAdapter(DatasetSettings)


def test_a_kind_is_named_in_its_file_and_in_the_table_and_nowhere_else():
    """So that a new kind is one file and one line: no step, setting or rule looks at which kind a data set is."""
    kinds = re.compile("|".join(kind.__name__ for kind in SOURCES.values()))
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "workflow").rglob("*.smk"), ROOT / "Snakefile"]
    naming = {path.relative_to(ROOT).as_posix() for path in files if kinds.search(path.read_text(encoding="utf-8"))}
    table = "src/vldeformer/datasets/sources.py"
    assert naming == {table, *(f"src/{kind.__module__.replace('.', '/')}.py" for kind in SOURCES.values())}


@pytest.mark.parametrize("kind", SOURCES.values(), ids=SOURCES)
def test_a_kind_gives_pixels_or_regions_and_can_do_what_it_says(kind):
    assert kind.gives_pixels or kind.gives_regions
    assert kind.gives_pixels == (kind.write_pixels is not Source.write_pixels)
    assert kind.made_here == (kind.make is not Source.make)


@pytest.mark.parametrize("base", [KARPATHY, FOLDER])
def test_squares_need_a_size_and_photographs_as_they_are_have_none(base):
    assert ADAPTER.validate_python(base | {"image_size": 128}).photographs == "squares"
    assert ADAPTER.validate_python(base | {"photographs": "as_they_are"}).image_size is None
    for wrong, said in (
        (base, "a number of pixels"),
        (base | {"photographs": "as_they_are", "image_size": 128}, "none, because"),
    ):
        with pytest.raises(ValidationError, match=said) as caught:
            ADAPTER.validate_python(wrong)
        assert caught.value.errors()[0]["loc"] == (base["source"], "image_size")


def test_each_source_names_its_file():
    world = {"pretrain_images": 1, "train_images": 1, "val_images": 1, "test_images": 1, "image_size": 64, "seed": 0}
    scenes = {"source": "scenes", "name": "x", "raw_dir": "raw", "world": world}
    for value, name in ((scenes, "scenes.jsonl"), (KARPATHY, "dataset.json"), (FOLDER, "captions.csv")):
        given = value if value is scenes else value | {"image_size": 128}
        assert ADAPTER.validate_python(given).raw_files == [name]


def test_a_vinvl_download_names_its_captions_keys_and_the_rows_of_its_features():
    part = {"features": "model", "captions": {"test": "c.pt"}, "keys": {"test": "k.tsv"}}
    source = ADAPTER.validate_python({"source": "vinvl", "name": "x", "raw_dir": "raw", "parts": {"coco": part}})
    assert source.raw_files == ["c.pt", "k.tsv", "model/imageid2idx.json"]


@pytest.mark.parametrize(
    "split", [{"val": 0.1, "test": 0.1}, {"val": 0, "test": 0.1, "seed": 1}, {"val": 0.6, "test": 0.4, "seed": 1}]
)
def test_shares_that_leave_nothing_or_lack_a_seed(split):
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(FOLDER | {"image_size": 128, "split": split})
