"""Fetching a data set from the web: terms first, whole or not at all, nothing twice. The web is a server on this machine."""

import hashlib
import io
import json
import re
import zipfile
from dataclasses import replace

import pytest
from web_server import served

from vldeformer.cli import main
from vldeformer.datasets.public_datasets import PUBLIC_DATASETS
from vldeformer.errors import InputError
from vldeformer.steps.fetch import fetch_public


def annotations(name, folders=None):
    """Karpathy's file of four images: 2 / 1 / 1."""
    rows = []
    for number, split in enumerate(["train", "restval", "val", "test"]):
        sentences = [{"raw": f"caption {turn} of {number}"} for turn in range(5)]
        rows.append({"filename": f"{number}.jpg", "split": split, "sentences": sentences})
        if folders:
            rows[-1] |= {"filepath": folders[number % 2], "cocoid": number}
    return json.dumps({"images": rows, "dataset": name}).encode()


def packed(**members):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in members.items():
            bundle.writestr(name, content)
    return memory.getvalue()


CAPTIONS = packed(
    **{
        "dataset_coco.json": annotations("coco", ["train2014", "val2014"]),
        "dataset_flickr30k.json": annotations("flickr30k"),
        "dataset_flickr8k.json": annotations("flickr8k"),
    }
)
FILES = {
    "caption_datasets.zip": CAPTIONS,
    "train2014.zip": packed(**{"train2014/0.jpg": b"0", "train2014/2.jpg": b"2"}),
    "val2014.zip": packed(**{"val2014/1.jpg": b"1", "val2014/3.jpg": b"3"}),
    "Flickr8k_Dataset.zip": packed(**{f"Flicker8k_Dataset/{n}.jpg": b"x" for n in range(4)}, **{"__MACOSX/x": b"x"}),
}


def tiny(name):
    """The data set of the table with the sizes and hashes of the tiny archives in place of the real ones."""
    dataset = PUBLIC_DATASETS[name]
    archives = []
    for archive in dataset.archives:
        content = FILES[archive.url.rsplit("/", 1)[-1]]
        n_files = {"images/train2014": 2, "images/val2014": 2, "images": 4}.get(archive.target, 1)
        sha256 = f"sha256:{hashlib.sha256(content).hexdigest()}"
        archives.append(replace(archive, n_bytes=len(content), hash=sha256, n_files=n_files))
    return replace(dataset, archives=tuple(archives), splits={"train": 2, "val": 1, "test": 1})


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("vldeformer.datasets.downloads.ResumingDownload.__init__.__defaults__", (2, 0.0))
    with served() as running:
        running.files = dict(FILES)
        yield running


