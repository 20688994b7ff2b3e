import numpy as np
import pytest

from vldeformer.data.relevance import Relevance
from vldeformer.errors import InputError


def test_captions_in_any_order_and_uneven_number():
    relevance = Relevance.from_caption_image_index(np.array([2, 0, 2, 1, 0, 2]), 3)
    assert [relevance.i2t[image].tolist() for image in range(3)] == [[1, 4], [3], [0, 2, 5]]
    assert [relevance.t2i[caption].tolist() for caption in range(6)] == [[2], [0], [2], [1], [0], [2]]


def test_contain_answers_for_each_pair():
    relevance = Relevance.from_sets(i2t=[{0, 2}, {1}], t2i=[{0}, {1}, {0, 1}])
    queries, rows = np.divmod(np.arange(6), 3)
    assert relevance.i2t.contain(queries, rows).tolist() == [True, False, True, False, True, False]
    assert relevance.t2i[2].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("index", "message"),
    [([0, 0, 2], "image row 1 has no caption"), ([0, 1, 3], "expected 0 to 2"), ([-1, 1, 2], "expected 0 to 2")],
)
def test_bad_index(index, message):
    with pytest.raises(InputError, match=message):
        Relevance.from_caption_image_index(np.array(index), 3)


def test_bad_sets():
    with pytest.raises(InputError, match="query row 1 has no right item"):
        Relevance.from_sets(i2t=[{0}, set()], t2i=[{0}])
    with pytest.raises(InputError, match="names item 5"):
        Relevance.from_sets(i2t=[{5}], t2i=[{0}])
