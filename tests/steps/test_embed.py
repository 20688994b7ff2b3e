"""`embed --shard` and `gather`: the files of `embed`, byte for byte, and one line about shards that do not belong together."""

import json
import shutil

import pytest
from older_files import forget

from vldeformer.cli import main

FILES = ("images.npy", "captions.npy", "caption_image_index.npy", "image_ids.json", "caption_ids.json")


@pytest.fixture(scope="module")
def shards(trained, command, write_settings, tmp_path_factory):
    """Three shares of two batches (one of images, one of captions): the last has nothing to do."""
    root, settings = tmp_path_factory.mktemp("shards"), write_settings()
    for number in (1, 2, 3):
        model = ("--model", trained.dual / "model")
        assert command("embed", settings, root / str(number), *model, "--shard", f"{number}/3") == 0
    return root


def gather(out, *folders):
    return main(["gather", *map(str, folders), "--out", str(out)])


def test_gathered_shards_are_the_files_of_embed(trained, shards, tmp_path):
    assert gather(tmp_path / "all", shards / "3", shards / "1", shards / "2") == 0
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == sorted([*FILES, "provenance.json", "digests.json"])
    for name in FILES:
        assert (tmp_path / "all" / name).read_bytes() == (trained.embed / name).read_bytes(), name


def test_gathered_vectors_say_what_made_them(trained, shards, tmp_path):
    assert gather(tmp_path / "all", shards / "1", shards / "2", shards / "3") == 0
    whole, joined = (json.loads((folder / "provenance.json").read_text()) for folder in (trained.embed, tmp_path / "all"))
    assert (joined["inputs"], joined["settings"]) == (whole["inputs"], whole["settings"])
    assert joined["shards"].keys() == {"1/3", "2/3", "3/3"}
    assert joined["shards"]["2/3"]["machine"] == whole["machine"]


def changed(shards, tmp_path, change):
    """A copy of share 2 whose provenance is another."""
    folder = tmp_path / "changed"
    forget(shutil.copytree(shards / "2", folder))
    made = json.loads((folder / "provenance.json").read_text())
    change(made)
    (folder / "provenance.json").write_text(json.dumps(made))
    return folder


def test_one_line_says_what_is_wrong_and_nothing_is_written(shards, tmp_path, capsys):
    other_model = changed(shards, tmp_path / "a", lambda made: made["inputs"]["model"].update(sha256="0"))
    other_split = changed(shards, tmp_path / "b", lambda made: made["settings"].update(split="val"))
    no_layout = changed(shards, tmp_path / "c", lambda made: made.pop("inputs"))
    capsys.readouterr()
    for given, message in [
        (["1", "3"], "share 2/3 is missing; give each of the 3 shares once"),
        (["1", other_model, "3"], f"{other_model}: its model is not that of {shards / '1'}"),
        (["1", other_split, "3"], f"{other_split}: its setting split is not that of {shards / '1'}"),
        (["1", no_layout, "3"], f"{no_layout / 'provenance.json'}: expected settings and inputs"),
        (["1", "2", "none"], f"{shards / 'none'}: expected a folder of `vldeformer embed --shard`"),
    ]:
        assert gather(tmp_path / "all", *(shards / part for part in given)) == 2
        told = capsys.readouterr().err
        assert message in told and told.count("\n") == 1
        assert not (tmp_path / "all").exists()


def test_a_share_that_is_not_there_is_refused_before_anything_is_read(trained, command, write_settings, tmp_path, capsys):
    model = ("--model", trained.dual / "model")
    assert command("embed", write_settings(), tmp_path / "out", *model, "--shard", "4/3") == 2
    assert "share 4/3: expected NUMBER/OF with a number from 1 to 3, such as 3/3" in capsys.readouterr().err
