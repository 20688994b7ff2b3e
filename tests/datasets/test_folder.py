"""A user's folder and captions → manifest; every problem counted and the first named by line."""

import pytest

from vldeformer.datasets.folder import FolderSource, SplitFractions, drawn_split, read_own_photographs
from vldeformer.errors import InputError

SHARES = SplitFractions(val=0.2, test=0.3, seed=1)


def source(split=SHARES, **changes):
    values = {
        "source": "folder",
        "name": "mine",
        "raw_dir": "raw",
        "captions": "captions.csv",
        "images": "photos",
        "image_size": 32,
    }
    return FolderSource(**values | {"split": split} | changes)


def folder(tmp_path, *rows, photographs=("a.jpg", "b/c.png", "d.JPG"), header="image,caption"):
    for name in photographs:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "captions.csv").write_text("\n".join([header, *rows]))
    return tmp_path


def refusal(raw, dataset):
    with pytest.raises(InputError) as caught:
        read_own_photographs(dataset, raw)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_any_number_of_captions_in_the_order_of_the_file(tmp_path):
    rows = ["d.JPG,one,train", "a.jpg,first,test", "d.JPG,two,train", "b/c.png,only,val", "d.JPG,three,train"]
    raw = folder(tmp_path, *rows, header="image,caption,split")
    found = read_own_photographs(source(None), raw).manifest
    assert [(image.id, image.split, image.file) for image in found.images] == [
        ("d.JPG", "train", "d.JPG"), ("a.jpg", "test", "a.jpg"), ("b/c.png", "val", "b/c.png"),
    ]  # fmt: skip
    assert [(caption.id, caption.text) for caption in found.captions] == [
        ("d.JPG#0", "one"), ("d.JPG#1", "two"), ("d.JPG#2", "three"), ("a.jpg#0", "first"), ("b/c.png#0", "only"),
    ]  # fmt: skip
    most = read_own_photographs(source(None, captions_per_image=2), raw).manifest
    assert [caption.text for caption in most.captions] == ["one", "two", "first", "only"]


def test_photographs_without_a_caption_are_left_out_and_counted(tmp_path):
    raw = folder(tmp_path, "a.jpg,x,test", header="image,caption,split", photographs=["a.jpg", "z/q.png", "B.JPEG", "notes.txt"])
    assert read_own_photographs(source(None), raw).without_caption == ("B.JPEG", "z/q.png")


def test_a_photograph_keeps_its_split_when_others_come_and_another_seed_draws_anew():
    names = [f"{number}.jpg" for number in range(5000)]
    drawn = [drawn_split(name, SHARES) for name in names]
    for split, share in (("train", 0.5), ("val", 0.2), ("test", 0.3)):
        assert abs(drawn.count(split) / len(drawn) - share) < 0.03
    assert drawn[:3] == [drawn_split(name, SHARES) for name in names[:3]]
    wider = [drawn_split(name, SplitFractions(val=0.2, test=0.4, seed=1)) for name in names]
    assert all(new == "test" for old, new in zip(drawn, wider, strict=True) if old == "test"), "a larger test keeps its images"
    other = [drawn_split(name, SplitFractions(val=0.2, test=0.3, seed=2)) for name in names]
    assert sum(a == b for a, b in zip(drawn, other, strict=True)) / len(names) < 0.45
    found = " ".join(drawn_split(name, SHARES) for name in [*names[:8], "ü/犬.png"])
    assert found == "val test test val test train val test train", "the same on every machine"


def test_shares_split_the_folder(tmp_path):
    names = [f"{number}.jpg" for number in range(60)]
    raw = folder(tmp_path, *(f"{name},x" for name in names), photographs=names)
    found = read_own_photographs(source(), raw).manifest
    assert [image.split for image in found.images] == [drawn_split(name, SHARES) for name in names]
    few = folder(tmp_path, "0.jpg,x")
    assert "none of the 1 photographs falls into" in refusal(few, source())


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["a.jpg,x", "gone.jpg,x"], "line 3: photograph 'gone.jpg' is not in"),
        (["a.jpg,x", "e/c.jpg,x"], "photos; did you mean 'b/c.png'?"),
        (["a.jpg,x", "a.jpg, "], "line 3: a caption of 'a.jpg' is empty; write one or delete it"),
        (["a.jpg,x y", "d.JPG,x y", "a.jpg,x  y"], "line 4: 'a.jpg' has the same caption as on line 2; delete one of them"),
        (["a.jpg,x", "gone.jpg,", "a.jpg,x"], "line 3: photograph 'gone.jpg' is not in PHOTOS (2 more problems)"),
        ([], "expected captions, found none"),
    ],
)
def test_wrong_lines_are_counted_and_the_first_is_named(tmp_path, rows, expected):
    message = refusal(folder(tmp_path, *rows), source())
    assert message.startswith(f"{tmp_path / 'captions.csv'}: ")
    assert expected.replace("PHOTOS", str(tmp_path / "photos")) in message


def test_a_split_that_changes(tmp_path):
    raw = folder(tmp_path, "a.jpg,x,train", "a.jpg,y,test", header="image,caption,split")
    assert "line 3: photograph 'a.jpg' is in split test, on an earlier line in train" in refusal(raw, source(None))


def test_a_photograph_without_captions_in_jsonl(tmp_path):
    folder(tmp_path)
    (tmp_path / "captions.jsonl").write_text('{"image": "a.jpg", "captions": []}\n')
    assert "line 1: 'a.jpg' has no caption" in refusal(tmp_path, source(captions="captions.jsonl"))


def test_no_folder_of_photographs(tmp_path):
    (tmp_path / "captions.csv").write_text("image,caption\n")
    assert refusal(tmp_path, source()) == (
        f"{tmp_path / 'photos'}: expected the folder of photographs, found none; check dataset.raw_dir and dataset.images"
    )
