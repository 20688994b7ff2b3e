import numpy as np
import pytest
from older_files import forget

from vldeformer.errors import InputError
from vldeformer.retrieval.embeddings import Embeddings, Scores


def unit(rows, width, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(rows, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def names(prefix, number):
    return tuple(f"{prefix}{row}" for row in range(number))


@pytest.fixture
def embeddings():
    index = np.array([0, 0, 1, 2, 2, 2, 3])
    return Embeddings(names("i", 4), unit(4, 8), names("c", 7), unit(7, 8, seed=1), index)


@pytest.fixture
def scores(embeddings):
    return Scores(embeddings.image_ids, embeddings.caption_ids, embeddings.caption_image_index, embeddings.block(0, 4))


def test_embeddings_survive_disk(embeddings, tmp_path):
    embeddings.save(tmp_path / "emb", {"settings": {}})
    again = Embeddings.load(tmp_path / "emb")
    assert (again.image_ids, again.caption_ids) == (embeddings.image_ids, embeddings.caption_ids)
    for name in ("images", "captions", "caption_image_index"):
        np.testing.assert_array_equal(getattr(again, name), getattr(embeddings, name))
    assert sorted(file.name for file in (tmp_path / "emb").iterdir()) == [
        "caption_ids.json", "caption_image_index.npy", "captions.npy", "digests.json", "image_ids.json", "images.npy",
        "provenance.json",
    ]  # fmt: skip


def test_scores_survive_disk(scores, tmp_path):
    scores.save(tmp_path / "scores", {})
    again = Scores.load(tmp_path / "scores")
    np.testing.assert_array_equal(again.scores, scores.scores)
    assert again.image_ids == scores.image_ids


def test_pairs_agree_with_block(embeddings, scores):
    rows, columns = np.divmod(np.arange(28), 7)
    for scored in (embeddings, scores):
        np.testing.assert_allclose(scored.pairs(rows, columns), scored.block(0, 4).ravel(), atol=scored.block_error)
        np.testing.assert_allclose(scored.pairs(rows, columns), scored.fine_block(0, 4).ravel(), rtol=0, atol=scored.fine_error)
        np.testing.assert_allclose(scored.caption_block(2, 7), scored.block(0, 4)[:, 2:7].T, atol=2 * scored.block_error)


def test_equal_vectors_tie_whether_pairs_are_few_or_many(monkeypatch):
    images, captions = unit(3, 16)[[0, 1, 0, 2, 1]], unit(2, 16, seed=1)[[1, 0, 1, 1, 0]]
    repeated = Embeddings(names("i", 5), images, names("c", 5), captions, np.arange(5))
    rows, columns = np.divmod(np.arange(25), 5)
    few = repeated.pairs(rows, columns)
    monkeypatch.setattr("vldeformer.retrieval.embeddings.MANY_PAIRS", 10)
    np.testing.assert_array_equal(repeated.pairs(rows, columns), few)
    assert len(set(few)) == 6


def test_first_images_and_captions(embeddings, scores):
    for scored in (embeddings, scores):
        part = scored.first(3)
        assert part.image_ids == ("i0", "i1", "i2")
        assert part.caption_ids == ("c0", "c1", "c2", "c3", "c4", "c5")
        few = scored.first(99, captions_per_image=2)
        assert few.caption_ids == ("c0", "c1", "c2", "c3", "c4", "c6")
        assert few.caption_image_index.tolist() == [0, 0, 1, 2, 2, 3]
    np.testing.assert_array_equal(scores.first(2).scores, scores.scores[:2, :3])


def test_a_part_is_in_the_order_that_was_asked_for(embeddings, scores):
    for scored in (embeddings, scores):
        part = scored.part(np.array([2, 0]), captions_per_image=2)
        assert part.image_ids == ("i2", "i0")
        assert part.caption_ids == ("c0", "c1", "c3", "c4")
        assert part.caption_image_index.tolist() == [1, 1, 0, 0]
        np.testing.assert_allclose(part.block(0, 2), scored.block(0, 4)[np.ix_([2, 0], [0, 1, 3, 4])], atol=1e-6)
        assert scored.first(4) is scored, "what is whole is not copied"


def test_first_captions_are_first_in_file_order_even_if_mixed():
    index = np.array([1, 0, 1, 0, 1, 0])
    mixed = Embeddings(names("i", 2), unit(2, 4), names("c", 6), unit(6, 4), index)
    assert mixed.first(2, captions_per_image=2).caption_ids == ("c0", "c1", "c2", "c3")
    assert mixed.first(1, captions_per_image=2).caption_ids == ("c1", "c3")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": unit(3, 8)}, "images: expected float32, one row for each of 4 ids"),
        ({"images": unit(4, 8).astype(np.float64)}, "got float64"),
        ({"captions": unit(7, 8) * 1.1}, "captions: row 0 .'c0'. has length 1.1"),
        ({"captions": np.full((7, 8), np.nan, np.float32)}, "has length nan"),
        ({"captions": unit(7, 9)}, "width 8 but captions 9"),
        ({"caption_image_index": np.array([0, 0, 1, 2, 2, 2, 4])}, "caption 'c6' points to image row 4"),
        (
            {"caption_image_index": np.array([0, 0, 1, 1, 1, 1, 3])},
            "image row 2 .'i2'. has no caption; give it one or leave it out",
        ),
        ({"caption_image_index": np.zeros(7)}, "expected int64"),
        ({"image_ids": ("i0", "i1", "i1", "i2")}, "must be unique"),
    ],
)
def test_bad_embeddings(embeddings, change, message):
    fields = {"image_ids", "images", "caption_ids", "captions", "caption_image_index"}
    with pytest.raises(InputError, match=message):
        Embeddings(**{name: getattr(embeddings, name) for name in fields} | change)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"images": unit(4, 8)[None]}, r"images: expected one vector a row, .*got shape \(1, 4, 8\)"),
        ({"captions": unit(7, 8)[0]}, r"captions: expected one vector a row, .*got shape \(8,\)"),
        ({"images": [[1.0], [0.6, 0.8]]}, "images: expected an array, cannot make one of this list"),
        ({"caption_image_index": [[0], [0, 1]]}, "caption_image_index: expected an array, cannot make one of this list"),
    ],
)
def test_what_is_no_table_of_vectors_is_named_before_the_index_is(embeddings, change, expected):
    given = {name: getattr(embeddings, name) for name in ("images", "captions", "caption_image_index")}
    assert Embeddings.from_arrays(**given).caption_ids[-1] == "6"
    with pytest.raises(InputError, match=expected):
        Embeddings.from_arrays(**given | change)


def test_bad_scores_name_the_pair(scores):
    wrong = scores.scores.copy()
    wrong[1, 2] = np.nan
    with pytest.raises(InputError, match="image 'i1' with caption 'c2'"):
        Scores(scores.image_ids, scores.caption_ids, scores.caption_image_index, wrong)


def test_bad_files_are_named(embeddings, tmp_path):
    embeddings.save(tmp_path, {})
    forget(tmp_path)
    whole = (tmp_path / "captions.npy").read_bytes()
    (tmp_path / "captions.npy").write_bytes(whole[:150])
    with pytest.raises(InputError, match=r"captions\.npy: expected a NumPy array file"):
        Embeddings.load(tmp_path)
    (tmp_path / "captions.npy").unlink()
    with pytest.raises(InputError, match=r"captions\.npy: expected an array file, found none"):
        Embeddings.load(tmp_path)
    np.save(tmp_path / "captions.npy", embeddings.captions * 2)
    with pytest.raises(InputError, match=f"{tmp_path}: captions: row 0"):
        Embeddings.load(tmp_path)
    (tmp_path / "image_ids.json").write_text("{}")
    with pytest.raises(InputError, match=r"image_ids\.json: expected a list"):
        Embeddings.load(tmp_path)
