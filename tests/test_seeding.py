"""Random numbers by name."""

import subprocess
import sys

import numpy as np
import pytest

from vldeformer.seeding import named_generator, named_seed


def test_the_same_names_give_the_same_numbers_whatever_was_drawn_before():
    first = named_generator(1, "order", 3).integers(1000, size=5)
    np.random.default_rng(0).random(10)
    named_generator(1, "order", 4).random()
    assert np.array_equal(named_generator(1, "order", 3).integers(1000, size=5), first)


@pytest.mark.parametrize(
    "other", [(2, "order", 3), (1, "order", 4), (1, "other", 3), (1, "order"), (1, "order", 3, 0), ("order", 1, 3)]
)
def test_other_names_give_other_numbers(other):
    assert named_seed(*other) != named_seed(1, "order", 3)


def test_names_do_not_run_together():
    assert named_seed(1, 23) != named_seed(12, 3) and named_seed("ab", "c") != named_seed("a", "bc")


def test_seeds_fit_torch_and_are_the_same_for_ever():
    assert all(0 <= named_seed(number) < 2**63 for number in range(100))
    code = "from vldeformer.seeding import named_seed; print(named_seed(0, 'weights'))"
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(again) == named_seed(0, "weights") == 7831180306208225803
