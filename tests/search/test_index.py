"""Searching: the answer of a slow plain loop, whatever was asked before, by whom, and of how much."""

import errno
import json

import numpy as np
import pytest
from older_files import forget

import vldeformer
from vldeformer.data.photographs import write_photographs
from vldeformer.search.index import SearchIndex
from vldeformer.search.joint_reranker import JointReranker
from vldeformer.search.layout import (
    DESCRIPTION,
    read_contents,
)
from vldeformer.search.writing import index_images, remove_images

from .conftest import picture, refusal, stored_index

QUERIES = [
    "a red ring",
    "two blue stars left of a box",
    "a star " * 250,
    "🦊",
    "قطة على سجادة",
    "\ud800 half",
    "a",
]


def plain_answer(index, vector, k):
    """Ids and scores by a loop over every image, in the order in which they were indexed."""
    scored = []
    for ids, vectors in index.parts():
        for name, own in zip(ids, vectors, strict=True):
            scored.append((name, sum(float(a) * float(b) for a, b in zip(own, vector, strict=True))))
    return sorted(scored, key=lambda one: -one[1])[:k]


def test_the_nearest_are_those_of_a_plain_loop(index):
    opened = vldeformer.open_index(index)
    assert len(opened) == 13
    for text in QUERIES:
        expected = plain_answer(opened, opened.encode_text(text), 5)
        found = opened.search(text, k=5)
        assert [hit.id for hit in found] == [name for name, _ in expected]
        np.testing.assert_allclose([hit.score for hit in found], [score for _, score in expected], atol=1e-12)
        assert all(hit.path.is_file() and hit.path.name == hit.id.split("/")[1] for hit in found)


def test_a_query_has_the_same_answer_to_the_bit_whatever_was_asked_before(index):
    alone = {text: SearchIndex.open(index).search(text, 6) for text in QUERIES}
    opened = SearchIndex.open(index)
    for text in [*QUERIES, *QUERIES[::-1]]:
        opened.search("something else", 13)
        opened.similar("a/same.png")
        assert opened.search(text, 6) == alone[text]
        assert opened.search(text, 2) == alone[text][:2], "k changes nothing but the length"
        assert opened.search(text, 999)[:6] == alone[text]


def test_equal_images_tie_and_the_one_indexed_first_stands_first(model, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in "cabd":
        picture(1).save(folder / f"{name}.png")
    index_images(model, folder, tmp_path / "index")
    hits = SearchIndex.open(tmp_path / "index").search("a red ring", 3)
    assert [hit.id for hit in hits] == ["a.png", "b.png", "c.png"] and len({hit.score for hit in hits}) == 1


def test_more_like_this_leaves_the_image_itself_out_and_needs_no_model(index):
    opened = SearchIndex.open(index, model="/nowhere/at/all")
    vectors = {name: own for ids, part in opened.parts() for name, own in zip(ids, part, strict=True)}
    expected = [name for name, _ in plain_answer(opened, vectors["a/same.png"], 13) if name != "a/same.png"]
    assert [hit.id for hit in opened.similar("a/same.png", 12)] == expected
    assert "not in the index" in refusal(opened.similar, "a/05.png")


def test_a_picture_finds_itself_first(index):
    hit = SearchIndex.open(index).search_image(picture(3), 1)[0]
    assert hit.id == "a/03.png" and hit.score == pytest.approx(1, abs=1e-6)


def test_wrong_questions_are_refused_in_one_line(index):
    opened = SearchIndex.open(index)
    assert "expected some words" in refusal(opened.search, " \n")
    assert "expected some words" in refusal(opened.search, None)
    assert "at least 1, got 0" in refusal(opened.search, "ring", 0)
    assert "expected width 32, got 3" in refusal(opened.search_vector, np.array([1, 0, 0], np.float32))
    assert "has length" in refusal(opened.search_vector, np.full(32, np.nan, np.float32))
    assert "at least k = 10 to re-rank, got 3" in refusal(opened.search, "ring", 10, lambda text, hits: hits, 3)


@pytest.mark.parametrize("k", [0, -1, -5, 1.5, None])
def test_fewer_than_one_hit_is_refused_however_it_is_asked(index, k):
    opened = SearchIndex.open(index)
    vector = opened.encode_text("a ring")
    asked = [
        lambda: opened.search("ring", k),
        lambda: opened.search("ring", k, lambda text, hits: hits, 12),
        lambda: opened.search_image(picture(3), k),
        lambda: opened.similar("a/03.png", k),
        lambda: opened.search_vector(vector, k),
    ]
    for ask in asked:
        assert refusal(ask) == f"k: expected a whole number, at least 1, got {k!r}"


def test_what_the_model_does_not_read_of_a_query_is_said(index):
    opened = SearchIndex.open(index)
    assert opened.unread("a red ring") is None
    assert "knows none of these words" in opened.unread("🦊 🦊")
    assert "reads the first 22 of" in opened.unread("a star " * 250)
    assert "does not know 1 of" in opened.unread("a red ring 🦊")


def test_other_models_versions_and_damage_are_refused(index, model_folder, tmp_path):
    assert "expected an index" in refusal(SearchIndex.open, tmp_path)
    other = SearchIndex.open(index, model=model_folder("squares", "mean_all"))
    assert "not the model that made" in refusal(other.search, "ring")
    assert "say with --model" in refusal(SearchIndex.open(index, model="/nowhere/at/all").search, "ring")
    cut = index / "shards" / "000001" / "vectors.npy"
    cut.write_bytes(cut.read_bytes()[:-200])
    assert "000001" in refusal(SearchIndex.open, index)
    value = json.loads(forget(index / "index.json").read_text())
    (index / "index.json").write_text(json.dumps(value | {"format": 2}))
    assert "format 2, this version reads 1" in refusal(SearchIndex.open, index)


def test_searching_writes_nothing_and_works_on_a_read_only_index(index):
    for path in [*index.rglob("*"), index]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: path.stat().st_mtime_ns for path in [*index.rglob("*"), index]}
    opened = SearchIndex.open(index)
    assert opened.search("a red ring", 3) and opened.similar("a/same.png", 3)
    assert {path: path.stat().st_mtime_ns for path in [*index.rglob("*"), index]} == before
    assert not any(shard.vectors.flags.writeable for shard, _ in opened._rows.placed)
    for path in [index, *index.rglob("*")]:
        path.chmod(0o755)


