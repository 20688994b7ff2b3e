"""An array that grows on disk is, when finished, the file that NumPy would have written."""

import numpy as np
import pytest

from vldeformer.data.growing_array import GrowingArray

ROWS = np.arange(24, dtype=np.float32).reshape(8, 3)


@pytest.mark.parametrize("cuts", [[], [8], [1, 1, 5, 8], [0, 3]])
def test_it_equals_the_file_that_numpy_writes(tmp_path, cuts):
    np.save(tmp_path / "whole.npy", ROWS)
    growing = GrowingArray(tmp_path / "grown.npy", np.float32, (3,))
    for part in np.split(ROWS, cuts):
        growing.extend(part)
    growing.finish()
    growing.close()
    assert (tmp_path / "grown.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_values_are_converted_to_its_type_and_scalars_are_rows(tmp_path):
    growing = GrowingArray(tmp_path / "grown.npy", np.int64)
    growing.extend([1, 2])
    growing.extend([3])
    growing.finish()
    growing.close()
    grown = np.load(tmp_path / "grown.npy")
    assert grown.tolist() == [1, 2, 3] and grown.dtype == np.int64


def test_a_killed_one_goes_on_after_the_rows_that_count(tmp_path):
    np.save(tmp_path / "whole.npy", ROWS)
    killed = GrowingArray(tmp_path / "grown.npy", np.float32, (3,))
    killed.extend(ROWS[:5])
    assert killed.flush() == (tmp_path / "grown.npy").stat().st_size
    killed.extend(ROWS[:2] + 9)
    killed.close()
    growing = GrowingArray(tmp_path / "grown.npy", np.float32, (3,), rows=5)
    growing.extend(ROWS[5:])
    growing.finish()
    growing.close()
    assert (tmp_path / "grown.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()
