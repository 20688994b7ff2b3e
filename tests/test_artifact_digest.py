"""The digest of a file or folder, and when the one that was kept beside it holds."""

import hashlib
import os

import pytest

from vldeformer import content_digest
from vldeformer.content_digest import digest


def test_digest_is_of_content_and_names(tmp_path):
    (tmp_path / "one").write_bytes(b"1")
    assert digest(tmp_path / "one") == hashlib.sha256(b"1").hexdigest()
    folders = [tmp_path / name for name in ("a", "b")]
    for folder, order in zip(folders, [("x", "y"), ("y", "x")], strict=True):
        (folder / "sub").mkdir(parents=True)
        for name in order:
            (folder / "sub" / name).write_text(name)
    assert digest(folders[0]) == digest(folders[1])
    before = digest(folders[0])
    (folders[0] / ".hidden").write_text("1")
    for name in ("provenance.json", "README.md"):
        (folders[0] / name).write_text("{}")
    assert digest(folders[0]) == before, "hidden files, the record and the card are no content"
    (folders[0] / "sub" / "x").rename(folders[0] / "sub" / "z")
    renamed = digest(folders[0])
    (folders[0] / "sub" / "z").write_text("other")
    assert len({before, renamed, digest(folders[0])}) == 3


def plain_digest(folder):
    """What `digest` is of a folder, by a plain loop over its files."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and path.name != "provenance.json":
            total.update(f"{path.relative_to(folder).as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A folder that counts as large and has not changed for a while, and the times that its content was read."""
    folder = tmp_path / "store"
    (folder / "sub").mkdir(parents=True)
    for name in ("a", "b", "sub/c"):
        (folder / name).write_text(name)
    reads = []
    plain = content_digest.file_digest
    monkeypatch.setattr(content_digest, "file_digest", lambda path: reads.append(path.name) or plain(path))
    monkeypatch.setattr(content_digest, "REMEMBERED_BYTES", 1)
    monkeypatch.setattr(content_digest, "SETTLED_NS", -1)
    return folder, reads


def test_a_large_folder_is_read_once(store):
    folder, reads = store
    assert digest(folder) == plain_digest(folder) and sorted(reads) == ["a", "b", "c"]
    assert digest(folder) == plain_digest(folder) and len(reads) == 3
    assert {path.name for path in folder.rglob("*")} == {"a", "b", "sub", "c"}, "nothing is written into it"
    assert (folder.parent / ".store.digest.json").is_file()


def edit(folder):
    (folder / "a").write_text("A")


def edit_in_the_same_time(folder):
    before = (folder / "a").stat()
    (folder / "a").write_text("A")
    os.utime(folder / "a", ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by_a_copy(folder):
    before = (folder / "a").stat()
    (folder / "other").write_text("A")
    os.utime(folder / "other", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(folder / "other", folder / "a")


def add(folder):
    (folder / "sub" / "d").touch()


def remove(folder):
    (folder / "b").unlink()


def rename(folder):
    (folder / "b").rename(folder / "z")


@pytest.mark.parametrize("change", [edit, edit_in_the_same_time, replace_by_a_copy, add, remove, rename])
def test_a_large_folder_that_changed_is_read_again(store, change):
    folder, _ = store
    before = digest(folder)
    change(folder)
    assert digest(folder) == plain_digest(folder) != before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": 3}'])
def test_a_damaged_note_of_a_digest_is_not_trusted(store, text):
    folder, _ = store
    digest(folder)
    (folder.parent / ".store.digest.json").write_text(text)
    assert digest(folder) == plain_digest(folder)


def test_what_has_just_changed_is_not_remembered(store, monkeypatch):
    folder, _ = store
    monkeypatch.setattr(content_digest, "SETTLED_NS", 3600 * 10**9)
    assert digest(folder) == plain_digest(folder) and not (folder.parent / ".store.digest.json").exists()


def test_a_large_file_is_read_once(store):
    folder, reads = store
    assert digest(folder / "a") == digest(folder / "a") == hashlib.sha256(b"a").hexdigest() and reads == ["a"]
