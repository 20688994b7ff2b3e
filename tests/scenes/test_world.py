"""The world as a whole: reproducible bytes, no scene twice, everything said is true."""

import hashlib
import itertools
from collections import Counter

import pytest

from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.scenes.layout import coarse_key
from vldeformer.scenes.records import Scene, read_scenes
from vldeformer.scenes.world import generate_scenes, scene_manifest, write_scenes
from vldeformer.scenes.world_settings import SceneSettings

SETTINGS = SceneSettings(pretrain_images=120, train_images=40, val_images=10, test_images=20, image_size=96, seed=1)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return list(generate_scenes(SETTINGS))


def test_ids_and_splits(scenes):
    assert Counter(scene.split for scene in scenes) == {"pretrain": 120, "train": 40, "val": 10, "test": 20}
    assert scenes[0].id == "pretrain-000000"
    assert scenes[120].id == "train-000000"
    assert scenes[-1].id == "test-000019"


def test_same_seed_same_bytes_for_ever(tmp_path):
    """The digest is written down: a change of it changes the data set, on whatever machine it shows."""
    write_scenes(tmp_path / "scenes.jsonl", SETTINGS)
    content = (tmp_path / "scenes.jsonl").read_bytes()
    assert hashlib.sha256(content).hexdigest() == "4e4de7956255a2f9fba10f2fc762fd9cc5a7ba5a496948a3340a80fd98258fc0"


def test_another_seed_is_another_world(scenes):
    other = SETTINGS.model_copy(update={"seed": 2})
    assert next(generate_scenes(other)).objects != scenes[0].objects


def test_no_scene_occurs_twice(scenes):
    keys = [coarse_key(scene.objects) for scene in scenes]
    assert len(set(keys)) == len(keys)


def test_twins_differ_in_two_objects_only(scenes):
    twins = 0
    for before, scene in itertools.pairwise(scenes):
        places = [(o.x, o.y) for o in scene.objects]
        if places == [(o.x, o.y) for o in before.objects]:
            twins += 1
            changed = [n for n, (a, b) in enumerate(zip(before.objects, scene.objects, strict=True)) if a != b]
            assert len(changed) == 2
            assert Counter(o.colour for o in scene.objects) == Counter(o.colour for o in before.objects)
            assert Counter(o.shape for o in scene.objects) == Counter(o.shape for o in before.objects)
    assert twins >= 0.08 * len(scenes)


def test_manifest(scenes, tmp_path):
    manifest = scene_manifest(scenes)
    assert manifest.splits == {"pretrain": 120, "train": 40, "val": 10, "test": 20}
    assert manifest.captions[7].id == "pretrain-000001#2"
    assert manifest.captions[7].text == scenes[1].captions[2].text
    manifest.save(tmp_path / "manifest.json")
    assert Manifest.load(tmp_path / "manifest.json") == manifest


def test_read_gives_back_what_was_written(scenes, tmp_path):
    path = tmp_path / "scenes.jsonl"
    write_scenes(path, SETTINGS)
    assert read_scenes(path) == scenes


def test_truncated_file_names_file_and_line(tmp_path):
    path = tmp_path / "scenes.jsonl"
    write_scenes(path, SETTINGS)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"\n") + 40])
    with pytest.raises(InputError, match=r"scenes\.jsonl, line 2: .*cut short"):
        read_scenes(path)


HEAD = '{"id":"a","split":"test","background":[0,1,2,3],'


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[]",
        "not json",
        HEAD + '"objects":[["small pink star",1,2,3]],"captions":[]}',
        HEAD + '"objects":[],"captions":[]}',
        HEAD + '"objects":[["small red star",1,2,3]],"captions":[["a star","1s"]]}',
        HEAD + '"objects":[["small red star",1,2,3]],"captions":[["a star","0x"]]}',
        HEAD + '"objects":[["small red star",1,2,3]],"captions":[["a star","0s left:0,1"]]}',
        HEAD + '"objects":[["small red star",1,2,3]],"captions":[["a star","0s under:0,0"]]}',
        HEAD + '"objects":[["small red star",1,2,3]],"captions":[[5,"0s"]]}',
    ],
)
def test_damaged_line_is_refused(tmp_path, line):
    path = tmp_path / "scenes.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(InputError, match=r"scenes\.jsonl, line 1"):
        read_scenes(path)


def test_missing_and_empty_file(tmp_path):
    with pytest.raises(InputError, match="found no file"):
        read_scenes(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(InputError, match="empty"):
        read_scenes(tmp_path / "empty.jsonl")
