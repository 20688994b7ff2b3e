import pytest

from vldeformer.errors import InputError
from vldeformer.evaluation.coco_ids import caption_numbers, image_numbers

OWN = {391895: [781998, 770337, 771687], 60623: [152106, 158205]}


def test_an_image_is_known_by_the_number_at_the_end_of_its_id():
    ids = ["391895", "COCO_val2014_000000060623", "coco:483108", "val2014/COCO_val2014_000000384213.jpg", "000000386164"]
    assert image_numbers(ids) == [391895, 60623, 483108, 384213, 386164]


def test_ids_that_name_no_coco_image_or_one_twice():
    with pytest.raises(InputError, match=r"keys: expected COCO ids, .*got 'dog'"):
        image_numbers(["1", "dog"], "keys")
    with pytest.raises(InputError, match="'7' and 'COCO_val2014_000000000007' are the same COCO image 7"):
        image_numbers(["7", "COCO_val2014_000000000007"])


def test_a_caption_is_known_by_its_number_or_by_its_place_among_the_numbers_of_its_image():
    ids = ["770337", "coco:781998", "391895#1", "coco:391895#0", "COCO_val2014_000000060623#1"]
    images = [391895, 391895, 391895, 391895, 60623]
    assert caption_numbers(ids, images, OWN) == [770337, 781998, 771687, 770337, 158205]


@pytest.mark.parametrize("wrong", ["770338", "391895#3", "60623#0", "first", "152106"])
def test_a_caption_of_no_such_number_place_or_image(wrong):
    expected = "expected 770337, 771687, 781998 or 391895#0 to 391895#2 for a caption of image 391895, got "
    with pytest.raises(InputError, match=f"{expected}'{wrong}'"):
        caption_numbers([wrong], [391895], OWN)
