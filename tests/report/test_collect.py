"""What the report holds, recomputed from the results by plain loops; results that do not fit are refused."""

import json

import pytest

from vldeformer.errors import InputError
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.report.results import ResultSet


def six(ranks):
    """Mean recall by plain loops."""
    found = [100 * sum(rank <= k for rank in way) / len(way) for way in (ranks.i2t, ranks.t2i) for k in (1, 5, 10)]
    return sum(found) / 6


def test_recalls_and_the_drop_are_those_of_the_ranks(report, result_paths):
    results = {(one.experiment, one.protocol): one for one in map(RetrievalResult.load, result_paths)}
    assert [(one.experiment, one.protocol) for one in report.recalls] == [
        ("joint", "subset"),
        ("decomposed", "subset"),
        ("decomposed", "test"),
    ]
    for one in report.recalls:
        result = results[one.experiment, one.protocol]
        assert one.mean_recall.value == pytest.approx(six(result.ranks))
        assert (one.n_images, one.n_captions) == (len(result.image_ids), len(result.caption_ids))
        assert one.i2t == result.i2t and one.t2i == result.t2i and one.rsum == result.rsum
        for k, (i2t, t2i) in enumerate(zip(one.i2t_at, one.t2i_at, strict=True), start=1):
            assert i2t == pytest.approx(100 * sum(rank <= k for rank in result.ranks.i2t) / len(result.ranks.i2t))
            assert t2i == pytest.approx(100 * sum(rank <= k for rank in result.ranks.t2i) / len(result.ranks.t2i))
    (drop,) = report.drops
    joint, dual = (six(results[name, "subset"].ranks) for name in ("joint", "decomposed"))
    assert (drop.joint_mean_recall, drop.mean_recall) == pytest.approx((joint, dual))
    assert drop.drop.value == pytest.approx(joint - dual) and drop.drop.low <= drop.drop.value <= drop.drop.high
    assert (drop.claim, drop.verdict.word, drop.seeds, drop.claimed) == (0.6, "unknown", 1, True)
    assert {file.rsplit("/", 2)[1] for file in drop.files} == {"joint", "decomposed"}


def test_the_report_does_not_depend_on_the_order_of_the_files(collect, report, result_paths, journals):
    assert collect(result_paths[::-1], journals) == report


def test_the_drop_needs_the_same_pairs(make):
    results = ResultSet([make("joint", "subset", 40, 10, 1), make("decomposed", "subset", 39, 10, 1)])
    with pytest.raises(InputError, match="different pairs"):
        results.pairs("joint", "decomposed", "subset")


def test_missing_and_repeated_results(make, settings):
    with pytest.raises(InputError, match="no result of experiment 'joint' under protocol 'subset'"):
        ResultSet([make("decomposed", "subset", 4, 10, 1)]).pairs("joint", "decomposed", "subset")
    with pytest.raises(InputError, match="two results"):
        ResultSet([make("joint", "subset", 4, 10, 1)] * 2)
    with pytest.raises(InputError, match="one dataset, got none"):
        ResultSet([])
    with pytest.raises(InputError, match="'scratch' has no title"):
        ResultSet([make("scratch", "subset", 4, 10, 1)]).ordered(settings.titles, "subset")


def test_a_main_model_without_a_drop_is_refused(collect, result_paths):
    with pytest.raises(InputError, match=r"report\.main is 'oracle', expected one of report\.decomposed \(decomposed\)"):
        collect(result_paths, main="oracle")


def test_bad_speed_files_are_named_and_other_keys_ignored(collect, result_paths, speed_path):
    value = json.loads(speed_path.read_text())
    speed_path.write_text(json.dumps(value | {"more": 1}))
    assert collect(result_paths).speed.gallery_curve[-1].n_images == 1_000_000
    speed_path.write_text(json.dumps({name: value[name] for name in value if name != "pair_ms"}))
    with pytest.raises(InputError, match=r"speed\.json: key 'pair_ms': Field required; run `vldeformer speed` again"):
        collect(result_paths)
    speed_path.write_text('{"pair_ms": 1')
    with pytest.raises(InputError, match=r"speed\.json: expected JSON"):
        collect(result_paths)
