"""Accuracies and intervals by plain loops, ties against the model, paired gains, and results on disk."""

import json
import math
from statistics import NormalDist

import numpy as np
import pytest
from older_files import forget

from vldeformer.errors import InputError
from vldeformer.evaluation.compositional_result import CompositionalResult, accuracy_gain, items_path
from vldeformer.evaluation.measures import Bootstrap
from vldeformer.seeding import named_generator

BOOTSTRAP = Bootstrap(samples=200, confidence=0.9, seed=4)
Z = NormalDist().inv_cdf(0.95)
SUBSETS = ["replace_obj"] * 6 + ["swap_att"] * 4 + ["add_obj"] * 2
IMAGES = ["a", "b", "c", "d", "a", "e", "b", "c", "d", "e", "a", "c"]


def result(scores, **changes):
    values = {
        "dataset": "tiny", "experiment": "mine", "reading": "dual", "subsets": tuple(SUBSETS),
        "keys": tuple(map(str, range(12))), "image_ids": tuple(IMAGES), "longer": np.array([False] * 10 + [True] * 2),
        "scores": np.asarray(scores, dtype=np.float32), "blind": None, "left_out": 0, "bootstrap": BOOTSTRAP,
    }  # fmt: skip
    return CompositionalResult(**values | changes)


@pytest.fixture
def scores():
    drawn = np.random.default_rng(1).normal(size=(12, 2))
    drawn[3] = 0.5  # a tie
    return drawn


def slow_accuracy(scores, subset, times_drawn):
    right = drawn = 0
    for name, image, (true, negative) in zip(SUBSETS, IMAGES, scores, strict=True):
        if name == subset:
            drawn += times_drawn["abcde".index(image)]
            right += times_drawn["abcde".index(image)] * (true > negative)
    return 100 * right / drawn if drawn else None


def test_accuracies_and_intervals_are_those_of_plain_loops(scores):
    found, draws = result(scores).accuracies(), BOOTSTRAP.draws(5)
    for subset in ("replace_obj", "swap_att", "add_obj"):
        assert found[subset].value == pytest.approx(slow_accuracy(scores, subset, [1] * 5))
        samples = [value for row in draws if (value := slow_accuracy(scores, subset, row)) is not None]
        ends = tuple(np.quantile(samples, [0.05, 0.95]))
        if found[subset].value in (0, 100):  # Wilson's, of the images that have such an item
            images = len({image for image, name in zip(IMAGES, SUBSETS, strict=True) if name == subset})
            width = 100 * Z * Z / (images + Z * Z)
            ends = (100 - width, 100) if found[subset].value else (0, width)
        assert (found[subset].low, found[subset].high) == pytest.approx(ends)
    three = [found[subset].value for subset in ("replace_obj", "swap_att", "add_obj")]
    assert found["mean"].value == pytest.approx(np.mean(three))
    assert found["object"].value == pytest.approx((three[0] + three[2]) / 2) and found["attribute"].value == three[1]
    assert "relation" not in found


def test_a_tie_counts_against_the_model_and_is_reported():
    same = result(np.ones((12, 2)))
    assert same.accuracies()["mean"].value == 0 and same.summary()["subsets"]["swap_att"]["tie_rate"] == 100


def test_a_blind_tie_is_a_guess():
    blind = np.zeros((12, 2, 2))
    blind[:6, 0] = [[1, -1]] * 6  # likelier in all, not a word
    blind[0, 0, 0] = 1e-12  # but for rounding a tie
    said = result(np.ones((12, 2)), blind=blind).summary()["subsets"]["replace_obj"]
    assert (said["blind"], said["blind_ties"], said["blind_per_word"]) == pytest.approx((100 * 5.5 / 6, 100 / 6, 0))


def test_gain_is_the_paired_mean_over_seeds(scores):
    runs = [result(scores), result(scores[::-1]), result(-scores), result(scores * [[1, -1]])]
    gain = accuracy_gain([(runs[0], runs[1]), (runs[2], runs[3])], BOOTSTRAP)
    draws = BOOTSTRAP.draws(5)
    seeds = named_generator(BOOTSTRAP.seed, "bootstrap", "seeds").integers(2, size=(len(draws), 2))

    def slow(row, drawn):
        each = [slow_accuracy(run.scores, "replace_obj", row) for run in runs]
        if each[0] is None:
            return None
        gains = [each[0] - each[1], each[2] - each[3]]
        mean = sum(gains) / 2
        return mean + math.sqrt(2) * (sum(gains[seed] for seed in drawn) / 2 - mean)

    samples = [value for row, drawn in zip(draws, seeds, strict=True) if (value := slow(row, drawn)) is not None]
    assert gain["replace_obj"].value == pytest.approx(slow([1] * 5, [0, 1]))
    assert (gain["replace_obj"].low, gain["replace_obj"].high) == pytest.approx(tuple(np.quantile(samples, [0.05, 0.95])))
    assert accuracy_gain([(runs[0], runs[0])], BOOTSTRAP)["mean"].high == 0


def test_results_of_other_items_are_not_compared(scores):
    other = result(scores, keys=tuple(map(str, range(1, 13))), experiment="other")
    with pytest.raises(InputError, match="mine and other: expected results of the same items"):
        accuracy_gain([(result(scores), other)], BOOTSTRAP)


@pytest.mark.parametrize("blind", [None, np.random.default_rng(2).normal(size=(12, 2, 2))])
def test_a_result_survives_the_disk(scores, tmp_path, blind):
    made, path = result(scores, blind=blind), tmp_path / "compositional.json"
    made.save(path)
    found = CompositionalResult.load(path)
    assert found.summary() == made.summary() == json.loads(forget(path).read_text())
    np.testing.assert_array_equal(found.scores, made.scores)
    assert found.image_ids == made.image_ids and (found.blind is None) == (blind is None)


def test_damaged_results_are_named(scores, tmp_path):
    path = tmp_path / "compositional.json"
    result(scores).save(path)
    whole = items_path(path).read_bytes()
    items_path(path).write_bytes(whole[:50])
    with pytest.raises(InputError, match=r"compositional\.items\.parquet: expected items' scores"):
        CompositionalResult.load(path)
    items_path(path).unlink()
    with pytest.raises(InputError, match="found no file"):
        CompositionalResult.load(path)
    items_path(path).write_bytes(whole)
    path.write_text(forget(path).read_text().replace('"n_items": 12', '"n_items": 13'))
    with pytest.raises(InputError, match=r"12 items, but compositional\.json is of 13"):
        CompositionalResult.load(path)
    path.write_text("{}")
    with pytest.raises(InputError, match="expected a result of `vldeformer compositional`"):
        CompositionalResult.load(path)
