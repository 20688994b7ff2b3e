"""`vldeformer evaluate` on anyone's files: the arguments of the public face, and what is refused."""

import json

import numpy as np
import oracles
import pytest

from vldeformer.cli import main
from vldeformer.evaluation.result import RetrievalResult


@pytest.fixture
def folder(tmp_path):
    """EMB_DIR of 12 images with one to six captions, in mixed order."""
    generator = np.random.default_rng(0)
    index = np.concatenate([np.arange(12), generator.integers(12, size=20)])
    generator.shuffle(index)
    images = generator.normal(size=(12, 16))
    captions = images[index] + generator.normal(size=(32, 16))
    arrays = {"images": images, "captions": captions}
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", (array / np.linalg.norm(array, axis=1, keepdims=True)).astype(np.float32))
    np.save(tmp_path / "caption_image_index.npy", index)
    ids = {"image_ids": [str(100 + row) for row in range(12)], "caption_ids": [f"c{row}" for row in range(32)]}
    for name, value in ids.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    return tmp_path


def arrays(folder, **changes):
    files = {"images": "images.npy", "captions": "captions.npy", "caption-image-index": "caption_image_index.npy"} | changes
    return [part for name, file in files.items() if file for part in (f"--{name}", str(folder / file))]


def evaluate(folder, *given, protocol="all"):
    return main(["evaluate", *given, "--protocol", protocol, "--out", str(folder / "out" / "RESULT.json")])


def refusal(folder, capsys, *given, protocol="all"):
    assert evaluate(folder, *given, protocol=protocol) == 2
    assert not (folder / "out").exists()
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    return errors[0]


def test_anyones_vectors_are_judged_as_the_loop_says(folder):
    assert evaluate(folder, *arrays(folder), "--dataset", "mine", "--experiment", "first") == 0
    value = json.loads((folder / "out" / "RESULT.json").read_text())
    assert (value["dataset"], value["experiment"], value["n_images"], value["n_captions"]) == ("mine", "first", 12, 32)
    images, captions, index = (np.load(folder / f"{name}.npy") for name in ("images", "captions", "caption_image_index"))
    table = oracles.cosine_table(images, captions)
    expected = oracles.ranks(table, *oracles.right_sets(index.tolist(), 12))
    for direction, ranks in zip(("i2t", "t2i"), expected, strict=True):
        recalls = [value[direction][f"R@{cutoff}"] for cutoff in (1, 5, 10)]
        assert recalls == pytest.approx([oracles.recall_at(ranks, cutoff) for cutoff in (1, 5, 10)])
        assert value[direction]["median_rank"] == np.median(ranks)
    loaded = RetrievalResult.load(folder / "out" / "RESULT.json")
    assert (loaded.ranks.i2t.tolist(), loaded.ranks.t2i.tolist()) == expected


def test_arrays_with_ids_are_a_folder_of_embeddings(folder):
    ids = {"image-ids": "image_ids.json", "caption-ids": "caption_ids.json"}
    results = []
    for given in (arrays(folder, **ids), ["--embeddings", str(folder)]):
        assert evaluate(folder, *given) == 0
        results.append((folder / "out" / "RESULT.ranks.parquet").read_bytes())
    assert results[0] == results[1]
    assert RetrievalResult.load(folder / "out" / "RESULT.json").image_ids[0] == "100"


def test_settings_are_read_for_arrays_too(folder):
    section = {"joint_images": 5, "bootstrap_samples": 150, "seed": 3}
    (folder / "settings.json").write_text(json.dumps({"evaluate": section}))
    assert evaluate(folder, *arrays(folder), "--settings", str(folder / "settings.json"), protocol="subset") == 0
    value = json.loads((folder / "out" / "RESULT.json").read_text())
    assert value["n_images"] == 5 and value["bootstrap"] == {"samples": 150, "confidence": 0.95, "seed": 3}


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((12, 16), np.float32), "images: row 0 ('0') has length 0, expected 1; normalise the vectors"),
        (np.zeros((12, 16), np.int8), "images: expected floats of unit length, got int8"),
        (np.full((12, 16), np.nan), "images: row 0 ('0') has length nan"),
        (np.full((12, 4), 0.5), "images have width 4 but captions 16"),
        (np.full((3, 16), 0.25), "points to image row"),
        (np.ones(12), "images: expected one vector a row, (rows, width), got shape (12,)"),
    ],
)
def test_wrong_vectors_are_refused_in_one_line_that_names_the_file(folder, capsys, array, message):
    np.save(folder / "images.npy", array)
    line = refusal(folder, capsys, *arrays(folder))
    assert message in line and str(folder / "images.npy") in line


def test_another_file_than_an_array_is_called_what_it_is(folder, capsys):
    (folder / "images.npy").write_text("0.1 0.2\n")
    line = refusal(folder, capsys, *arrays(folder))
    assert line == f"vldeformer: {folder / 'images.npy'}: expected a NumPy array file (.npy), got a text file"


def test_an_image_without_caption_is_named_with_the_file_that_says_so(folder, capsys):
    index = np.load(folder / "caption_image_index.npy")
    np.save(folder / "caption_image_index.npy", np.where(index == 3, 4, index))
    line = refusal(folder, capsys, *arrays(folder, **{"image-ids": "image_ids.json"}))
    assert (
        f"--caption-image-index {folder / 'caption_image_index.npy'}: " in line and "image row 3 ('103') has no caption" in line
    )


def test_files_that_do_not_go_together(folder, capsys):
    (folder / "image_ids.json").write_text(json.dumps(["1", "2"]))
    line = refusal(folder, capsys, *arrays(folder, **{"image-ids": "image_ids.json"}))
    assert "image_ids: expected an id for each of 12 vectors, got 2" in line
    assert "go with --images" in refusal(folder, capsys, "--embeddings", str(folder), "--captions", str(folder / "captions.npy"))
    assert "expects 5000 images, got 12" in refusal(folder, capsys, *arrays(folder), protocol="coco-5k")
    assert "is unknown; expected one of" in refusal(folder, capsys, *arrays(folder), protocol="coco")
    keys = folder / "test_img_keys_1k.tsv"
    keys.write_text("100\n999\n")
    line = refusal(folder, capsys, *arrays(folder), "--keys", str(keys), protocol="coco-1k-fixed")
    assert "keys: 2 of 2 images have no vector, the first is '100'" in line, "without ids the rows are the numbers"
