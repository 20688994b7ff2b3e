"""The import of features: the store is what a plain loop would write, whatever was killed; wrong input leaves nothing."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from vinvl_files import detect, write_features

from vldeformer.cli import main
from vldeformer.data.records import Regions
from vldeformer.data.regions import RegionStore, write_regions
from vldeformer.datasets import vinvl_store
from vldeformer.datasets.vinvl_features import read_features
from vldeformer.datasets.vinvl_store import PROGRESS

IMAGES = [detect(str(100 + number), boxes) for number, boxes in enumerate([3, 1, 7, 2, 1, 5, 4, 2])]
# The import as a program that ends itself without a word after some images; small check points, so that it has saved some.
KILLED = """
import os, sys
from pathlib import Path
from vldeformer.datasets import vinvl_features
from vldeformer.data.regions import RegionWriter
from vldeformer.datasets import vinvl_store
from vldeformer.datasets.vinvl_store import PROGRESS
from vldeformer.steps.import_features import import_features

source, out, images, workers = sys.argv[1:]
vinvl_features.BATCH_BYTES = vinvl_store.CHECKPOINT_BYTES = 30_000
vinvl_store.cpu_count = lambda: int(workers)
append = RegionWriter.append

def append_or_die(writer, *given):
    if len(writer.ids) == int(images):
        os.kill(os.getpid(), 9)
    append(writer, *given)

RegionWriter.append = append_or_die
import_features(Path(source), out=Path(out))
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_features(tmp_path_factory.mktemp("vinvl") / "download" / "model_0060000", IMAGES)


@pytest.fixture
def folder(written, tmp_path):
    return shutil.copytree(written, tmp_path / "download")


def run(*arguments):
    return main(["import-features", *map(str, arguments)])


