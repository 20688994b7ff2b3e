"""Files and folders appear whole or not at all."""

import os
import stat

import numpy as np
import pytest

from vldeformer.artifact import (
    load_array,
    map_array,
    read_json,
    read_texts,
    whole_file,
    whole_folder,
    write_array_header,
    write_json,
)
from vldeformer.errors import InputError


def test_a_file_appears_at_the_end_of_the_block(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with whole_file(path) as temporary:
        temporary.write_text("one")
        assert not path.exists() and temporary.parent == path.parent
    assert path.read_text() == "one"
    assert [item.name for item in path.parent.iterdir()] == ["file.txt"]


def test_an_error_leaves_the_older_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and [item.name for item in tmp_path.iterdir()] == ["file.txt"]


def test_a_folder_replaces_an_older_one_only_when_it_is_complete(tmp_path):
    folder = tmp_path / "folder"
    with whole_folder(folder) as temporary:
        (temporary / "provenance.json").write_text("1")
    with pytest.raises(KeyboardInterrupt), whole_folder(folder) as temporary:
        (temporary / "b").write_text("2")
        raise KeyboardInterrupt
    assert {item.name for item in folder.iterdir()} == {"provenance.json", "digests.json"}
    with whole_folder(folder) as temporary:
        (temporary / "b").write_text("2")
    assert {item.name for item in folder.iterdir()} == {"b", "digests.json"} and [item.name for item in tmp_path.iterdir()] == [
        "folder"
    ]


@pytest.mark.parametrize("name", ["folder", "folder/thesis.txt"])
def test_what_no_stage_has_written_is_never_replaced(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=f"{name}: expected a new or empty folder"), whole_folder(tmp_path / name):
        raise AssertionError("refused before anything is made")
    assert (tmp_path / "folder" / "thesis.txt").read_text() == "years of work"


def test_an_empty_folder_is_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / ".snakemake_timestamp").touch()
    with whole_folder(tmp_path / "folder") as temporary:
        (temporary / "new").touch()
    assert {item.name for item in (tmp_path / "folder").iterdir()} == {"new", "digests.json"}


def test_permissions_are_those_of_an_ordinary_file(tmp_path):
    before = os.umask(0o027)
    try:
        with whole_file(tmp_path / "file") as temporary:
            temporary.touch()
        with whole_folder(tmp_path / "folder"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o750


def test_json_of_the_same_value_is_the_same_bytes(tmp_path):
    write_json(tmp_path / "a.json", {"b": [1, 2.5], "a": "قطة"})
    write_json(tmp_path / "b.json", {"a": "قطة", "b": [1, 2.5]})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert read_json(tmp_path / "a.json") == {"a": "قطة", "b": [1, 2.5]} and "قطة" in (tmp_path / "a.json").read_text("utf-8")


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe\x00", b"[" * 100_000, b"1" * 5000])
def test_json_that_is_cut_or_none_is_refused(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json: expected JSON"):
        read_json(tmp_path / "a.json")
    with pytest.raises(InputError, match=r"b\.json: expected a JSON file, found none"):
        read_json(tmp_path / "b.json")


def test_an_array_is_written_piece_by_piece_as_numpy_would(tmp_path):
    array = np.arange(24, dtype=np.float16).reshape(6, 4)
    with (tmp_path / "a.npy").open("wb") as file:
        write_array_header(file, array.dtype, array.shape)
        for row in array:
            file.write(row.tobytes())
    np.save(tmp_path / "b.npy", array)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()
    mapped = map_array(tmp_path / "a.npy")
    assert isinstance(mapped, np.memmap) and np.array_equal(mapped, array)


@pytest.mark.parametrize("keep", [0, 60, 140])
def test_a_cut_array_is_refused(tmp_path, keep):
    np.save(tmp_path / "a.npy", np.arange(24))
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:keep])
    with pytest.raises(InputError, match=r"a\.npy: expected a NumPy array file"):
        map_array(tmp_path / "a.npy")
    with pytest.raises(InputError, match=r"b\.npy: expected an array file, found none"):
        map_array(tmp_path / "b.npy")


def test_an_array_is_read_into_memory_without_a_tie_to_its_file(tmp_path):
    array = np.arange(24, dtype=np.float16).reshape(6, 4)
    np.save(tmp_path / "a.npy", array)
    read = load_array(tmp_path / "a.npy")
    assert type(read) is np.ndarray and read.flags.owndata and np.array_equal(read, array)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "got an empty file"),
        ("ids of *عربي*\n".encode(), "got a text file"),
        (b"\xef\xbb\xbf1,2\r\n", "got a text file"),
        (("é" * 400).encode()[1:], "got another kind of file"),
        (b"x" + ("é" * 400).encode(), "got a text file"),
        (b"\x89PNG\r\n\x1a\n", "got another kind of file"),
        (b"PK\x03\x04", "got a zip archive"),
        (b"\x80\x04K\x01.", "got a pickle"),
        (b"\x93NUMPY\x01\x00v\x00{'descr'", "got one that is damaged, cut short or of Python objects; make it again"),
    ],
)
def test_what_is_no_array_is_called_what_it_is(tmp_path, content, expected):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_array(tmp_path / "a.npy")
    assert str(caught.value).startswith(f"{tmp_path / 'a.npy'}: expected a NumPy array file (.npy), {expected}")
    assert "pickle=" not in str(caught.value)


def test_python_objects_in_an_array_are_not_loaded(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}, None]), allow_pickle=True)
    with pytest.raises(InputError, match="of Python objects"):
        load_array(tmp_path / "a.npy")


@pytest.mark.parametrize(("value", "expected"), [({}, "got {}"), (None, "got None"), (["a", 5], "got 5 in place 1")])
def test_a_list_of_texts_is_nothing_else(tmp_path, value, expected):
    write_json(tmp_path / "a.json", ["a", "ب"])
    assert read_texts(tmp_path / "a.json") == ["a", "ب"]
    write_json(tmp_path / "a.json", value)
    with pytest.raises(InputError, match=r"a\.json: expected a list of texts, " + expected):
        read_texts(tmp_path / "a.json")
