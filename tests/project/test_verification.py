"""`vldeformer verify`: every change of a stored file is a line, and nothing else is."""

import json
import random
import shutil

import numpy as np
import pytest
from older_files import forget
from search.conftest import stored_index

from vldeformer.cli import main
from vldeformer.project.verification import faults_below


def lines(path):
    found = [*faults_below(path)]
    return [line for fault, line in found if fault], [line for fault, line in found if not fault]


def unit(rows, seed=0):
    drawn = np.random.default_rng(seed).standard_normal((rows, 8), dtype=np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@pytest.fixture
def stored(tiny, tmp_path):
    """A prepared world with its regions, and an index."""
    tree = tmp_path / "tree"
    for name in ("prepare", "features"):
        shutil.copytree(getattr(tiny, name), tree / name)
    shutil.copy(tiny.tokenizer, tree / "tokenizer.json")
    shutil.copy(tiny.tokenizer.with_name("tokenizer.provenance.json"), tree / "tokenizer.provenance.json")
    stored_index(tree / "index", [unit(5), unit(4, 1)], removed=(3,))
    return tree


def test_whole_files_are_no_fault(stored, capsys):
    assert lines(stored) == ([], [])
    assert main(["verify", str(stored)]) == 0
    assert capsys.readouterr().out == f"{stored}: no fault found\n"


def test_every_changed_or_missing_file_is_one_line_and_exit_code_1(stored, capsys):
    drawn, files = random.Random(3), [path for path in stored.rglob("*") if path.is_file()]
    files = [path for path in files if path.name != "tokenizer.provenance.json"]
    assert len(files) > 20
    for path in files:
        content = bytearray(path.read_bytes())
        place = drawn.randrange(len(content))
        content[place] ^= 1 << drawn.randrange(8)
        whole = path.read_bytes()
        path.write_bytes(content)
        faults, _ = lines(stored)
        assert len(faults) >= 1 and any(str(path.parent) in line for line in faults), path
        assert all("\n" not in line for line in faults)
        path.write_bytes(whole)
    (stored / "features" / "store" / "boxes.npy").unlink()
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(stored)])
    assert ended.value.code == 1
    assert capsys.readouterr().out == f"{stored / 'features/store/boxes.npy'}: is missing, though it was written here\n"


def test_what_has_no_digests_says_so_and_is_no_fault(stored):
    forget(stored)
    contents = json.loads(forget(stored / "index" / "contents.json").read_text())
    for shard in contents["shards"]:
        for name in ("sha256", "vectors_xxh3", "items_xxh3"):
            del shard[name]
    (stored / "index" / "contents.json").write_text(json.dumps(contents))
    faults, notes = lines(stored)
    assert not faults
    assert {line.partition(":")[0] for line in notes} >= {str(stored / name) for name in ("index", "prepare", "features/store")}
    assert all("no digests" in line for line in notes)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda value: value | {"removed": [9]}, "removed row 9 is none of 9"),
        (lambda value: value | {"shards": [{"name": "../../etc", "rows": 3}]}, "shards.0.name"),
        (lambda value: value | {"structure": {"kind": "pq4", "file": "pq4-20.faiss", "rows": 20}}, "covers 20 rows of 9"),
    ],
)
def test_an_index_that_names_what_cannot_be_there_is_refused(stored, change, expected):
    path = forget(stored / "index" / "contents.json")
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    (fault,), _ = lines(stored / "index")
    assert fault.startswith(str(path)) and expected in fault


@pytest.mark.parametrize(("row", "expected"), [(np.full(8, np.nan), "length nan"), (np.full(8, 1000.0), "length 2828")])
def test_a_vector_of_another_length_in_an_older_index_is_named(tmp_path, row, expected):
    vectors = unit(5)
    vectors[2] = row
    folder = stored_index(tmp_path / "index", [vectors])
    (fault,), _ = lines(folder)
    assert "row 2 ('2')" in fault and expected in fault
