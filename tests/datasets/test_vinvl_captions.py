"""Captions and keys become a manifest: which images, in which order, five captions each; nothing with code in it is run."""

import json
from pathlib import Path

import pytest
import torch
from vinvl_files import write_captions

from vldeformer.datasets.vinvl_captions import read_captions
from vldeformer.errors import InputError

FIVE = ["a dog .", "Un chien à l'été", "كلب على العشب", "草地上的狗 🐕", "a  dog\n on grass"]
CAPTIONS = {7: FIVE, 123: [f"caption {number}" for number in range(6)], 5: FIVE}
SHARED = Path(__file__).parents[3] / "shared" / "fixtures" / "vinvl_tiny" / "coco_ir"


def refusal(*given):
    with pytest.raises(InputError) as caught:
        read_captions(*given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("as_json", [True, False])
def test_the_keys_say_which_images_in_which_order(tmp_path, as_json):
    captions, keys = write_captions(tmp_path, CAPTIONS, as_json=as_json)
    keys.write_text("00000123\n7\n")
    manifest = read_captions(captions, keys, "coco", "test")
    assert (manifest.dataset, manifest.splits) == ("coco", {"test": 2})
    assert [(image.id, image.file) for image in manifest.images] == [("123", None), ("7", None)]
    assert [caption.text for caption in manifest.captions[:5]] == [f"caption {number}" for number in range(5)]
    assert [caption.text for caption in manifest.captions[5:]] == [" ".join(text.split()) for text in FIVE]
    assert [caption.id for caption in manifest.captions[5:]] == [f"7#{number}" for number in range(5)]


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not here: no recorded download to compare with")
@pytest.mark.parametrize("keys", ["test_img_keys.tsv", "test_img_keys_1k.tsv"])
def test_the_recorded_download_reads_as_a_plain_loop_reads_it(keys):
    manifest = read_captions(SHARED / "test_captions.pt", SHARED / keys, "coco", "test")
    given = torch.load(SHARED / "test_captions.pt", weights_only=True)
    expected = [(key, text) for key in (SHARED / keys).read_text().split() for text in json.loads(given[int(key)])[:5]]
    assert [(caption.image_id, caption.text) for caption in manifest.captions] == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (FIVE[:4], "image '5' has 4 captions, expected 5; leave it out of the keys"),
        ([], "image '5' has 0 captions"),
        ([*FIVE[:2], " \u3000\n", *FIVE[3:]], "image '5': caption 3 is empty"),
        ([*FIVE[:4], 5], "image '5': expected a list of captions"),
        ({"a": "b"}, "image '5': expected a list of captions"),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_bad_captions_are_named_if_their_image_is_asked_for(tmp_path, texts, expected, as_json):
    captions, keys = write_captions(tmp_path, CAPTIONS | {5: texts}, as_json=as_json)
    assert f"{captions}: {expected}" in refusal(captions, keys, "coco", "test")
    keys.write_text("7\n")
    assert len(read_captions(captions, keys, "coco", "test").captions) == 5


def test_captions_cut_short_in_their_json(tmp_path):
    captions, keys = write_captions(tmp_path, {7: json.dumps(FIVE)[:-3]}, as_json=False)
    assert "image '7': expected captions as JSON" in refusal(captions, keys, "coco", "test")


def test_a_key_without_captions_is_named_with_its_row(tmp_path):
    captions, keys = write_captions(tmp_path, CAPTIONS)
    keys.write_text("7\n99\n")
    assert f"{keys}: row 2, image '99': not in " in refusal(captions, keys, "coco", "test")


def test_half_a_character_in_a_caption_is_named(tmp_path):
    captions, keys = write_captions(tmp_path, {7: [*FIVE[:4], "a dog \ud83d"]})
    assert "\\ud83d" in torch.load(captions, weights_only=True)[7], "JSON can carry it"
    assert "coco: caption '7#4': expected whole characters, got half of one" in refusal(captions, keys, "coco", "test")


class Code:
    """Unpickled without care, it would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_carries_code_is_refused_and_not_run(tmp_path, zipped):
    captions, keys = write_captions(tmp_path, CAPTIONS)
    torch.save({7: FIVE, 5: Code(tmp_path / "touched")}, captions, _use_new_zipfile_serialization=zipped)
    assert f"{captions}: expected a torch file of plain ids and texts, but it carries code" in refusal(
        captions, keys, "c", "test"
    )
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "expected a torch file of captions (.pt), got an empty file"),
        (b"not a torch file", "expected a torch file of captions (.pt), got a text file"),
        (b"391895\n60623\n", "expected a torch file of captions (.pt), got a text file"),
        (b"\x89PNG\r\n\x1a\n\0\0", "expected a torch file of captions (.pt), got another kind of file"),
        (b"\x80\x02}q\x00", "carries code, is damaged or cut short"),
        (300, "carries code, is damaged or cut short"),
        ([FIVE], "expected a dictionary, image id → captions, got list"),
        ({7: FIVE, "007": FIVE}, "2 ids, but only 1 different ones"),
        (None, "found none"),
    ],
)
def test_a_file_of_something_else(tmp_path, content, expected):
    captions, keys = write_captions(tmp_path, CAPTIONS)
    if content is None:
        captions.unlink()
    elif isinstance(content, bytes):
        captions.write_bytes(content)
    elif isinstance(content, int):
        captions.write_bytes(captions.read_bytes()[:content])
    else:
        torch.save(content, captions)
    line = refusal(captions, keys, "coco", "test")
    assert line.startswith(f"{captions}: ") and expected in line
