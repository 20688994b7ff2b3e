import math
import statistics

import numpy as np
import oracles
import pytest
from made_ranks import UNEVEN, some_ranks
from scipy.stats import ttest_1samp

from vldeformer.evaluation.measures import Bootstrap, measure
from vldeformer.evaluation.over_seeds import over_seeds, recall_drop, t_interval
from vldeformer.retrieval.ranking import Ranks
from vldeformer.seeding import named_generator

BOOTSTRAP = Bootstrap(300, 0.95, 0)


def resampled(by_seed, bootstrap=BOOTSTRAP):
    """(seeds, images) values → (seeds, 1 + samples) means over the images that were drawn."""
    images = by_seed.shape[1]
    weights = np.concatenate([np.ones((1, images)), bootstrap.draws(images)])
    return by_seed @ weights.T / images


def test_it_equals_the_loop_over_drawn_seeds_and_images():
    by_seed = np.random.default_rng(0).normal(size=(4, 30))
    draws, seeds = BOOTSTRAP.draws(30), named_generator(0, "bootstrap", "seeds").integers(4, size=(300, 4))
    means = []
    for images, drawn in zip(draws, seeds, strict=True):
        values = [sum(count * value for count, value in zip(images, own, strict=True)) / 30 for own in by_seed]
        all_seeds = statistics.mean(values)
        means.append(all_seeds + math.sqrt(4 / 3) * (statistics.mean(values[seed] for seed in drawn) - all_seeds))
    found = over_seeds(resampled(by_seed), BOOTSTRAP)
    assert found.value == pytest.approx(by_seed.mean())
    assert [found.low, found.high] == pytest.approx(np.quantile(means, [0.025, 0.975]).tolist())


def test_one_seed_has_the_interval_of_its_images_and_no_t_interval():
    values = resampled(np.random.default_rng(1).normal(size=(1, 30)))
    found = over_seeds(values, BOOTSTRAP)
    assert [found.low, found.high] == pytest.approx(np.quantile(values[0, 1:], [0.025, 0.975]).tolist())
    assert (found.t_low, found.t_high) == (None, None)


def test_resamples_without_an_item_are_left_out():
    values = resampled(np.random.default_rng(2).normal(size=(2, 30)))
    values[:, 7] = np.nan
    assert np.isfinite([over_seeds(values, BOOTSTRAP).low, over_seeds(values, BOOTSTRAP).high]).all()


def test_the_t_interval_is_that_of_scipy():
    values = np.array([-0.8, 0.1, 1.9, -2.5, 0.6])
    expected = ttest_1samp(values, 0).confidence_interval(0.95)
    assert t_interval(values, 0.95) == pytest.approx((expected.low, expected.high))


def test_the_interval_over_seeds_covers_the_truth_about_as_often_as_it_says():
    """Five seeds that differ from each other as a trained model does."""
    generator, covered, worlds = np.random.default_rng(3), 0, 300
    for _ in range(worlds):
        by_seed = generator.normal(size=(1, 40)) + generator.normal(scale=0.5, size=(5, 1)) + generator.normal(size=(5, 40))
        found = over_seeds(resampled(by_seed), BOOTSTRAP)
        covered += found.low <= 0 <= found.high
    assert 0.86 <= covered / worlds <= 0.99


def test_drop_is_paired():
    joint, bootstrap = some_ranks(2), Bootstrap(200, 0.95, 0)
    same = recall_drop([(joint, joint)], UNEVEN, bootstrap)
    assert (same.value, same.low, same.high) == (0, 0, 0)  # two unpaired resamplings would give an interval around 0

    worse = Ranks(joint.i2t + 5, joint.t2i + 5)
    drop = recall_drop([(joint, worse)], UNEVEN, bootstrap)
    apart = measure(joint, UNEVEN, bootstrap).mean_recall.value - measure(worse, UNEVEN, bootstrap).mean_recall.value
    assert drop.value == pytest.approx(apart)
    differences = []
    for draw in bootstrap.draws(4).tolist():
        both = []
        for ranks in (joint, worse):
            sides = oracles.resampled_queries(ranks.i2t.tolist(), ranks.t2i.tolist(), UNEVEN.tolist(), draw)
            both.append(np.mean([oracles.recall_at(queries, cutoff) for queries in sides for cutoff in (1, 5, 10)]))
        differences.append(both[0] - both[1])
    assert [drop.low, drop.high] == pytest.approx(np.quantile(differences, [0.025, 0.975]).tolist())


def test_a_drop_over_seeds_is_the_mean_of_the_drops_on_the_same_resamples():
    bootstrap = Bootstrap(200, 0.95, 0)
    pairs = [(some_ranks(1), some_ranks(2)), (some_ranks(3), some_ranks(4))]
    together = recall_drop(pairs, UNEVEN, bootstrap)
    apart = [recall_drop([pair], UNEVEN, bootstrap).value for pair in pairs]
    assert together.value == pytest.approx(np.mean(apart))
    cancelling = recall_drop([pairs[0], pairs[0][::-1]], UNEVEN, bootstrap)
    assert cancelling.value == pytest.approx(0) and cancelling.low < 0 < cancelling.high, "seeds that differ widen the interval"
    with pytest.raises(ValueError, match="same queries"):
        recall_drop([(pairs[0][0], Ranks(pairs[0][0].i2t[:2], pairs[0][0].t2i))], UNEVEN, bootstrap)
