"""Cells of a grid and their boxes, against loops over every place of the map."""

import numpy as np
import pytest

from vldeformer.extractors.grid import cell_boxes, cell_spans, pooled_cells


def places(length, cells, cell):
    """Rows that a cell touches: those of which some part is in the cell's share of the side."""
    low, high = cell / cells, (cell + 1) / cells
    return [row for row in range(length) if row / length < high - 1e-12 and (row + 1) / length > low + 1e-12]


@pytest.mark.parametrize(("length", "cells"), [(7, 1), (7, 3), (7, 7), (16, 5), (4, 4), (14, 6), (3, 2)])
def test_a_cell_covers_the_rows_that_it_touches(length, cells):
    assert [list(range(*span)) for span in cell_spans(length, cells)] == [places(length, cells, cell) for cell in range(cells)]


@pytest.mark.parametrize(("shape", "grid"), [((5, 7, 7), 3), ((2, 7, 7), 7), ((3, 4, 6), 2), ((4, 5, 5), 1)])
def test_cells_are_means_and_boxes_are_where_they_come_from(shape, grid):
    feature_map = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    width, height, across = shape
    found, boxes = pooled_cells(feature_map, grid), cell_boxes(height, across, grid)
    assert found.shape == (grid * grid, width) and boxes.shape == (grid * grid, 4) and boxes.dtype == np.float32
    for row in range(grid):
        for column in range(grid):
            down, right = places(height, grid, row), places(across, grid, column)
            for feature in range(width):
                mean = sum(float(feature_map[feature, y, x]) for y in down for x in right) / (len(down) * len(right))
                assert found[row * grid + column, feature] == pytest.approx(mean, abs=1e-5)
            box = right[0] / across, down[0] / height, (right[-1] + 1) / across, (down[-1] + 1) / height
            np.testing.assert_allclose(boxes[row * grid + column], box, rtol=1e-6)


def test_the_cells_of_a_map_as_it_is_are_its_places():
    feature_map = np.arange(2 * 3 * 3, dtype=np.float32).reshape(2, 3, 3)
    np.testing.assert_array_equal(pooled_cells(feature_map, 3), feature_map.reshape(2, 9).T)
