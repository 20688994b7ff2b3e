"""Features out of base64: the numbers that were put in, in their order with any number of threads; bad rows named."""

import base64
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from vinvl_files import detect, write_features

from vldeformer.datasets import vinvl_features
from vldeformer.datasets.vinvl_features import read_features
from vldeformer.datasets.vinvl_rows import open_vinvl
from vldeformer.errors import InputError

IMAGES = [detect(str(100 + number), boxes) for number, boxes in enumerate([3, 1, 7, 2, 1, 1, 4])]
SHARED = Path(__file__).parents[3] / "shared" / "fixtures" / "vinvl_tiny"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_features(tmp_path_factory.mktemp("vinvl") / "download", IMAGES)


def read(folder, dtype="float32", workers=2, **start):
    return list(read_features(open_vinvl(folder), dtype, workers, **start))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("batch_bytes", [1, 30_000, 10**9])
def test_every_number_comes_back_in_order(written, monkeypatch, dtype, workers, batch_bytes):
    monkeypatch.setattr(vinvl_features, "BATCH_BYTES", batch_bytes)
    found = read(written, dtype, workers)
    assert [image.row.image_id for image in found] == [image.id for image in IMAGES]
    for image, put_in in zip(found, IMAGES, strict=True):
        assert image.features.dtype == dtype and image.boxes.dtype == np.float32
        np.testing.assert_array_equal(image.features, put_in.features.astype(dtype))
        np.testing.assert_array_equal(image.boxes, put_in.boxes[:, :4])


def test_reading_can_begin_at_any_row(written):
    whole = read(written)
    for row in (0, 3, 6):
        rest = read(written, start=whole[row].row.start, number=row + 1)
        assert [image.row for image in rest] == [image.row for image in whole[row:]]


def test_columns_between_the_second_and_the_last_do_not_matter(written, tmp_path):
    folder = shutil.copytree(written, tmp_path / "download")
    (folder / "features.lineidx").unlink()
    rows = [line.split("\t") for line in (folder / "features.tsv").read_text().splitlines()]
    (folder / "features.tsv").write_text("".join("\t".join([*row[:2], "more", row[2]]) + "\n" for row in rows))
    for image, same in zip(read(folder), read(written), strict=True):
        np.testing.assert_array_equal(image.features, same.features)


def test_a_reader_that_is_left_ends_its_threads(written):
    before = threading.active_count()
    images = read_features(open_vinvl(written), "float16", 2)
    next(images)
    assert threading.active_count() > before
    images.close()
    assert threading.active_count() == before


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not here: no recorded download to compare with")
def test_the_recorded_download_reads_as_a_plain_loop_reads_it():
    found = read(SHARED)
    lines = (SHARED / "model_0060000" / "features.tsv").read_text().splitlines()
    assert len(found) == len(lines) == 12
    for image, line in zip(found, lines, strict=True):
        name, count, *_, text = line.split("\t")
        numbers = np.frombuffer(base64.b64decode(text), np.float32).reshape(int(count), 2054)
        assert image.row.image_id == name
        np.testing.assert_array_equal(image.features, numbers[:, :2048])
        np.testing.assert_array_equal(image.boxes, numbers[:, 2048:2052])
        np.testing.assert_allclose(numbers[:, 2052:], image.boxes[:, 2:] - image.boxes[:, :2], atol=1e-7)


def changed(image, where, value):
    """A copy of an image with one of its 2054 numbers changed in its second box."""
    numbers = np.concatenate([image.features, image.boxes], axis=1)
    numbers[1, where] = value
    return replace(image, features=numbers[:, :2048], boxes=numbers[:, 2048:])


def with_boxes(image, boxes):
    return replace(image, boxes=np.tile(np.array(boxes, dtype=np.float32), (len(image.boxes), 1)))


