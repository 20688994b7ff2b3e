import json

import numpy as np
import pytest
from older_files import forget

from vldeformer.errors import InputError
from vldeformer.evaluation.protocols import evaluate
from vldeformer.evaluation.result import RetrievalResult, ranks_path


@pytest.fixture
def result():
    generator = np.random.default_rng(0)
    images, captions = generator.normal(size=(12, 8)), generator.normal(size=(30, 8))
    index = np.sort(np.concatenate([np.arange(12), generator.integers(12, size=18)]))
    captions += 1.5 * images[index]
    unit = [vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in (images, captions)]
    return evaluate(*unit, index)


def test_survives_disk(result, tmp_path):
    result.save(tmp_path / "all.json")
    again = RetrievalResult.load(tmp_path / "all.json")
    assert again.summary() == result.summary()
    assert (again.image_ids, again.caption_ids) == (result.image_ids, result.caption_ids)
    np.testing.assert_array_equal(again.caption_image_index, result.caption_image_index)
    np.testing.assert_array_equal(again.ranks.i2t, result.ranks.i2t)
    np.testing.assert_array_equal(again.ranks.t2i, result.ranks.t2i)


def test_names_and_bytes_of_the_file(result, tmp_path):
    for name in ("one", "two"):
        result.save(tmp_path / name / "all.json")
    first = (tmp_path / "one" / "all.json").read_bytes()
    assert first == (tmp_path / "two" / "all.json").read_bytes()
    assert (tmp_path / "one" / "all.ranks.parquet").read_bytes() == (tmp_path / "two" / "all.ranks.parquet").read_bytes()
    assert str(tmp_path) not in first.decode()
    value = json.loads(first)
    for direction in ("i2t", "t2i"):
        assert {"R@1", "R@5", "R@10", "median_rank", "intervals"} == set(value[direction])
        assert set(value[direction]["intervals"]) == {"R@1", "R@5", "R@10", "median_rank"}
    six = [value[direction][name] for direction in ("i2t", "t2i") for name in ("R@1", "R@5", "R@10")]
    assert value["rsum"] == pytest.approx(sum(six))
    assert value["mean_recall"] == pytest.approx(sum(six) / 6)


def test_bad_files_are_named(result, tmp_path):
    path = tmp_path / "all.json"
    with pytest.raises(InputError, match=r"all\.json: expected a JSON file, found none"):
        RetrievalResult.load(path)
    result.save(path)
    value = json.loads(forget(path).read_text())
    path.write_text(json.dumps(value | {"n_images": 13}))
    with pytest.raises(InputError, match=r"all\.ranks\.parquet: ranks of 12 images and 30 captions, but all\.json is of 13"):
        RetrievalResult.load(path)
    path.write_text(json.dumps({name: value[name] for name in value if name != "t2i"}))
    with pytest.raises(InputError, match=r"all\.json: expected a result .*t2i"):
        RetrievalResult.load(path)
    path.write_text(json.dumps(value))
    ranks_path(path).write_bytes(ranks_path(path).read_bytes()[:100])
    with pytest.raises(InputError, match=r"all\.ranks\.parquet: expected per-query ranks in Parquet"):
        RetrievalResult.load(path)
    ranks_path(path).unlink()
    with pytest.raises(InputError, match=r"all\.ranks\.parquet: expected the per-query ranks, found no file"):
        RetrievalResult.load(path)
