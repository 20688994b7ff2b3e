"""A user's CSV or JSONL: what is read however it was saved, and what is refused with file and line."""

import json

import pytest

from vldeformer.datasets.caption_table import CaptionLine, read_caption_lines
from vldeformer.errors import InputError


def read(tmp_path, content, name="captions.csv", with_split=False):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_caption_lines(path, with_split))


def refusal(tmp_path, content, name="captions.csv", with_split=False):
    with pytest.raises(InputError) as caught:
        read(tmp_path, content, name, with_split)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(str(tmp_path / name))
    return str(caught.value).removeprefix(f"{tmp_path / name}: ")


TWO = [CaptionLine(2, "a.jpg", ("a dog",), None), CaptionLine(3, "b/c.jpg", ("two, or three cats",), None)]
PLAIN = 'image,caption\na.jpg,a dog\nb/c.jpg,"two, or three cats"\n'


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.encode("utf-8-sig"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r\n").encode("utf-8-sig"),
        PLAIN.rstrip("\n"),
        PLAIN.replace("image,caption", "File_Name , TEXT"),
        PLAIN.replace("b/c", "b\\c"),
        PLAIN.replace("a dog", "  a \tdog "),
        PLAIN.replace("a.jpg,", "./a.jpg,"),
        'id,caption,photo\n1,a dog,a.jpg\n2,"two, or three cats",b/c.jpg\n',
    ],
)
def test_a_csv_file_however_it_was_saved(tmp_path, content):
    assert read(tmp_path, content) == TWO


def test_captions_in_any_script_quotes_and_several_lines(tmp_path):
    found = read(tmp_path, '\nimage,caption\n1.jpg,"كلب ""صغير"""\n2.jpg,"two\nlines"\n3.jpg,犬 🐕\n')
    assert [(line.number, line.captions[0]) for line in found] == [(3, 'كلب "صغير"'), (4, "two lines"), (6, "犬 🐕")]


def test_jsonl_with_one_or_several_captions(tmp_path):
    lines = [{"file": "a.jpg", "caption": "a dog"}, {"Image": "b.jpg", "captions": ["x", " y\n"], "width": 3}]
    content = "\ufeff" + "\r\n\r\n".join(json.dumps(line) for line in lines)
    assert read(tmp_path, content, "captions.jsonl") == [
        CaptionLine(1, "a.jpg", ("a dog",), None), CaptionLine(3, "b.jpg", ("x", "y"), None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "meant"), [("train", "train"), (" Val", "val"), ("dev", "val"), ("validation", "val"), ("TEST", "test")]
)
def test_a_split_of_each_line(tmp_path, said, meant):
    assert [line.split for line in read(tmp_path, f"image,caption,split\na.jpg,x,{said}\n", with_split=True)] == [meant]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("image;caption\na.jpg;a dog\n", "line 1: columns are separated by semicolons; save the file with commas"),
        ("image\tcaption\na.jpg\ta dog\n", "line 1: columns are separated by tabs"),
        ("picture,caption\n", "line 1: expected a column for the image, named one of image, file, filename, "),
        (
            "image,words\n",
            "line 1: expected a column for the caption, named one of caption, captions, text, sentence; found image",
        ),
        ("", "line 1: expected a column for the image"),
        ("image,file,caption\n", "line 1: image and file both name the image; rename or delete one"),
        ("image,caption,Caption\na.jpg,x,y\n", "line 1: caption and caption both name the caption; rename or delete one"),
        ("image,caption\na.jpg,a dog, running\n", "line 2: expected 2 columns, got 3; put a caption that has a comma in it in"),
        ("image,caption\na.jpg\n", "line 2: expected 2 columns, got 1"),
        ('image,caption\na.jpg,"never closed\nb.jpg,x\n', "line 2: expected CSV, got an error: unexpected end of data"),
        ("image,caption\n/etc/a.jpg,x\n", "line 2: expected a path below the photographs' folder, got '/etc/a.jpg'"),
        ("image,caption\na.jpg,x\na/../../b.jpg,x\n", "line 3: expected a path below the photographs' folder"),
        ("image,caption\n ,x\n", "line 2: expected a path below the photographs' folder, got ' '"),
        ("image,caption,split\na.jpg,x,train\n", "line 2: a split is given here and shares in dataset.split; set"),
        ("image,caption\na.jpg,caf\xe9\n".encode("latin-1"), "expected text in UTF-8"),
        (PLAIN.encode("utf-16"), "expected text in UTF-8"),
    ],
)
def test_a_csv_file_that_is_refused(tmp_path, content, expected):
    assert expected in refusal(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"image": "a.jpg", "caption": "x"}\n{"image": "a.jpg", ', "line 2: expected one JSON object a line, got an error"),
        ("[" * 100_000, "line 1: expected one JSON object a line, got an error: maximum recursion depth exceeded"),
        ("[1, 2]", "line 1: expected a JSON object like {'image': …, 'caption': …}, got [1, 2]"),
        ('{"image": 7, "caption": "x"}', "line 1: expected text, got 7; put it in quotes"),
        ('{"image": "a.jpg", "captions": ["x", null]}', "line 1: expected text, got None"),
        (
            '{"image": "a.jpg", "caption": "x \\ud83d"}',
            "line 1: expected whole characters, got half of one ('\\ud83d' in place 2)",
        ),
        ('{"image": "caf\\udce9.jpg", "caption": "x"}', "line 1: expected whole characters"),
        ('{"image": "a.jpg"}', "line 1: expected the caption, under one of the names caption, captions"),
        ('{"image": "a.jpg", "caption": "x", "text": "y"}', "line 1: caption and text both name the caption"),
        ('{"image": "a.jpg", "Caption": "x", "caption": "y"}', "line 1: caption and caption both name the caption"),
        ('{"image": "a.jpg", "caption": "x", "caption": "y"}', "line 1: caption and caption both name the caption"),
        ('{"image": "a.jpg", "caption": {"en": "x"}}', "line 1: expected text, got "),
    ],
)
def test_a_jsonl_file_that_is_refused(tmp_path, content, expected):
    assert expected in refusal(tmp_path, content, "captions.jsonl")


def test_a_split_that_is_missing_or_unknown(tmp_path):
    assert "line 2: expected a split; add a column `split`, or set the shares" in refusal(tmp_path, PLAIN, with_split=True)
    content = "image,caption,split\na.jpg,x,train\nb.jpg,x,\n"
    assert "line 3: expected split train, val or test, got ''" in refusal(tmp_path, content, with_split=True)


def test_another_kind_of_file_or_none(tmp_path):
    assert "expected a file that ends in .csv or .jsonl" in refusal(tmp_path, PLAIN, "captions.xlsx")
    with pytest.raises(InputError, match=r"none\.csv: expected the captions file, found none"):
        list(read_caption_lines(tmp_path / "none.csv", False))
