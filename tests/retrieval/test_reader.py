"""The reader of a model: its lengths, the same from a store and from memory, and the precision of its runtime."""

import dataclasses

import pytest
import tiny_settings
import torch

from vldeformer.errors import InputError
from vldeformer.models.weights import load_model
from vldeformer.retrieval.image_transform import ImageTransform
from vldeformer.retrieval.reader import Lengths, open_encoder, open_matcher, open_model


def test_only_what_is_read_together_from_the_first_layer_on_shares_room():
    backbone = tiny_settings.backbone(joint_tokens=30)
    lengths = {}
    for name, pooling, layers in (("joint", None, None), ("all", None, 2), ("partly", None, 1), ("dual", "mean", None)):
        lengths[name] = Lengths.of(backbone, pooling, layers)
    assert lengths["joint"] == lengths["all"] == Lengths(30, 30)
    assert lengths["partly"] == lengths["dual"] == Lengths(24, 12)
    assert Lengths.of(backbone, "mean_all") == Lengths(24, 12, full=True)
    for kind in ("vilt", "visualbert"):
        assert Lengths.of(tiny_settings.backbone(kind), None) == Lengths(24, 0)


def lengths_of(reader):
    return Lengths(reader.text.most_tokens, reader.visual.tag_tokens, reader.text.full and reader.visual.full)


def test_a_joint_model_reads_with_its_own_lengths_and_decomposed_with_those_of_a_dual_one(model_folder, tiny, runtime):
    folder = model_folder("oscar", pooling="mean_all", reading="joint")
    backbone = load_model(folder)[1].backbone
    joint, dual = Lengths.of(backbone, None), Lengths.of(backbone, "mean_all")
    assert joint != dual and dual.full
    assert lengths_of(open_matcher(folder, tiny.regions, runtime)[1]) == joint
    assert lengths_of(open_model(folder, tiny.regions, runtime)[1]) == joint
    assert lengths_of(open_encoder(folder, tiny.regions, runtime)[1]) == dual


@pytest.mark.parametrize("reading", ["joint", "dual"])
def test_images_in_memory_are_read_as_from_the_store(model_folder, tiny, region_store, runtime, reading):
    folder = model_folder("oscar", pooling="mean_all", reading=reading)
    (_, stored), (_, description, words) = open_model(folder, tiny.regions, runtime), load_model(folder)
    ids = region_store.ids[:3]
    given = ImageTransform(description, words, None, runtime).reader([region_store[name] for name in ids])
    assert lengths_of(given) == lengths_of(stored) and given.runtime == runtime
    for one, other in zip(
        (given.visual.read(["0", "1", "2"]), given.text.read(["a ring"])),
        (stored.visual.read(ids), stored.text.read(["a ring"])),
        strict=True,
    ):
        for field in dataclasses.fields(one):
            assert torch.equal(getattr(one, field.name), getattr(other, field.name)), field.name


def test_a_model_runs_without_gradients_in_the_precision_of_its_reader(readers, runtime):
    reader = dataclasses.replace(readers("oscar"), runtime=runtime.model_copy(update={"precision": "bfloat16"}))
    with reader.inference():
        assert torch.is_inference_mode_enabled() and (torch.eye(2) @ torch.eye(2)).dtype == torch.bfloat16
    assert not torch.is_inference_mode_enabled() and (torch.eye(2) @ torch.eye(2)).dtype == torch.float32


def test_a_store_of_another_kind_or_width_is_refused(model_folder, tiny, runtime):
    with pytest.raises(InputError, match=r"expected a region store \(backbone.kind is oscar\), found none"):
        open_encoder(model_folder("oscar"), tiny.pixels, runtime)
    with pytest.raises(InputError, match=r"expected a pixel store \(backbone.kind is vilt\)"):
        open_matcher(model_folder("squares", reading="joint"), tiny.regions, runtime)
    with pytest.raises(InputError, match="it has no matching head"):
        open_matcher(model_folder("oscar"), tiny.regions, runtime)
