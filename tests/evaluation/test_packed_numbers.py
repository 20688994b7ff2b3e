"""Numbers packed as text: nothing is lost, and what uint16 does not hold is refused."""

import numpy as np
import pytest

from vldeformer.errors import InputError
from vldeformer.evaluation.packed_numbers import LARGEST, pack, unpack


@pytest.mark.parametrize("numbers", [[], [0], [1, 2, 255, 256, 257, 65_534, 65_535], list(range(300)) * 7])
def test_nothing_is_lost(numbers):
    text = pack(np.array(numbers, np.int64), "ranks")
    assert unpack(text).tolist() == numbers and unpack(text).dtype == np.int64
    assert not set(text) & set('"\\\n')  # as it is in JSON


def test_more_than_uint16_holds_is_refused():
    assert unpack(pack(np.array([LARGEST]), "ranks")).tolist() == [65_535]
    with pytest.raises(InputError, match=r"experiment 'a', ranks: expected numbers up to 65,535, got 65,536, which no record"):
        pack(np.array([1, 65_536]), "experiment 'a', ranks")
