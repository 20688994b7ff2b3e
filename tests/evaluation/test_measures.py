from statistics import NormalDist

import numpy as np
import oracles
import pytest
from made_ranks import UNEVEN, some_ranks

from vldeformer.evaluation.measures import Bootstrap, measure
from vldeformer.retrieval.ranking import Ranks


def test_values_equal_the_loop():
    ranks = some_ranks(0)
    measures = measure(ranks, UNEVEN, Bootstrap(100, 0.95, 0))
    recalls = []
    for own, estimates in ((ranks.i2t, measures.i2t), (ranks.t2i, measures.t2i)):
        for cutoff in (1, 5, 10):
            recalls.append(oracles.recall_at(own.tolist(), cutoff))
            assert estimates[f"R@{cutoff}"].value == pytest.approx(recalls[-1])
        assert estimates["median_rank"].value == np.median(own)
    assert measures.mean_recall.value == pytest.approx(sum(recalls) / 6)
    assert measures.rsum == pytest.approx(sum(recalls))


def test_intervals_equal_the_loop_over_resampled_images():
    ranks, bootstrap = some_ranks(1), Bootstrap(150, 0.9, 7)
    measures = measure(ranks, UNEVEN, bootstrap)
    means, medians, firsts = [], [], []
    for draw in bootstrap.draws(4).tolist():
        images, captions = oracles.resampled_queries(ranks.i2t.tolist(), ranks.t2i.tolist(), UNEVEN.tolist(), draw)
        recalls = [oracles.recall_at(queries, cutoff) for queries in (images, captions) for cutoff in (1, 5, 10)]
        means.append(sum(recalls) / 6)
        firsts.append(recalls[4])
        medians.append(np.median(captions))
    for values, estimate in (
        (means, measures.mean_recall),
        (firsts, measures.t2i["R@5"]),
        (medians, measures.t2i["median_rank"]),
    ):
        assert [estimate.low, estimate.high] == pytest.approx(np.quantile(values, [0.05, 0.95]).tolist())


@pytest.mark.parametrize("rank", [1, 99])
def test_a_share_of_nothing_or_all_has_wilsons_interval(rank):
    index, z = np.repeat(np.arange(40), 5), NormalDist().inv_cdf(0.975)
    measures = measure(Ranks(np.full(40, rank), np.full(200, rank)), index, Bootstrap(100, 0.95, 0))
    width = 100 * z * z / (40 + z * z)  # of 40 images: captions of one image depend on another
    for estimate in (measures.i2t["R@1"], measures.t2i["R@10"]):
        ends = (100 - width, 100) if rank == 1 else (0, width)
        assert (estimate.low, estimate.high) == pytest.approx(ends)
        assert estimate.value == (100 if rank == 1 else 0)


def test_every_draw_has_as_many_images_as_there_are_and_the_seed_decides():
    draws = Bootstrap(100, 0.95, 3).draws(50)
    assert set(draws.sum(axis=1)) == {50}
    np.testing.assert_array_equal(draws, Bootstrap(100, 0.95, 3).draws(50))
    assert (draws != Bootstrap(100, 0.95, 4).draws(50)).any()


def test_interval_covers_the_truth_about_as_often_as_it_says():
    # 120 images whose five captions share their difficulty: per-caption resampling would cover far less often.
    index, covered, truth = np.repeat(np.arange(120), 5), 0, 50.0
    for seed in range(200):
        easy = np.random.default_rng(seed).random(120) < truth / 100
        ranks = Ranks(np.where(easy, 1, 99), np.where(easy, 1, 99)[index])
        estimate = measure(ranks, index, Bootstrap(300, 0.95, 0)).t2i["R@1"]
        covered += estimate.low <= truth <= estimate.high
    assert 0.90 <= covered / 200 <= 0.99
