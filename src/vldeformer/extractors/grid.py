"""A feature map → the cells of a coarser grid: which of its rows and columns a cell covers, their mean, and the cell's box."""

import numpy as np
from jaxtyping import Float


def cell_spans(length: int, cells: int) -> list[tuple[int, int]]:
    """First and end of each cell along one side of ``length`` rows. A row that two cells share is in both; none is left out."""
    return [(cell * length // cells, -(-(cell + 1) * length // cells)) for cell in range(cells)]


def pooled_cells(feature_map: Float[np.ndarray, "V H W"], grid: int) -> Float[np.ndarray, "R V"]:
    """Mean of the map over each cell, row by row: R = grid × grid."""
    rows, columns = (cell_spans(length, grid) for length in feature_map.shape[1:])
    cells = [feature_map[:, top:bottom, left:right].mean(axis=(1, 2)) for top, bottom in rows for left, right in columns]
    return np.stack(cells)


def cell_boxes(height: int, width: int, grid: int) -> Float[np.ndarray, "R 4"]:
    """Boxes of the cells of a map of ``height`` × ``width``: x1 y1 x2 y2 as fractions of the image, float32, row by row."""
    rows, columns = cell_spans(height, grid), cell_spans(width, grid)
    boxes = [(left / width, top / height, right / width, bottom / height) for top, bottom in rows for left, right in columns]
    return np.array(boxes, dtype=np.float32)
