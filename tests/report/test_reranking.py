"""Re-ranking in the report: times and ratios recomputed by hand, the table, the figure, and files that do not fit."""

import json

import pytest

from vldeformer.errors import InputError
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.report.figures import charts_of
from vldeformer.report.reranking import rerank_table

MEASURED = {
    "depth": 5, "dual_weight": 2.0, "n_images": 40, "n_captions": 200, "pair_ms": 0.5, "proposal_seconds": 0.25,
    "timed_queries": 9, "depths": [{"k": 1, "pairs": 210, "query_ms": 4.0}, {"k": 5, "pairs": 1020, "query_ms": 9.0}],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, make):
    path = tmp_path / "depths"
    path.mkdir()
    (path / "rerank.json").write_text(json.dumps(MEASURED))
    for k in (1, 5):
        make("reranked", "subset", 40, 12 - k, k).save(path / f"depth_{k}.json")
    return path


@pytest.fixture
def reranked(collect, result_paths, folder):
    return collect(result_paths, rerank=folder)


def test_times_are_encoding_search_and_pairs_against_all_pairs(reranked, folder):
    numbers = rerank_table(reranked).numbers()
    encoding = 0.35e-3 * 40 + 0.121e-3 * 200
    whole = 0.5e-3 * 40 * 200
    joint = reranked.recall("joint", "subset").mean_recall.value
    for row, k, pairs, query_ms in ((0, 1, 210, 4.0), (1, 5, 1020, 9.0)):
        seconds = encoding + 0.25 + 0.5e-3 * pairs
        assert numbers["k"][row] == k and numbers["pairs"][row] == pairs
        assert numbers["seconds"][row] == pytest.approx(seconds) and numbers["speedup"][row] == pytest.approx(whole / seconds)
        query = (0.2 + 4e-5 * 1_000_000 + query_ms) / 1e3
        assert numbers["query_speedup_extrapolated"][row] == pytest.approx(5e-4 * 1_000_000 / query)
        drop = joint - RetrievalResult.load(folder / f"depth_{k}.json").mean_recall.value
        assert numbers["drop"][row] == pytest.approx(drop) and numbers["drop_low"][row] <= drop <= numbers["drop_high"][row]
    assert numbers["pairs"][2] == 8000 and numbers["speedup"][2] == 1


def test_the_table_says_what_was_extrapolated_and_how_candidates_are_ordered(reranked):
    table = rerank_table(reranked)
    for part in ("joint log-odds + 2 × cosine", "extrapolated to 1,000,000 images", "recall was not measured there"):
        assert part in table.caption
    assert "all (Joint (early interaction))" in table.markdown() and r"\toprule" in table.latex()
    assert table.rows[1].source.files[0].endswith("depth_5.json")


def test_without_times_of_galleries_nothing_is_said_of_one_query(reranked):
    speed = reranked.speed.model_copy(update={"gallery_curve": ()})
    table = rerank_table(reranked.model_copy(update={"speed": speed}))
    assert "One query" not in table.caption and "One query" not in table.markdown()
    assert "gallery_images" not in table.numbers() and "speedup" in table.numbers()


def test_the_figure_has_the_same_bytes_for_the_same_numbers(reranked, tmp_path):
    (chart,) = [chart for chart in charts_of(reranked) if chart.name == "rerank"]
    for name in ("a", "b"):
        chart.save(tmp_path / name)
    for suffix in ("svg", "png"):
        assert (tmp_path / f"a/rerank.{suffix}").read_bytes() == (tmp_path / f"b/rerank.{suffix}").read_bytes()
    assert (tmp_path / "a/rerank.png").stat().st_size > 10_000


def test_other_pairs_than_the_joint_models_are_refused(collect, result_paths, folder, make):
    make("reranked", "subset", 30, 10, 1).save(folder / "depth_5.json")
    with pytest.raises(InputError, match="on other pairs than 'joint'"):
        collect(result_paths, rerank=folder)


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"depth": 7}, "depth 7 is not among"), ({"pair_ms": "x"}, "key 'pair_ms'"), ({"depths": 3}, "depths")],
)
def test_a_damaged_file_is_named(collect, result_paths, folder, change, expected):
    (folder / "rerank.json").write_text(json.dumps(MEASURED | change))
    with pytest.raises(InputError, match=expected) as caught:
        collect(result_paths, rerank=folder)
    assert "rerank.json" in str(caught.value) and "\n" not in str(caught.value)
