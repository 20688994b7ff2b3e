"""The decomposed model: same weights, text and image apart, and padding that changes nothing under ``mean``."""

import pytest
import torch

from vldeformer.inputs.batch import PairBatch, RegionInput, TextInput
from vldeformer.models.backbone import Sequence
from vldeformer.models.dual import decompose
from vldeformer.models.joint import JointMatcher
from vldeformer.training.optim import build_optimizer

TEXTS = ["a red ring", "", "two blue stars left of a small green box and a disc", "a box " * 250, "🦊 قطة"]
KINDS = ["oscar", "vilt", "visualbert"]
POOLINGS = ["cls", "sep", "mean", "mean_max"]


def ids_of(manifest, number=6):
    return [image.id for image in manifest.images[:number]]


def padded(group, extra):
    """The same input with ``extra`` more columns of padding, filled with numbers that must not matter."""
    if isinstance(group, TextInput):
        rows = len(group.ids)
        ids = torch.cat([group.ids, torch.full((rows, extra), 7)], 1)
        return TextInput(ids, torch.cat([group.mask, torch.zeros(rows, extra, dtype=torch.bool)], 1))
    tags = padded(TextInput(group.tag_ids, group.tag_mask), extra)
    rows, _, width = group.features.shape
    features = torch.cat([group.features, torch.full((rows, extra, width), 3.0)], 1)
    mask = torch.cat([group.region_mask, torch.zeros(rows, extra, dtype=torch.bool)], 1)
    return RegionInput(tags.ids, tags.mask, features, mask)


@pytest.mark.parametrize("kind", KINDS)
def test_decomposing_adds_and_copies_nothing(make_backbone, kind):
    backbone = make_backbone(kind)
    before = {name: (parameter, parameter.clone()) for name, parameter in backbone.named_parameters()}
    matcher, encoder = JointMatcher(backbone), decompose(backbone)
    after = dict(encoder.named_parameters())
    assert after.keys() == {f"backbone.{name}" for name in before}
    for name, (parameter, value) in before.items():
        assert after[f"backbone.{name}"] is parameter is dict(matcher.named_parameters())[f"backbone.{name}"]
        assert torch.equal(parameter, value)
    assert sorted(encoder.state_dict()) == sorted(f"backbone.{name}" for name in backbone.state_dict())


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_padding_and_company_change_nothing_for_a_caption(make_backbone, readers, kind, pooling):
    encoder, text = decompose(make_backbone(kind), pooling).eval(), readers(kind).text
    with torch.no_grad():
        together = encoder.encode_text(text.read(TEXTS))
        alone = torch.cat([encoder.encode_text(text.read([one])) for one in TEXTS])
        wider = encoder.encode_text(padded(text.read(TEXTS), 5))
    assert torch.allclose(together, alone, atol=1e-6) and torch.allclose(together, wider, atol=1e-6)
    assert torch.allclose(together.norm(dim=1), torch.ones(len(TEXTS))) and together.shape[1] == encoder.embedding_size
    assert (together[0] - together[2]).abs().max() > 0.05, "different captions have different vectors"


@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_and_company_change_nothing_for_tags_and_regions(make_backbone, readers, manifest, pooling):
    encoder, visual, ids = decompose(make_backbone("oscar"), pooling).eval(), readers("oscar").visual, ids_of(manifest)
    with torch.no_grad():
        together = encoder.encode_visual(visual.read(ids))
        alone = torch.cat([encoder.encode_visual(visual.read([one])) for one in ids])
        wider = encoder.encode_visual(padded(visual.read(ids), 4))
        full = encoder.encode_visual(readers("oscar", full=True).visual.read(ids))
    for other in (alone, wider, full):
        assert torch.allclose(together, other, atol=1e-6)
    assert (together[0] - together[1]).abs().max() > 0.05


@pytest.mark.parametrize("pooling", POOLINGS)
def test_company_changes_nothing_for_pixels(make_backbone, readers, manifest, pooling):
    encoder, visual, ids = decompose(make_backbone("vilt"), pooling).eval(), readers("vilt").visual, ids_of(manifest)
    with torch.no_grad():
        together = encoder.encode_visual(visual.read(ids))
        alone = torch.cat([encoder.encode_visual(visual.read([one])) for one in ids])
    assert torch.allclose(together, alone, atol=1e-6)