def test_an_index_moves_with_its_photographs(index, model, photos, tmp_path):
    moved = tmp_path / "moved"
    moved.mkdir()
    index.rename(moved / "index")
    photos.rename(moved / "photos")
    hit = SearchIndex.open(moved / "index").search("a red ring", 1)[0]
    assert hit.path.is_file()
    assert index_images(model, moved / "photos", moved / "index").added == 1, "the removed one comes back, nothing else is read"


@pytest.mark.parametrize("kind", ["squares", "photographs"])
def test_the_joint_model_orders_the_candidates(model_folder, photos, tmp_path, kind):
    model, joint = model_folder(kind), model_folder(kind, reading="joint")
    index_images(model, photos, tmp_path / "index")
    opened = SearchIndex.open(tmp_path / "index")
    rerank = JointReranker(joint, opened.images)
    near = opened.search("a red ring", 9)
    expected = {hit.id: rerank.score("a red ring", [hit.id])[0] for hit in near}
    found = opened.search("a red ring", 3, rerank, candidates=9)
    assert [hit.id for hit in found] == sorted(expected, key=lambda name: -expected[name])[:3]
    np.testing.assert_allclose([hit.joint for hit in found], [expected[hit.id] for hit in found], atol=1e-5)
    assert {hit.id: hit.score for hit in found}.items() <= {hit.id: hit.score for hit in near}.items()
    assert opened.search("a red ring", 3, rerank, candidates=9) == found
    assert "no matching head" in refusal(JointReranker, model, opened.images)
    (photos / near[0].id).unlink()
    assert "photograph not found" in refusal(opened.search, "a red ring", 3, rerank, 9)


def test_joint_scores_of_regions_are_those_of_the_stage(model_folder, tiny, region_store, manifest, tmp_path):
    from vldeformer.retrieval.pair_scores import score_listed
    from vldeformer.retrieval.reader import open_matcher
    from vldeformer.runtime import this_machine

    joint = model_folder("oscar", reading="joint", extractor=True)
    index_images(model_folder("oscar"), tiny.regions, tmp_path / "index")
    opened = SearchIndex.open(tmp_path / "index")
    part = manifest.split("test").first(5)
    rows = np.arange(5)
    matcher, reader = open_matcher(joint, tiny.regions, this_machine())
    expected = score_listed(matcher, part, (rows, np.zeros(5, dtype=int)), reader)
    found = JointReranker(joint, opened.images).score(part.captions[0].text, [image.id for image in part.images])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_photographs_of_their_own_shape_are_searched(model_folder, photos, tmp_path):
    index_images(model_folder("photographs"), photos, tmp_path / "index")
    hit = SearchIndex.open(tmp_path / "index").search_image(picture(7), 1)[0]
    assert hit.id == "a/07.png" and hit.score == pytest.approx(1, abs=1e-6)


