"""The store of many photographs: what loops would write, killed or not, with photographs of every kind and damaged ones."""

import json
import shutil

import numpy as np
import PIL.Image
import pytest
from vision_models import photograph, save_vision_model

from vldeformer.data.photographs import PhotographStore, read_squares, write_photographs
from vldeformer.data.pixels import PixelStore, write_pixels
from vldeformer.data.regions import RegionStore
from vldeformer.errors import InputError
from vldeformer.extractors import store as extractor_store
from vldeformer.extractors.files import load_extractor
from vldeformer.extractors.photographs import open_network
from vldeformer.extractors.settings import HubRegions
from vldeformer.extractors.store import PROGRESS, write_photograph_regions

IDS = [f"{number:02}" for number in range(20)]
TRAIN = IDS[:10]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "resnet"
    save_vision_model(folder, "resnet")
    return HubRegions(kind="hub", model=str(folder), grid=1, tags=2, least_probability=0.3, dtype="float16")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Photographs at their own size, two of them damaged behind their header."""
    folder = tmp_path_factory.mktemp("photographs")
    for number, name in enumerate(IDS):
        photograph(number, 50 + number, 40).save(folder / f"{name}.png")
    for name in ("03", "15"):
        content = (folder / f"{name}.png").read_bytes()
        (folder / f"{name}.png").write_bytes(content[: len(content) // 2])
    write_photographs(folder / "store", folder, {name: f"{name}.png" for name in IDS})
    return PhotographStore(folder / "store")


def write(part, settings, pictures, workers=1, key="key", train=TRAIN):
    seen = []
    left_out = write_photograph_regions(
        part, settings, lambda: open_network(settings), pictures, train, {"key": key}, workers, seen.append
    )
    assert sum(seen) == len(pictures.ids)
    return left_out


def files(part):
    return {path.name: path.read_bytes() for path in [*(part / "store").iterdir(), part / "extractor.safetensors"]}


@pytest.fixture(scope="module")
def whole(settings, photographs, tmp_path_factory):
    part = tmp_path_factory.mktemp("whole") / "features.part"
    return part, write(part, settings, photographs)


def test_each_photograph_has_the_regions_that_its_extractor_finds(whole, photographs):
    part, left_out = whole
    regions, extractor = RegionStore(part / "store"), load_extractor(part)
    assert regions.ids == IDS and regions.feature_width == extractor.feature_width
    assert list(left_out) == ["03", "15"] and "03.png: expected a photograph" in left_out["03"]
    for name in IDS:
        found = regions[name]
        if name in left_out:
            assert found.features.shape == (0, extractor.feature_width) and found.boxes.shape == (0, 4) and found.tags == ()
            continue
        expected = extractor.regions(PIL.Image.fromarray(photographs[name]))
        np.testing.assert_array_equal(found.features, expected.features.astype(np.float16))
        np.testing.assert_array_equal(found.boxes, expected.boxes)
        assert found.tags == expected.tags


def test_it_is_standardised_on_the_training_split_alone(whole):
    part, left_out = whole
    regions = RegionStore(part / "store")
    seen = np.concatenate([regions[name].features.astype(np.float64) for name in TRAIN if name not in left_out])
    np.testing.assert_allclose(seen.mean(axis=0), 0, atol=2e-3)
    alive = seen.std(axis=0) > 0
    assert alive.sum() > 8
    np.testing.assert_allclose(seen.std(axis=0)[alive], 1, atol=2e-3)
    others = np.concatenate([regions[name].features.astype(np.float64) for name in IDS[10:] if name not in left_out])
    assert np.abs(others.mean(axis=0)).max() > 0.05


def test_at_most_so_many_images_are_fitted_on(whole, settings, photographs, tmp_path, monkeypatch):
    monkeypatch.setattr(extractor_store, "FIT_IMAGES", 5)
    write(tmp_path / "some", settings, photographs)
    write(tmp_path / "same", settings, photographs, train=TRAIN[::2])
    assert files(tmp_path / "some") == files(tmp_path / "same") != files(whole[0])


def test_the_number_of_workers_changes_nothing(whole, settings, photographs, tmp_path):
    write(tmp_path / "part", settings, photographs, workers=3)
    assert files(tmp_path / "part") == files(whole[0])


@pytest.mark.parametrize("images", [0, 1, 7, 8, 13])
def test_killed_and_continued_is_the_same_as_uninterrupted(whole, settings, photographs, tmp_path, monkeypatch, images):
    monkeypatch.setattr(extractor_store, "CHECKPOINT_IMAGES", 4)
    part, real, opened = tmp_path / "features.part", extractor_store.RegionWriter.append, []

    def append(writer, *given):
        if len(writer.ids) == images:
            raise KeyboardInterrupt
        real(writer, *given)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(extractor_store.RegionWriter, "append", append)
        write(part, settings, photographs)
    saved = json.loads((part / PROGRESS).read_text())
    assert saved["images"] == images // 4 * 4
    for name, size in saved["files"].items():  # what had not been handed to the system is lost
        with (part / "store" / name).open("r+b") as file:
            file.truncate(size)
    left_out = write_photograph_regions(
        part, settings, lambda: opened.append(1), photographs, TRAIN, {"key": "key"}, 1, lambda done: None
    )
    assert not opened, "the extractor of the killed run goes on"
    assert files(part) == files(whole[0]) and left_out == whole[1]


def test_another_key_or_a_file_cut_short_begins_again(whole, settings, photographs, tmp_path):
    part = tmp_path / "features.part"
    shutil.copytree(whole[0], part)
    progress = json.loads((part / PROGRESS).read_text())
    assert progress["images"] == 0
    write(part, settings, photographs, key="other")
    assert files(part) == files(whole[0])
    (part / PROGRESS).write_text(json.dumps(progress | {"key": {"key": "other"}, "images": 9, "files": {"features.npy": 10**9}}))
    write(part, settings, photographs, key="other")
    assert files(part) == files(whole[0])


def test_a_photograph_that_the_system_does_not_hand_over_ends_the_run(settings, photographs, tmp_path):
    folder = tmp_path / "photographs"
    shutil.copytree(photographs.root, folder)
    pictures = PhotographStore(folder / "store")
    (folder / "12.png").unlink()
    with pytest.raises(InputError, match=r"12\.png: photograph not found"):
        write(tmp_path / "part", settings, pictures)
    shutil.copy(photographs.root / "12.png", folder)
    write(tmp_path / "part", settings, pictures)
    assert RegionStore(tmp_path / "part" / "store").ids == IDS


def test_squares_and_photographs_of_every_kind_are_read(settings, tmp_path):
    images = {
        "cmyk.jpg": photograph(1).convert("CMYK"),
        "grey16.png": PIL.Image.fromarray((np.arange(1600, dtype=np.uint16) * 40).reshape(40, 40)),
        "tiny.png": PIL.Image.new("RGB", (1, 1), (9, 99, 199)),
        "wide.png": photograph(2, 900, 2),
        "alpha.png": photograph(3).convert("RGBA"),
        "palette.gif": photograph(4).convert("P"),
    }
    for name, image in images.items():
        image.save(tmp_path / name)
    ids = list(images)
    write_photographs(tmp_path / "own", tmp_path, {name: name for name in ids})
    write_pixels(tmp_path / "squares", ids, read_squares([tmp_path / name for name in ids], 32), (32, 32))
    for number, pictures in enumerate((PhotographStore(tmp_path / "own"), PixelStore(tmp_path / "squares"))):
        part = tmp_path / f"part{number}"
        assert write(part, settings, pictures, train=ids) == {}
        regions = RegionStore(part / "store")
        for name in ids:
            found = regions[name]
            assert found.features.shape == (1, 16) and np.isfinite(found.features).all()
            np.testing.assert_array_equal(found.boxes, [[0, 0, 1, 1]])
