"""The files of a VinVL download and their rows: found, in step with each other, and refused in one line where they are not."""

import json
import shutil

import pytest
from vinvl_files import detect, write_features

from vldeformer.datasets.vinvl_rows import open_vinvl, read_rows
from vldeformer.errors import InputError

IMAGES = [detect(name, boxes) for name, boxes in (("17", 2), ("5", 1), ("00000042", 3))]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_features(tmp_path_factory.mktemp("vinvl") / "download" / "model_0060000", IMAGES)


@pytest.fixture
def folder(written, tmp_path):
    return shutil.copytree(written, tmp_path / "download" / "model_0060000")


def refusal(read, *given):
    with pytest.raises(InputError) as caught:
        read(*given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_ids_stand_in_the_order_of_their_rows(folder):
    (folder / "imageid2idx.json").write_text('{"00000042": 2, "17": 0, "5": 1}')
    assert open_vinvl(folder).ids == ("17", "5", "42")
    assert open_vinvl(folder.parent) == open_vinvl(folder), "the folder above will do"


@pytest.mark.parametrize("lineidx", [True, False])
def test_rows_are_the_lines_of_the_file(folder, lineidx):
    path = folder / "features.tsv"
    if not lineidx:
        path.with_suffix(".lineidx").unlink()
    lines = path.read_bytes().split(b"\n")[:-1]
    rows = list(read_rows(path, 3))
    assert [[row.second, row.last] for row in rows] == [line.split(b"\t")[1:] for line in lines]
    assert [(row.number, row.image_id) for row in rows] == [(1, "17"), (2, "5"), (3, "42")]
    assert [path.read_bytes()[row.start : row.end] for row in rows] == [line + b"\n" for line in lines]
    assert list(read_rows(path, 3, rows[1].start, 2)) == rows[1:]


def test_the_last_line_may_end_without_a_break_and_lines_as_on_windows(tmp_path):
    (tmp_path / "x.tsv").write_bytes(b"1\t2\t3\r\n4\t5\t6")
    rows = list(read_rows(tmp_path / "x.tsv", 3))
    assert [[row.image_id, row.second, row.last] for row in rows] == [["1", b"2", b"3"], ["4", b"5", b"6"]]


@pytest.mark.parametrize("name", ["features.tsv", "predictions.tsv", "imageid2idx.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert name in refusal(open_vinvl, folder)


def test_a_missing_folder_and_two_downloads_in_one_are_named(folder):
    assert "expected the folder of a VinVL download" in refusal(open_vinvl, folder / "nowhere")
    shutil.copytree(folder, folder.parent / "a")
    assert "found 2" in refusal(open_vinvl, folder.parent)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("{", "expected JSON"),
        ([1], "expected a JSON object"),
        ({}, "expected a JSON object"),
        ({"17": 0, "5": 2}, "image '5': expected a row of its own from 0 to 1, got 2"),
        ({"17": 0, "5": 0}, "image '5': expected a row of its own from 0 to 1, got 0"),
        ({"17": 0, "5": True}, "image '5': expected a row of its own from 0 to 1, got True"),
        ({"17": "0"}, "image '17': expected a row of its own from 0 to 0, got '0'"),
        ({"17": 0, "5": 1, "017": 2}, "image '17' occurs twice"),
    ],
)
def test_ids_that_do_not_name_every_row_once(folder, rows, expected):
    path = folder / "imageid2idx.json"
    path.write_text(rows if isinstance(rows, str) else json.dumps(rows))
    assert f"{path}: {expected}" in refusal(open_vinvl, folder)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda starts: [starts[0], starts[1] + 1, starts[2]], "row 2, image '5': starts at byte"),
        (lambda starts: starts[:2], "row 3, image '42': starts at byte"),
        (lambda starts: [*starts, "9999999"], "ends after row 3, features.lineidx lists 4 rows"),
    ],
)
def test_a_lineidx_that_does_not_fit(folder, change, expected):
    starts = (folder / "features.lineidx").read_text().split()
    (folder / "features.lineidx").write_text("\n".join(map(str, change([int(start) for start in starts]))))
    assert f"{folder / 'features.tsv'}: {expected}" in refusal(list, read_rows(folder / "features.tsv", 3))


def test_a_lineidx_that_is_none(folder):
    (folder / "features.lineidx").write_text("0\nten\n")
    assert "features.lineidx: expected one byte number a line" in refusal(list, read_rows(folder / "features.tsv", 3))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"5\t1", "row 2, image '5': expected an id and at least 2 more columns, got 2"),
        (b"", "row 2, image '': expected an id"),
        (b"\t1\tAAAA", "row 2, image '': expected an id"),
        (b"\xff\t1\tAAAA", "row 2: expected an image id first, got other bytes"),
        (b"x" * 5000, f"row 2, image '{'x' * 60}': expected an id and at least 2 more columns"),
    ],
)
def test_a_row_without_its_columns(tmp_path, line, expected):
    (tmp_path / "x.tsv").write_bytes(b"1\t1\tAAAA\n" + line + b"\n")
    assert f"{tmp_path / 'x.tsv'}: {expected}" in refusal(list, read_rows(tmp_path / "x.tsv", 3))