def refusal(server, name, out, **options):
    with pytest.raises(InputError) as caught:
        fetch_public(tiny(name), out, base_url=server.url, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def listed(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


COCO = ["dataset_coco.json", "images/train2014/0.jpg", "images/train2014/2.jpg", "images/val2014/1.jpg", "images/val2014/3.jpg"]


def test_the_table_is_well_formed():
    for name, dataset in PUBLIC_DATASETS.items():
        assert dataset.name == name and dataset.terms and sum(dataset.splits.values()) > 0
        for archive in dataset.archives:
            assert re.fullmatch(r"https?://[^ ]+\.zip", archive.url)
            assert re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", archive.hash)
    assert PUBLIC_DATASETS["coco"].splits == {"train": 113_287, "val": 5_000, "test": 5_000}
    assert PUBLIC_DATASETS["flickr30k"].splits == {"train": 29_000, "val": 1_014, "test": 1_000}


def test_coco_is_fetched_whole_and_once(server, tmp_path, capsys):
    server.cuts = [50]
    fetch_public(tiny("coco"), tmp_path / "coco", accepted=True, base_url=server.url)
    assert listed(tmp_path / "coco") == COCO
    assert "under CC BY 4.0" in capsys.readouterr().err, "the terms are shown although they are accepted"
    server.asked.clear()
    fetch_public(tiny("coco"), tmp_path / "coco", base_url=server.url)
    assert server.asked == [] and capsys.readouterr().err == f"coco: nothing to fetch, {tmp_path / 'coco'} is complete\n"


def test_flickr8k_comes_into_the_folder_of_its_settings(server, tmp_path):
    fetch_public(tiny("flickr8k"), tmp_path, accepted=True, base_url=server.url)
    assert listed(tmp_path) == ["dataset_flickr8k.json", *[f"images/{n}.jpg" for n in range(4)]]


def test_nothing_is_left_where_no_server_is(server, tmp_path):
    server.files = {}
    assert "the server answers 404" in refusal(server, "coco", tmp_path / "coco", accepted=True)
    assert list(tmp_path.iterdir()) == []


def test_captions_alone_then_the_rest(server, tmp_path):
    fetch_public(tiny("coco"), tmp_path, "annotations", True, server.url)
    assert listed(tmp_path) == COCO[:1] and [path for path, _ in server.asked] == ["/caption_datasets.zip"]
    fetch_public(tiny("coco"), tmp_path, accepted=True, base_url=server.url)
    assert listed(tmp_path) == COCO
    assert [path for path, _ in server.asked[1:]] == ["/train2014.zip", "/val2014.zip"]


def test_a_run_that_ends_in_the_middle_goes_on(server, tmp_path):
    del server.files["val2014.zip"]
    assert "val2014.zip: the server answers 404" in refusal(server, "coco", tmp_path, accepted=True)
    assert listed(tmp_path) == COCO[:3]
    server.files, server.asked = dict(FILES), []
    fetch_public(tiny("coco"), tmp_path, accepted=True, base_url=server.url)
    assert listed(tmp_path) == COCO and server.asked == [("/val2014.zip", None)]


def test_captions_alone_do_not_throw_away_what_has_come_of_the_photographs(server, tmp_path):
    server.cuts = [10**6, 40] + [0] * 9
    assert "train2014.zip: cut off" in refusal(server, "coco", tmp_path, accepted=True)
    kept = listed(tmp_path)
    assert "downloads/train2014.zip.part" in kept
    server.cuts = []
    (tmp_path / "downloads" / "tmp123").touch()
    (tmp_path / "images" / "val2014").mkdir(parents=True)  # not whole, and not asked for
    fetch_public(tiny("coco"), tmp_path, "annotations", True, server.url)
    assert listed(tmp_path) == kept


def test_photographs_on_a_form_are_asked_for(server, tmp_path):
    message = refusal(server, "flickr30k", tmp_path, accepted=True)
    assert "4 of 4 photographs are missing" in message and str(tmp_path / "images" / "0.jpg") in message
    assert "signed form, https://forms.illinois.edu/sec/229675" in message
    assert listed(tmp_path) == ["dataset_flickr30k.json"]
    fetch_public(tiny("flickr30k"), tmp_path, "annotations")
    (tmp_path / "images").mkdir()
    for number in range(4):
        (tmp_path / "images" / f"{number}.jpg").touch()
    fetch_public(tiny("flickr30k"), tmp_path)


def test_terms_must_be_accepted_before_anything_is_asked_of_a_server(server, tmp_path, capsys, monkeypatch):
    assert "add --accept-terms" in refusal(server, "coco", tmp_path)
    assert "belong to their" in capsys.readouterr().err
    for answer, accepts in (("no", False), ("", False), ("Yes", True)):
        typed = io.StringIO(f"{answer}\n")
        typed.isatty = lambda: True
        monkeypatch.setattr("sys.stdin", typed)
        if accepts:
            fetch_public(tiny("coco"), tmp_path, base_url=server.url)
        else:
            assert "the terms of use are not accepted, nothing was fetched" in refusal(server, "coco", tmp_path)
            assert server.asked == [] and listed(tmp_path) == []
    assert listed(tmp_path) == COCO


def test_other_splits_than_the_published_ones_are_refused(server, tmp_path):
    dataset = replace(tiny("flickr8k"), splits={"train": 3, "val": 1, "test": 1})
    with pytest.raises(InputError, match=r"expected 3 train / 1 val / 1 test images, found 2 train / 1 val / 1 test"):
        fetch_public(dataset, tmp_path, accepted=True, base_url=server.url)


def test_a_folder_of_somebody_is_not_touched(server, tmp_path):
    mine = tmp_path / "images" / "train2014" / "mine.jpg"
    mine.parent.mkdir(parents=True)
    mine.touch()
    assert "expected 2 files, found 1; move it away and fetch again" in refusal(server, "coco", tmp_path, accepted=True)
    assert listed(tmp_path) == ["images/train2014/mine.jpg"] and server.asked == []


@pytest.mark.parametrize("name", sorted(PUBLIC_DATASETS))
def test_the_command_shows_the_terms_and_stops(tmp_path, capsys, name):
    assert main(["fetch", name, "--out", str(tmp_path / "out")]) == 2
    *terms, last = capsys.readouterr().err.splitlines()
    assert terms == PUBLIC_DATASETS[name].terms.splitlines()
    assert last == f"vldeformer: {name}: read the terms of use above and add --accept-terms if you accept them"
    assert list(tmp_path.iterdir()) == []


def test_scenes_without_settings_are_those_of_config(tmp_path, monkeypatch, capsys, config):
    monkeypatch.chdir(config.parent)
    path = config / "datasets" / "scenes.yaml"
    path.write_text(re.sub(r"_images: \d+", "_images: 3", path.read_text()))
    assert main(["fetch", "scenes"]) == 0
    assert len((config.parent / "data/scenes/scenes.jsonl").read_text().splitlines()) == 12
    monkeypatch.chdir(tmp_path.parent)
    assert main(["fetch", "scenes", "--out", str(tmp_path / "scenes.jsonl")]) == 2
    assert "expected the file config/datasets/scenes.yaml, found none" in capsys.readouterr().err
