"""The import of captions, as a command."""

from pathlib import Path

import pytest
from vinvl_files import write_captions

from vldeformer.cli import main
from vldeformer.data.manifest import Manifest

CAPTIONS = {number: [f"image {number}, caption {caption}" for caption in range(6)] for number in (30, 10, 20)}


def run(captions, keys, out):
    return main(["import-captions", str(captions), "--keys", str(keys), "--split", "val", "--out", str(out)])


def test_the_manifest_has_the_split_and_the_name_of_the_download(tmp_path):
    out = tmp_path / "made" / "manifest.json"
    assert run(*write_captions(tmp_path / "coco_ir", CAPTIONS), out) == 0
    manifest = Manifest.load(out)
    assert (manifest.dataset, manifest.splits) == ("coco_ir", {"val": 3})
    assert [image.id for image in manifest.images] == ["30", "10", "20"] and len(manifest.captions) == 15


@pytest.mark.parametrize("split", ["banana", "", "restval"])
def test_another_split_is_refused(tmp_path, capsys, split):
    captions, keys = write_captions(tmp_path / "coco_ir", CAPTIONS)
    given = ["--keys", str(keys), "--split", split, "--out", str(tmp_path / "m.json")]
    assert main(["import-captions", str(captions), *given]) == 2
    assert f"--split: expected one of train, val, test, got {split!r}" in capsys.readouterr().err
    assert not (tmp_path / "m.json").exists()


@pytest.mark.parametrize("name", ["test_captions.pt", "test_img_keys.tsv"])
def test_wrong_input_is_named_and_leaves_nothing(tmp_path, capsys, name):
    captions, keys = write_captions(tmp_path / "coco_ir", CAPTIONS)
    (tmp_path / "coco_ir" / name).write_bytes(b"nothing of that kind")
    assert run(captions, keys, tmp_path / "manifest.json") == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and errors[0].startswith(f"vldeformer: {Path(captions).parent / name}: ")
    assert [path.name for path in tmp_path.iterdir()] == ["coco_ir"]