def test_padding_does_change_mean_all_unless_it_is_full(make_backbone, readers):
    encoder = decompose(make_backbone("oscar"), "mean_all").eval()
    loose, full = readers("oscar").text, readers("oscar", full=True).text
    with torch.no_grad():
        assert not torch.allclose(
            encoder.encode_text(loose.read(TEXTS))[0], encoder.encode_text(loose.read(TEXTS[:1]))[0], atol=1e-3
        )
        together = encoder.encode_text(full.read(TEXTS))
        alone = torch.cat([encoder.encode_text(full.read([one])) for one in TEXTS])
    assert torch.allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_text_through_the_joint_path_without_an_image_is_the_individual_path(make_backbone, readers, kind, manifest):
    backbone, text = make_backbone(kind), readers(kind).text.read(TEXTS[:3])
    with torch.no_grad():
        alone = backbone.encode(backbone.text_sequence(text)).states
        image = backbone.visual_sequence(readers(kind).visual.read(ids_of(manifest, 3)), after=text)
        hidden = Sequence(image.states, torch.zeros_like(image.mask))
        nothing = Sequence(image.states[:, :0], image.mask[:, :0])
        for absent in (hidden, nothing):
            joint = backbone.encode(backbone.text_sequence(text).followed_by(absent)).states[:, : text.ids.shape[1]]
            assert torch.allclose(joint[text.mask], alone[text.mask], atol=1e-5)
        seen = backbone.encode_jointly(text, readers(kind).visual.read(ids_of(manifest, 3))).states[:, : text.ids.shape[1]]
    assert not torch.allclose(seen[text.mask], alone[text.mask], atol=1e-2), "an image that is there does matter"


def test_an_image_with_no_region_and_no_tag_has_a_vector(make_backbone, readers, region_store):
    from vldeformer.data.records import Regions

    nothing = Regions(region_store.features[:0], region_store.boxes[:0], ())
    some = region_store[region_store.ids[0]]
    encoder, visual = decompose(make_backbone("oscar"), "mean").eval(), readers("oscar").visual
    with torch.no_grad():
        alone, together = encoder.encode_visual(visual.collate([nothing])), encoder.encode_visual(visual.collate([some, nothing]))
    assert torch.isfinite(together).all() and torch.allclose(alone[0], together[1], atol=1e-6)


def test_one_forward_pass_encodes_all_that_a_batch_has(make_backbone, readers, manifest):
    encoder, read = decompose(make_backbone("oscar")).eval(), readers("oscar")
    text, hard, visual = read.text.read(TEXTS[:2]), read.text.read(TEXTS[2:4]), read.visual.read(ids_of(manifest, 2))
    with torch.no_grad():
        found = encoder(PairBatch(text, visual, torch.arange(2), hard, torch.ones(2, dtype=torch.bool)))
        assert torch.equal(found.captions, encoder.encode_text(text)) and torch.equal(found.images, encoder.encode_visual(visual))
        assert torch.equal(found.hard_captions, encoder.encode_text(hard)) and found.hard_images is None


def test_separate_weights_start_as_one_reading_and_part_with_the_first_change(make_backbone, readers, manifest):
    backbone, read = make_backbone("oscar"), readers("oscar")
    shared, separate = decompose(backbone).eval(), decompose(backbone, shared=False).eval()
    names = set(backbone.state_dict())
    assert set(separate.state_dict()) == {f"{part}.{name}" for part in ("backbone", "image_backbone") for name in names}
    text, visual = read.text.read(TEXTS[:2]), read.visual.read(ids_of(manifest, 2))
    with torch.no_grad():
        captions, images = shared.encode_text(text), shared.encode_visual(visual)
        assert torch.equal(separate.encode_text(text), captions) and torch.equal(separate.encode_visual(visual), images)
        next(separate.image_backbone.parameters()).add_(1.0)
        assert torch.equal(separate.encode_text(text), captions) and not torch.equal(separate.encode_visual(visual), images)
        next(backbone.parameters()).add_(1.0)
        assert not torch.equal(separate.encode_text(text), captions)


def test_each_of_separate_weights_learns_from_its_own_side_alone(make_backbone, readers, manifest):
    encoder, read = decompose(make_backbone("oscar"), shared=False), readers("oscar")
    encoder.encode_text(read.text.read(TEXTS[:2])).sum().backward()
    assert any(parameter.grad is not None for parameter in encoder.backbone.parameters())
    assert all(parameter.grad is None for parameter in encoder.image_backbone.parameters())
    encoder.zero_grad()
    encoder.encode_visual(read.visual.read(ids_of(manifest, 2))).sum().backward()
    assert any(parameter.grad is not None for parameter in encoder.image_backbone.parameters())
    assert all(parameter.grad is None for parameter in encoder.backbone.parameters())


def test_a_learned_temperature_is_one_weight_that_no_decay_touches(make_backbone, readers, manifest):
    read = readers("oscar")
    batch = PairBatch(read.text.read(TEXTS[:2]), read.visual.read(ids_of(manifest, 2)), torch.arange(2), None, None)
    fixed, encoder = decompose(make_backbone("oscar")), decompose(make_backbone("oscar"), initial_temperature=0.07)
    assert fixed(batch).temperature is None and "log_temperature" not in fixed.state_dict()
    assert encoder(batch).temperature.item() == pytest.approx(0.07) and encoder.state_dict()["log_temperature"].ndim == 0
    decayed, plain = (group["params"] for group in build_optimizer(encoder, 0.05).param_groups)
    assert [weight is encoder.log_temperature for weight in plain].count(True) == 1 and all(w.ndim > 1 for w in decayed)
