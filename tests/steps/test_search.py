"""The search commands: what they print, what they write, and one line for what is wrong."""

import json
import shutil

import numpy as np
import PIL.Image
import pytest

from vldeformer.cli import main
from vldeformer.errors import InputError
from vldeformer.search.contact_sheet import write_contact_sheet
from vldeformer.search.index import Hit, SearchIndex


@pytest.fixture(scope="module")
def made(model_folder, tmp_path_factory):
    root = tmp_path_factory.mktemp("searching")
    (root / "photos").mkdir()
    for number in range(7):
        blocks = np.random.default_rng(number).integers(256, size=(3, 4, 3), dtype=np.uint8)
        PIL.Image.fromarray(blocks).resize((60, 40)).save(root / "photos" / f"{number}.png")
    (root / "photos" / "evil\x1b[31m\nname.png").write_bytes((root / "photos" / "0.png").read_bytes())
    (root / "photos" / "cut.jpg").write_bytes(b"\xff\xd8")
    assert run("index", "--model", model_folder("squares"), "--images", root / "photos", "--out", root / "index") == 0
    return root


def run(*arguments):
    return main([str(one) for one in arguments])


def test_index_says_what_it_did_and_why(made, model_folder, capsys):
    assert run("index", "--model", model_folder("squares"), "--images", made / "photos", "--out", made / "index") == 0
    said = capsys.readouterr()
    assert "8 images (0 added, 0 replaced, 0 removed); flat: every vector is compared, exact" in said.out
    assert said.err.startswith("skipped cut.jpg: expected a photograph") and said.err.count("\n") == 1


def test_a_table_has_a_line_a_hit_and_no_control_characters(made, capsys):
    assert run("search", made / "index", "a red ring", "-k", 99) == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) == 9 and "\x1b" not in said
    assert said.splitlines()[0].split() == ["rank", "score", "id"]


def test_json_lines_are_the_hits_of_each_query_in_the_order_of_the_file(made, capsys, tmp_path):
    (tmp_path / "queries.txt").write_text("a red ring\r\nقطة 🦊\n\n")
    out = tmp_path / "hits.jsonl"
    given = (made / "index", "--queries", tmp_path / "queries.txt", "-k", 3, "--format", "jsonl")
    assert run("search", *given) == run("search", *given, "--out", out) == 0
    said = capsys.readouterr()
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert [(row["query"], row["rank"]) for row in rows] == [(text, n) for text in ("a red ring", "قطة 🦊") for n in (1, 2, 3)]
    assert rows == [json.loads(line) for line in out.read_text().splitlines()]
    assert run("search", made / "index", "a red ring", "-k", 3, "--format", "jsonl") == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == rows[:3], "a query alone has the same answer"
    assert "the model knows none of these words" in said.err


@pytest.mark.parametrize(("hits", "expected"), [(2_000, "show fewer images with -k"), (200, "give at most 7 queries")])
def test_a_sheet_that_would_be_too_long_says_what_to_ask_for(tmp_path, hits, expected):
    found = [("a ring", [Hit("3.png", 0.5, None)] * hits)] * 9
    with pytest.raises(InputError, match=expected):
        write_contact_sheet(tmp_path / "sheet.png", found, {})


def test_a_contact_sheet_shows_the_photographs_of_all_queries(made, tmp_path):
    (tmp_path / "queries.txt").write_text("a red ring\na star\n")
    sheet = tmp_path / "sheet.png"
    photos = made / "photos"
    assert run("search", made / "index", "--image", photos / "3.png", "-k", 6, "--format", "sheet", "--out", sheet) == 0
    with PIL.Image.open(sheet) as one, PIL.Image.open(photos / "3.png") as picture:
        tile, photograph = np.asarray(one.crop((8, 26, 188, 206))), np.asarray(picture)
        assert one.size == (8 + 5 * 188, 8 + 26 + 2 * 206)
    assert (tile[90, 90].astype(int) == photograph[20, 30].astype(int)).all(), "the photograph is in the middle of its tile"
    assert run("search", made / "index", "--queries", tmp_path / "queries.txt", "-k", 2, "--format", "sheet", "--out", sheet) == 0
    with PIL.Image.open(sheet) as two:
        assert two.height == 8 + 2 * (26 + 206)


def test_reranking_shows_joint_scores(made, model_folder, capsys):
    joint = model_folder("squares", reading="joint")
    assert run("search", made / "index", "a red ring", "-k", 3, "--rerank", 5, "--joint", joint) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["rank", "score", "joint", "id"]
    assert [float(line.split()[2]) for line in lines[1:]] == sorted((float(line.split()[2]) for line in lines[1:]), reverse=True)


def test_images_are_removed_and_exported(made, capsys, tmp_path):
    copy = tmp_path / "index"
    shutil.copytree(made / "index", copy)
    assert run("index-remove", copy, "3.png", "4.png") == 0
    assert run("index-export", copy, "--out", tmp_path / "all.parquet") == 0
    assert run("index-export", copy, "--to", "lancedb", "--out", tmp_path / "lance") == 0
    assert capsys.readouterr().out.count(": 6 images") == 3


def test_a_joint_model_is_indexed_and_said_to_be_one(model_folder, made, tmp_path, capsys):
    joint = model_folder("squares", reading="joint")
    assert run("index", "--model", joint, "--images", made / "photos", "--out", tmp_path / "index") == 0
    assert f"{joint}: a joint model, decomposed as it is: its vectors were never trained for search" in capsys.readouterr().err
    assert run("index", "--model", model_folder("squares"), "--images", made / "photos", "--out", tmp_path / "other") == 0
    assert "joint" not in capsys.readouterr().err


def test_an_index_without_images_says_so(made, tmp_path, capsys):
    shutil.copytree(made / "index", tmp_path / "index")
    ids = [name for names, _ in SearchIndex.open(made / "index").parts() for name in names]
    assert run("index-remove", tmp_path / "index", *ids) == 0
    assert run("search", tmp_path / "index", "a red ring") == 0
    assert f"{tmp_path / 'index'}: holds no images; run `vldeformer index` again" in capsys.readouterr().err


WRONG = [
    (["search", "INDEX", ""], "expected some words"),
    (["search", "INDEX", "ring", "-k", "0"], "-k: expected at least 1, got 0"),
    (["search", "INDEX", "ring", "--rerank", "5", "--joint", "M"], "--rerank: expected at least -k 10, got 5; give a larger N"),
    (["search", "INDEX", "ring", "--rerank", "5"], "go together"),
    (["search", "INDEX", "--image", "INDEX/index.json"], "expected a photograph"),
    (["search", "INDEX", "--image", "none.jpg"], "photograph not found"),
    (["search", "INDEX", "--image", "x.jpg", "--rerank", "5", "--joint", "M"], "does not go with --image"),
    (["search", "INDEX", "ring", "--format", "sheet"], "contact sheet that ends in"),
    (["search", "INDEX", "ring", "--format", "sheet", "--out", "sheet.gif"], "contact sheet that ends in"),
    (["search", "INDEX", "--queries", "EMPTY"], "the file is empty"),
    (["search", "INDEX", "--queries", "none.txt"], "No such file"),
    (["search", "none", "ring"], "expected an index"),
    (["index-remove", "INDEX", "none.png"], "'none.png' is not in the index"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=[" ".join(given) for given, _ in WRONG])
def test_what_is_wrong_is_said_in_one_line(made, capsys, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "EMPTY").touch()
    assert run(*(one.replace("INDEX", str(made / "index")) for one in arguments)) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["EMPTY"]
