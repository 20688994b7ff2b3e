"""What was written is what is read: any flipped bit of a stored file is refused, and what has no digest is read as it is."""

import hashlib
import json
import random

import numpy as np
import pytest
from older_files import forget

from vldeformer.artifact import load_array, read_json, whole_folder, write_json
from vldeformer.errors import InputError
from vldeformer.stored_digests import DIGESTS, REST, check_stored, listed, recorded, seal

NOT_WRITTEN = "its content is not what was written here"


def flipped(content, bit):
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.fixture
def folder(tmp_path):
    with whole_folder(tmp_path / "made") as temporary:
        np.save(temporary / "vectors.npy", np.arange(12, dtype=np.float32))
        write_json(temporary / "ids.json", ["a", "b"])
        with whole_folder(temporary / "model") as inner:
            (inner / "weights").write_bytes(b"weights")
        (temporary / "model" / "extractor").write_bytes(b"came later")
        (temporary / "plots").mkdir()
        (temporary / "plots" / "one.tsv").write_text("1")
        (temporary / ".hidden").write_text("no content")
        (temporary / "README.md").write_text("for people")
    return tmp_path / "made"


def test_every_file_is_in_the_list_of_the_nearest_folder_that_has_one(folder):
    def sha256(name):
        return hashlib.sha256((folder / name).read_bytes()).hexdigest()

    outer = ("ids.json", "vectors.npy", "plots/one.tsv", "model/digests.json")
    assert listed(folder) == {name: sha256(name) for name in outer}
    assert listed(folder / "model") == {name: sha256(f"model/{name}") for name in ("weights", "extractor")}
    for name in (*outer[:3], "model/weights", "model/extractor"):
        assert recorded(folder / name) == sha256(name)
    assert recorded(folder / "README.md") is None


def test_every_flipped_bit_of_json_and_arrays_is_refused(folder):
    drawn = random.Random(1)
    for name, read in (("ids.json", read_json), ("vectors.npy", load_array)):
        content = (folder / name).read_bytes()
        for bit in drawn.sample(range(8 * len(content)), 40):
            (folder / name).write_bytes(flipped(content, bit))
            with pytest.raises(InputError, match=name):
                read(folder / name)
        (folder / name).write_bytes(content)
        read(folder / name)


def test_a_number_that_changed_without_a_fault_of_form_is_named(folder):
    np.save(folder / "vectors.npy", np.arange(12, dtype=np.float32) + 1)
    with pytest.raises(InputError, match=f"vectors.npy: {NOT_WRITTEN}.*make it again"):
        load_array(folder / "vectors.npy")
    (folder / "model" / "weights").write_bytes(b"Weights")
    with pytest.raises(InputError, match=f"weights: {NOT_WRITTEN}"):
        check_stored(folder / "model" / "weights")


def test_an_older_folder_is_read_without_a_comparison(folder):
    forget(folder)
    np.save(folder / "vectors.npy", np.zeros(3))
    assert load_array(folder / "vectors.npy").tolist() == [0, 0, 0]


@pytest.mark.parametrize("content", ["", "[]", '{"ids.json": 3}'])
def test_a_damaged_list_is_named(folder, content):
    (folder / DIGESTS).write_text(content)
    with pytest.raises(InputError, match=r"digests\.json: expected"):
        read_json(folder / "ids.json")


def test_a_sealed_file_says_itself_whether_it_is_whole(tmp_path):
    value = {"b": [1.5, 1e-9], "a": "قطة"}
    write_json(tmp_path / "sealed.json", value, seal_it=True)
    assert read_json(tmp_path / "sealed.json") == value
    changed = json.loads((tmp_path / "sealed.json").read_text("utf-8"))
    (tmp_path / "sealed.json").write_text(json.dumps(changed | {"b": [1.5, 1e-8]}))
    with pytest.raises(InputError, match=f"sealed.json: {NOT_WRITTEN}"):
        read_json(tmp_path / "sealed.json")
    (tmp_path / "sealed.json").write_text(json.dumps({name: item for name, item in changed.items() if name != REST}))
    assert read_json(tmp_path / "sealed.json") == value, "an older one has no seal"


def test_a_list_is_brought_up_to_date_without_reading_what_it_holds(folder):
    before = listed(folder)
    (folder / "vectors.npy").write_bytes(b"damaged meanwhile")
    (folder / "new").write_bytes(b"1")
    seal(folder)
    assert listed(folder) == before | {"new": hashlib.sha256(b"1").hexdigest()}