def store_bytes(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in ("provenance.json", "digests.json")}


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("workers", [1, 4])
def test_the_store_has_the_bytes_that_a_plain_loop_writes(written, tmp_path, monkeypatch, dtype, workers):
    monkeypatch.setattr(vinvl_store, "cpu_count", lambda: workers)
    monkeypatch.setattr("vldeformer.datasets.vinvl_features.BATCH_BYTES", 30_000)
    items = [(image.id, Regions(image.features, image.boxes[:, :4], image.tags)) for image in IMAGES]
    write_regions(tmp_path / "plain", items, 2048, dtype)
    assert run(written, "--out", tmp_path / "store", "--dtype", dtype) == 0
    assert store_bytes(tmp_path / "store") == store_bytes(tmp_path / "plain")
    store = RegionStore(tmp_path / "store")
    assert store.features.nbytes == (25 * 2048 * 2 if dtype == "float16" else 25 * 2048 * 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain", "store"]


def test_it_says_where_the_store_came_from(written, tmp_path):
    assert run(written.parent, "--out", tmp_path / "store") == 0
    record = json.loads((tmp_path / "store" / "provenance.json").read_text())
    assert record["settings"]["bytes"]["features.tsv"] == (written / "features.tsv").stat().st_size
    assert record["settings"]["dtype"] == "float16" and set(record["inputs"]) == {"ids", "predictions"}


def test_tags_follow_their_images_through_another_order_of_predictions(tmp_path):
    write_features(tmp_path / "download", IMAGES, predictions_order=[3, 1, 7, 5, 0, 2, 4, 6])
    assert run(tmp_path / "download", "--out", tmp_path / "store") == 0
    store = RegionStore(tmp_path / "store")
    assert [store[image.id].tags for image in IMAGES] == [image.tags for image in IMAGES]


def killed(source, out, images, workers=2):
    """How an import that dies when ``images`` images are written ends, and what it has saved."""
    given = [sys.executable, "-c", KILLED, source, out, images, workers]
    code = subprocess.run([str(part) for part in given], timeout=60).returncode
    assert code == -signal.SIGKILL and not out.exists()
    return json.loads((out.with_name("store.part") / PROGRESS).read_text())["images"]


@pytest.fixture
def first_rows(monkeypatch):
    """The number of the row with which each import began to read features."""
    rows = []

    def read(*given):
        rows.append(given[-1])
        return read_features(*given)

    monkeypatch.setattr(vinvl_store, "read_features", read)
    return rows


@pytest.mark.parametrize("workers", [1, 3])
def test_a_killed_import_goes_on_and_ends_with_the_same_bytes(written, tmp_path, first_rows, workers):
    assert run(written, "--out", tmp_path / "whole") == 0
    saved = [killed(written, tmp_path / "store", images, workers) for images in (4, 7)]
    assert 0 < saved[0] <= 4 < saved[1] <= 7
    assert run(written, "--out", tmp_path / "store") == 0
    assert first_rows == [1, saved[1] + 1], "it goes on with the next row"
    assert store_bytes(tmp_path / "store") == store_bytes(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store", "whole"]


def touch(folder, part):
    (folder / "features.tsv").touch()


def shorten(folder, part):
    path = part / "boxes.npy"
    path.write_bytes(path.read_bytes()[:-1])


def lose(folder, part):
    (part / "tags.npy").unlink()


@pytest.mark.parametrize(("change", "dtype"), [(touch, "float16"), (shorten, "float16"), (lose, "float16"), (None, "float32")])
def test_an_import_of_something_else_or_with_lost_bytes_starts_again(folder, tmp_path, first_rows, change, dtype):
    assert killed(folder, tmp_path / "store", 7) > 0
    shutil.copytree(tmp_path / "store.part", tmp_path / "part")
    if change is not None:
        progress = json.loads((tmp_path / "store.part" / PROGRESS).read_text())
        for name, size in progress["files"].items():
            os.truncate(tmp_path / "store.part" / name, size)
        change(folder, tmp_path / "store.part")
    assert run(folder, "--out", tmp_path / "store", "--dtype", dtype) == 0
    assert run(folder, "--out", tmp_path / "whole", "--dtype", dtype) == 0
    assert first_rows == [1, 1]
    assert store_bytes(tmp_path / "store") == store_bytes(tmp_path / "whole")


def cut(text):
    return text[:-100]


def double(text):
    return text + text.splitlines(keepends=True)[0]


def more_objects(text):
    first, rest = text.split("\n", 1)
    name, value = first.split("\t")
    value = json.loads(value)
    value["objects"].append(value["objects"][0])
    return f"{name}\t{json.dumps(value)}\n{rest}"


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("features.tsv", cut, "features.tsv: row 8, image '107': 2 boxes take 21912 characters of base64, got 21813"),
        ("features.tsv", lambda text: text.replace("A", "!"), "features.tsv: row 1, image '100': expected base64"),
        ("features.tsv", double, "features.tsv: row 9, image '100': comes a second time, first in row 1"),
        ("predictions.tsv", cut, "predictions.tsv: row 8, image '107': expected JSON"),
        ("predictions.tsv", double, "predictions.tsv: row 9, image '100': comes a second time"),
        ("predictions.tsv", more_objects, "features.tsv: row 1, image '100': 3 boxes, but predictions.tsv lists 4 objects"),
        ("imageid2idx.json", lambda text: text.replace("107", "99"), "predictions.tsv: row 8, image '107': not in "),
        ("features.lineidx", double, "features.tsv: ends after row 8, features.lineidx lists 9 rows"),
        ("predictions.lineidx", lambda text: text.replace("0", "1", 1), "predictions.tsv: row 1, image '100': starts at byte 0"),
    ],
)
def test_wrong_input_is_named_and_leaves_the_older_store(folder, tmp_path, capsys, name, change, expected):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "provenance.json").touch()
    if not name.endswith(".lineidx"):
        for index in folder.glob("*.lineidx"):
            index.unlink()
    (folder / name).write_text(change((folder / name).read_text()))
    assert run(folder, "--out", tmp_path / "store") == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and errors[0].startswith(f"vldeformer: {folder}/") and expected in errors[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["download", "store"]
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["provenance.json"]


def test_a_full_disk_is_said_and_the_next_import_goes_on(written, tmp_path, capsys, monkeypatch, first_rows):
    assert run(written, "--out", tmp_path / "whole") == 0
    monkeypatch.setattr(vinvl_store, "CHECKPOINT_BYTES", 1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        assert run(written, "--out", tmp_path / "store") == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and str(tmp_path / "store") in errors[0]
    assert run(written, "--out", tmp_path / "store") == 0
    assert first_rows == [1, 1, 4]
    assert store_bytes(tmp_path / "store") == store_bytes(tmp_path / "whole")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here to read the highest memory from")
def test_an_import_streams(tmp_path):
    """200 MB through less than 150 MB of memory, the program's own included."""
    image = detect("0", 75)
    features = write_features(tmp_path / "download", [replace(image, id=str(row)) for row in range(4)]) / "features.tsv"
    text, images = image.base64, 250
    with features.open("w") as file:
        file.writelines(f"{row}\t75\t{text}\n" for row in range(images))
    objects = image.prediction_row.partition("\t")[2]
    (tmp_path / "download" / "predictions.tsv").write_text("".join(f"{row}\t{objects}\n" for row in range(images)))
    (tmp_path / "download" / "imageid2idx.json").write_text(json.dumps({str(row): row for row in range(images)}))
    for index in (tmp_path / "download").glob("*.lineidx"):
        index.unlink()
    assert features.stat().st_size > 200e6
    # What `resource` says would include this very process, from which the import is started.
    code = "import sys; from vldeformer.cli import main; print(main(sys.argv[1:])); print(open('/proc/self/status').read())"
    given = ["import-features", str(tmp_path / "download"), "--out", str(tmp_path / "store")]
    done = subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("0\n") and done.stderr == "", "and it says nothing where nobody looks on"
    assert int(done.stdout.split("VmHWM:")[1].split()[0]) < 150_000, "kB at the highest"
    np.testing.assert_array_equal(RegionStore(tmp_path / "store")["249"].features, image.features.astype(np.float16))
