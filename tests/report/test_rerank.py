"""Re-ranking in the report: times and ratios recomputed by hand, the table, the figure, and files that do not fit."""

import json

import pytest

from vldeformer.errors import InputError
from vldeformer.report.rerank import read_rerank, rerank_table
from vldeformer.report.speed import read_speed
from vldeformer.report.time_figures import save_rerank

MEASURED = {
    "depth": 5, "dual_weight": 2.0, "n_images": 40, "n_captions": 200, "pair_ms": 0.5, "proposal_seconds": 0.25,
    "timed_queries": 9, "depths": [{"k": 1, "pairs": 210, "query_ms": 4.0}, {"k": 5, "pairs": 1020, "query_ms": 9.0}],
}  # fmt: skip


@pytest.fixture
def joint(make):
    return make("joint", "subset", 40, 10, 1)


@pytest.fixture
def folder(tmp_path, make):
    path = tmp_path / "depths"
    path.mkdir()
    (path / "rerank.json").write_text(json.dumps(MEASURED))
    for k in (1, 5):
        make("reranked", "subset", 40, 12 - k, k).save(path / f"depth_{k}.json")
    return path


def test_times_are_encoding_search_and_pairs_against_all_pairs(folder, joint, speed_path, settings):
    speed, found = read_speed(speed_path), read_rerank(folder)
    numbers = rerank_table(found, joint, speed, settings).numbers
    encoding = 0.35e-3 * 40 + 0.121e-3 * 200
    whole = 0.5e-3 * 40 * 200
    for row, pairs, query_ms in ((0, 210, 4.0), (1, 1020, 9.0)):
        seconds = encoding + 0.25 + 0.5e-3 * pairs
        assert numbers["seconds"][row] == pytest.approx(seconds) and numbers["speedup"][row] == pytest.approx(whole / seconds)
        query = (0.2 + 4e-5 * 1_000_000 + query_ms) / 1e3
        assert numbers["query_speedup_extrapolated"][row] == pytest.approx(5e-4 * 1_000_000 / query)
        drop = joint.mean_recall.value - found.results[numbers["k"][row]].mean_recall.value
        assert numbers["drop"][row] == pytest.approx(drop) and numbers["drop_low"][row] <= drop <= numbers["drop_high"][row]
    assert numbers["pairs"][2] == 8000 and numbers["speedup"][2] == 1


def test_the_table_says_what_was_extrapolated_and_how_candidates_are_ordered(folder, joint, speed_path, settings):
    table = rerank_table(read_rerank(folder), joint, read_speed(speed_path), settings)
    for part in ("joint log-odds + 2 × cosine", "extrapolated to 1,000,000 images", "recall was not measured there"):
        assert part in table.caption
    assert "all (Joint (early interaction))" in table.markdown() and r"\toprule" in table.latex()
    assert len(table.sources) == len(table.numbers) and table.sources[1].files[0].endswith("depth_5.json")


def test_the_figure_has_the_same_bytes_for_the_same_numbers(folder, joint, speed_path, settings, tmp_path):
    given = (read_rerank(folder), joint, read_speed(speed_path), settings)
    for name in ("a", "b"):
        save_rerank(tmp_path / name, *given)
    for suffix in ("svg", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    assert (tmp_path / "a.png").stat().st_size > 10_000


def test_other_pairs_than_the_joint_models_are_refused(folder, make, speed_path, settings):
    with pytest.raises(InputError, match="on other pairs than 'joint'"):
        rerank_table(read_rerank(folder), make("joint", "subset", 30, 10, 1), read_speed(speed_path), settings)


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"depth": 7}, "depth 7 is not among"), ({"pair_ms": "x"}, "key 'pair_ms'"), ({"depths": 3}, "depths")],
)
def test_a_damaged_file_is_named(folder, change, expected):
    (folder / "rerank.json").write_text(json.dumps(MEASURED | change))
    with pytest.raises(InputError, match=expected) as caught:
        read_rerank(folder)
    assert "rerank.json" in str(caught.value) and "\n" not in str(caught.value)