BAD = IMAGES[3]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (BAD.feature_row[:-5], "2 boxes take 21912 characters of base64, got 21907; the row is cut short or"),
        (BAD.feature_row.replace("\t2\t", "\t3\t"), "3 boxes take 32864 characters of base64, got 21912"),
        (BAD.feature_row.replace("\t2\t", "\t0\t"), "expected the number of boxes, 1 or more, got '0'"),
        (BAD.feature_row.replace("\t2\t", "\ttwo\t"), "expected the number of boxes, 1 or more, got 'two'"),
        (BAD.feature_row.replace("\t2\t", f"\t{'9' * 5000}\t"), "expected the number of boxes, 1 or more, got '999"),
        (BAD.feature_row[:-90] + "*" + BAD.feature_row[-89:], "expected base64, got something else"),
        (BAD.feature_row[:-90] + " " + BAD.feature_row[-89:], "expected base64, got something else"),
        (BAD.feature_row[:-1] + "A", "expected base64"),
        (changed(BAD, 7, np.nan).feature_row, "features of box 2 hold NaN or infinity"),
        (changed(BAD, 7, -np.inf).feature_row, "features of box 2 hold NaN or infinity"),
        (changed(BAD, 7, 7e4).feature_row, "a feature of size 70000 does not fit float16; import with --dtype float32"),
        (changed(BAD, 2050, np.nan).feature_row, "expected boxes as fractions of the image, got numbers from nan to nan"),
        (changed(BAD, 2053, np.nan).feature_row, "expected x1 y1 x2 y2 width height as last numbers"),
        (with_boxes(BAD, [0.1, 0.2, 300, 0.4, 299.9, 0.2]).feature_row, "fractions of the image, got numbers from 0.1 to 300"),
        (with_boxes(BAD, [-0.2, 0.2, 0.3, 0.4, 0.5, 0.2]).feature_row, "fractions of the image, got numbers from -0.2 to 0.4"),
        (with_boxes(BAD, [0.1, 0.2, 0.3, 0.4, 0.3, 0.4]).feature_row, "width and height are not x2 - x1, y2 - y1"),
        ("103\t2", "expected an id and at least 2 more columns"),
        (replace(BAD, id="99").feature_row, "not in "),
        (replace(BAD, id="101").feature_row, "comes a second time, first in row 2; ids must be unique"),
        (replace(BAD, id="106").feature_row, "expected in row 7, as imageid2idx.json says"),
    ],
)
@pytest.mark.parametrize("batch_bytes", [1, 10**9])
def test_a_bad_row_is_named(written, tmp_path, monkeypatch, row, expected, batch_bytes):
    monkeypatch.setattr(vinvl_features, "BATCH_BYTES", batch_bytes)
    folder = shutil.copytree(written, tmp_path / "download")
    (folder / "features.lineidx").unlink()
    lines = (folder / "features.tsv").read_text().splitlines()
    (folder / "features.tsv").write_text("\n".join([*lines[:3], row, *lines[4:]]) + "\n")
    with pytest.raises(InputError) as caught:
        read(folder, "float16")
    name = row.split("\t")[0]
    assert str(caught.value).startswith(f"{folder / 'features.tsv'}: row 4, image {name!r}: ")
    assert expected in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_the_first_of_two_bad_rows_is_named(written, tmp_path):
    folder = shutil.copytree(written, tmp_path / "download")
    lines = (folder / "features.tsv").read_text().splitlines()
    (folder / "features.lineidx").unlink()
    (folder / "features.tsv").write_text("\n".join([*lines[:3], changed(BAD, 7, np.nan).feature_row, "104", *lines[5:]]))
    with pytest.raises(InputError, match="row 4, image '103': features of box 2 hold NaN"):
        read(folder, workers=3)


def test_boxes_that_stick_out_by_a_rounded_pixel_are_kept_as_they_are(tmp_path):
    box = [-0.001, 0.2, 1.002, 0.4, 1.003, 0.2]
    found = read(write_features(tmp_path, [with_boxes(BAD, box)]))
    np.testing.assert_array_equal(found[0].boxes, np.array([box[:4]] * 2, dtype=np.float32))


def test_a_large_feature_fits_float32(tmp_path):
    assert read(write_features(tmp_path, [changed(BAD, 7, 7e4)]))[0].features[1, 7] == 7e4


@pytest.mark.parametrize("lineidx", [True, False])
def test_rows_missing_at_the_end(written, tmp_path, lineidx):
    folder = shutil.copytree(written, tmp_path / "download")
    lines = (folder / "features.tsv").read_text().splitlines()
    (folder / "features.tsv").write_text("\n".join(lines[:5]) + "\n")
    if not lineidx:
        (folder / "features.lineidx").unlink()
    with pytest.raises(InputError, match=r"features.tsv: ends after row 5, .* 7 .*cut short"):
        read(folder)
