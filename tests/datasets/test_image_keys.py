"""A list of images: one id a line, however it was saved; what is none is refused with its row."""

import pytest

from vldeformer.datasets.image_keys import image_id, read_image_keys
from vldeformer.errors import InputError


@pytest.mark.parametrize(
    ("text", "expected"), [("12", "12"), ("00000042", "42"), ("000", "0"), ("a01", "a01"), ("٣", "٣"), ("-1", "-1"), ("", "")]
)
def test_numbers_lose_their_padding_and_other_ids_stay(text, expected):
    assert image_id(text) == expected


@pytest.mark.parametrize(
    "content", [b"391895\n60623\n", b"391895\r\n60623\n\n", b"\xef\xbb\xbf391895\n60623", b"000000391895\tx\n 60623 \t\n \n"]
)
def test_keys_are_one_id_a_line_however_they_were_saved(tmp_path, content):
    (tmp_path / "keys.tsv").write_bytes(content)
    assert read_image_keys(tmp_path / "keys.tsv") == ["391895", "60623"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"7\n123\n07\n", "row 3, image '7': comes a second time, first in row 1"),
        (b"7\n\n5\n", "row 2: expected an image id, got none"),
        (b"7\n\tx\n", "row 2: expected an image id, got none"),
        (b"", "expected one image id a line, the file is empty"),
        (b"\n \n", "expected one image id a line, the file is empty"),
        (b"\xff\xfe1\n", "expected one image id a line, got other bytes"),
        (None, "expected a file with one image id a line, found none"),
    ],
)
def test_what_is_no_list_of_ids_is_refused(tmp_path, content, expected):
    path = tmp_path / "keys.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_image_keys(path)
    assert str(caught.value).startswith(f"{path}: {expected}")