def test_too_many_open_files_are_not_called_damage(index, monkeypatch):
    def full(path):
        raise OSError(errno.EMFILE, "Too many open files", path)

    monkeypatch.setattr("pyarrow.memory_map", full)
    with pytest.raises(OSError, match="Too many open files"):
        SearchIndex.open(index)


def test_a_structure_that_is_replaced_while_the_index_is_opened(index, monkeypatch):
    index_images(json.loads((index / DESCRIPTION).read_text())["model"], photos_of(index), index, structure="hnsw")
    old = read_contents(index)
    found = iter([old])  # then a writer is quicker

    def reading(folder):
        before = next(found, None)
        if before is not None:
            index_images(json.loads((index / DESCRIPTION).read_text())["model"], photos_of(index), index, structure="sq8")
        return before or read_contents(folder)

    monkeypatch.setattr("vldeformer.search.index.read_contents", reading)
    assert SearchIndex.open(index).structure == "sq8"
    (index / read_contents(index).structure.file).unlink()
    assert "missing or damaged" in refusal(SearchIndex.open, index)


def photos_of(index):
    return (index / json.loads((index / DESCRIPTION).read_text())["images"]).resolve()


def test_an_index_of_a_store_that_has_gone_still_answers(model, photos, tmp_path):
    files = {path.stem: path.name for path in sorted((photos / "a").iterdir())}
    write_photographs(tmp_path / "store", photos / "a", files)
    index_images(model, tmp_path / "store", tmp_path / "index")
    opened = SearchIndex.open(tmp_path / "index")
    assert opened.search("a ring", 1)[0].path.is_file()
    (tmp_path / "store" / "photographs.json").unlink()
    opened = SearchIndex.open(tmp_path / "index")
    assert [hit.path for hit in opened.search("a ring", 3)] == [None] * 3


def test_opened_again_it_holds_what_is_on_disk_and_keeps_its_model(index):
    opened = SearchIndex.open(index)
    encoder, before = opened.encoder, opened.search("a red ring", 13)
    assert "a/03.png" in opened and "a/05.png" not in opened and "a/99.png" not in opened and None not in opened
    remove_images(index, ["a/03.png"])
    again = opened.reopened()
    assert "a/03.png" in opened and "a/03.png" not in again and again.encoder is encoder
    assert again.search("a red ring", 13) == [hit for hit in before if hit.id != "a/03.png"]


@pytest.mark.parametrize("name", ["vectors.npy", "items.arrow"])
def test_every_flipped_bit_of_a_shard_is_refused_before_there_is_a_hit(tmp_path, name):
    vectors = np.random.default_rng(0).standard_normal((20, 8), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    path = stored_index(tmp_path / "index", [vectors[:10], vectors[10:]]) / "shards" / "000001" / name
    whole = path.read_bytes()
    for bit in np.random.default_rng(1).choice(8 * len(whole), 40, replace=False).tolist():
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        assert "000001" in refusal(lambda: SearchIndex.open(tmp_path / "index").search_vector(vectors[0], 1))
    path.write_bytes(whole)
    assert SearchIndex.open(tmp_path / "index").search_vector(vectors[13], 1)[0].id == "13"


def test_a_vector_of_another_length_in_an_index_without_checksums_is_refused(tmp_path):
    vectors = np.eye(8, dtype=np.float32)
    vectors[3] *= 1000
    stored_index(tmp_path / "index", [vectors])
    assert "row 3 ('3') has length 1000" in refusal(lambda: SearchIndex.open(tmp_path / "index").search_vector(vectors[0], 1))


def test_a_flipped_bit_of_a_structure_is_refused_before_faiss_reads_it(index, model, photos):
    index_images(model, photos, index, structure="sq8")
    (path,) = index.glob("*.faiss")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    assert "sq8-15.faiss: damaged" in refusal(SearchIndex.open, index)
