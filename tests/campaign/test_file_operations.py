"""Every file operation of `artifact.py` and of the index, killed: the same command goes on, and nothing is lost."""

import numpy as np
import pytest
from search.conftest import picture

from campaign.kills import kills
from vldeformer.artifact import finish_part, read_json, whole_file, whole_folder, whole_parts, write_json
from vldeformer.folder_lock import folder_lock
from vldeformer.project.verification import faults_below
from vldeformer.search.index import SearchIndex
from vldeformer.search.writing import index_images, remove_images


def hidden(folder):
    return sorted(path.name for path in folder.rglob(".*"))


def write_folder(folder, value):
    with whole_folder(folder) as made:
        write_json(made / "ids.json", value)
        np.save(made / "vectors.npy", np.full(3, len(value)))
        with whole_folder(made / "inner") as inner:
            (inner / "encoder.json").write_text("{}")


def write_from_part(folder, value):
    """As a step does whose killed runs are continued."""
    part = folder.with_name(f"{folder.name}.part")
    with folder_lock(folder):
        part.mkdir(exist_ok=True)
        (part / ".progress.json").write_text("{}")
        write_json(part / "ids.json", value)
        finish_part(part, folder)
        (folder / ".progress.json").unlink()


def write_parts(folder, value):
    with whole_parts(folder) as made:
        write_json(made / "metrics.json", value)
        (made / "tables").mkdir()
        write_json(made / "tables" / "recall.json", value)
        write_json(made / "report.provenance.json", {"made": value})


@pytest.mark.parametrize("write", [write_folder, write_from_part], ids=["whole", "continued"])
@pytest.mark.parametrize("older", [False, True], ids=["new", "replaced"])
def test_a_folder(tmp_path, write, older):
    def prepare(place):
        folder = tmp_path / str(place) / "made"
        folder.parent.mkdir()
        if older:
            write(folder, ["old"])
        return folder

    def check(folder):
        if folder.exists():
            assert read_json(folder / "ids.json") in (["old"], ["new", "one"])
            assert not [line for fault, line in faults_below(folder) if fault]
        elif older:
            assert read_json(folder.with_name(".made.old") / "ids.json") == ["old"], "the older result is lost"
        write(folder, ["new", "one"])
        assert read_json(folder / "ids.json") == ["new", "one"] and not hidden(folder.parent)
        assert [item.name for item in folder.parent.iterdir()] == ["made"]

    assert kills(lambda folder: write(folder, ["new", "one"]), prepare, check) > 10


def test_a_file(tmp_path):
    def write(path, text):
        with whole_file(path) as temporary:
            temporary.write_text(text)

    def prepare(place):
        path = tmp_path / str(place) / "result.json"
        write(path, "old")
        return path

    def check(path):
        assert path.read_text() in ("old", "new")
        write(path, "new")
        assert path.read_text() == "new" and [item.name for item in path.parent.iterdir()] == ["result.json"]

    assert kills(lambda path: write(path, "new"), prepare, check) >= 5


def test_parts_of_a_folder(tmp_path):
    def prepare(place):
        folder = tmp_path / str(place)
        write_parts(folder, ["old"])
        (folder / "base").mkdir()
        return folder

    def check(folder):
        if (folder / "report.provenance.json").is_file():
            made = read_json(folder / "report.provenance.json")["made"]
            assert read_json(folder / "metrics.json") == read_json(folder / "tables" / "recall.json") == made
        write_parts(folder, ["new"])
        assert read_json(folder / "tables" / "recall.json") == ["new"] and (folder / "base").is_dir() and not hidden(folder)

    assert kills(lambda folder: write_parts(folder, ["new"]), prepare, check) > 15


def test_an_index(tmp_path, model_folder, monkeypatch):
    monkeypatch.setattr("vldeformer.search.writing.SHARD_IMAGES", 2)
    photos, model = tmp_path / "photos", model_folder("squares")
    photos.mkdir()
    for number in range(3):
        picture(number).save(photos / f"{number}.png")

    def prepare(place):
        index = tmp_path / f"index-{place}"
        if place % 2:
            index_images(model, photos, index, structure="sq8")
            remove_images(index, ["1.png"])
            (photos / "2.png").touch()
        return index

    def check(index):
        report = index_images(model, photos, index, structure="sq8")
        assert report.images in (2, 3)
        names = {name for ids, _ in SearchIndex.open(index).parts() for name in ids}
        assert {"0.png", "2.png"} <= names and not [line for fault, line in faults_below(index) if fault]
        assert [path.name for path in index.glob(".*") if path.name != ".lock"] == []

    assert kills(lambda index: index_images(model, photos, index, structure="sq8"), prepare, check) > 40
