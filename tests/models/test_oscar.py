"""How Oscar joins caption, tags and regions."""

import pytest
import torch
from pydantic import ValidationError
from tiny_settings import backbone as settings

from vldeformer.inputs.batch import RegionInput

TEXTS = ["a ring", "two blue stars left of a small green box"]


@pytest.fixture(scope="module")
def backbone(make_backbone):
    return make_backbone("oscar")


@pytest.fixture(scope="module")
def text(readers):
    return readers("oscar").text.read(TEXTS)


@pytest.fixture(scope="module")
def visual(readers, manifest):
    return readers("oscar").visual.read([image.id for image in manifest.images[:2]])


def embedded_tag(backbone, token, position, there=True):
    """One tag by hand: word + segment 1 (padding: 0) + position, normalised."""
    table = backbone.bert.embeddings
    segment = table.token_type_embeddings.weight[int(there)]
    return table.LayerNorm(table.word_embeddings.weight[token] + segment + table.position_embeddings.weight[position])


def test_tags_go_on_counting_where_the_caption_ended(backbone, text, visual):
    with torch.no_grad():
        states = backbone.visual_sequence(visual, after=text).states
        for row in range(2):
            length = int(text.mask[row].sum())
            for place in range(1, visual.tag_ids.shape[1]):
                there = visual.tag_mask[row, place]
                expected = embedded_tag(backbone, visual.tag_ids[row, place], length + place - 1, there)
                assert torch.allclose(states[row, place], expected, atol=1e-5)
    assert text.mask.sum(1).unique().numel() == 2, "captions of two lengths"


def test_alone_tags_count_from_their_own_cls(backbone, visual):
    with torch.no_grad():
        sequence = backbone.visual_sequence(visual)
        for place in range(visual.tag_ids.shape[1]):
            expected = embedded_tag(backbone, visual.tag_ids[0, place], place, visual.tag_mask[0, place])
            assert torch.allclose(sequence.states[0, place], expected, atol=1e-5)
    assert torch.equal(sequence.mask, torch.cat([visual.tag_mask, visual.region_mask], 1))


def test_behind_a_caption_the_cls_of_the_tags_is_hidden(backbone, text, visual):
    mask = backbone.visual_sequence(visual, after=text).mask
    assert not mask[:, 0].any() and torch.equal(mask[:, 1:], torch.cat([visual.tag_mask, visual.region_mask], 1)[:, 1:])
    other = RegionInput(visual.tag_ids.clone(), visual.tag_mask, visual.features, visual.region_mask)
    other.tag_ids[:, 0] = 9
    with torch.no_grad():
        one, two = backbone.encode_jointly(text, visual).states, backbone.encode_jointly(text, other).states
        hidden = text.ids.shape[1]
        shown = [place for place in range(one.shape[1]) if place != hidden]
        assert torch.equal(one[:, shown], two[:, shown])
        assert not torch.allclose(backbone.encode(backbone.visual_sequence(visual)).states[:, 1:], backbone.encode(
            backbone.visual_sequence(other)
        ).states[:, 1:], atol=1e-3), "alone it is read"  # fmt: skip


def test_reading_together_does_not_depend_on_padding(backbone, readers, manifest, text, visual):
    full = readers("oscar", full=True)
    ids = [image.id for image in manifest.images[:2]]
    with torch.no_grad():
        loose = backbone.summary(backbone.encode_jointly(text, visual))
        padded = backbone.summary(backbone.encode_jointly(full.text.read(TEXTS), full.visual.read(ids)))
        alone = [
            backbone.summary(backbone.encode_jointly(readers("oscar").text.read([one]), readers("oscar").visual.read([image])))
            for one, image in zip(TEXTS, ids, strict=True)
        ]
    assert torch.allclose(loose, padded, atol=1e-5) and torch.allclose(loose, torch.cat(alone), atol=1e-5)


def test_a_region_is_projected_and_normalised_without_position(backbone, visual):
    turned = RegionInput(visual.tag_ids, visual.tag_mask, visual.features.flip(1), visual.region_mask.flip(1))
    tags = visual.tag_ids.shape[1]
    with torch.no_grad():
        states = backbone.visual_sequence(visual).states[:, tags:]
        # Close, not equal: how a matrix product sums a row may depend on where the row stands.
        torch.testing.assert_close(backbone.visual_sequence(turned).states[:, tags:], states.flip(1))
        vector = backbone.region_embedding.weight @ visual.features[0, 0] + backbone.region_embedding.bias
        expected = (vector - vector.mean()) / (vector.var(unbiased=False) + 1e-12).sqrt()
    assert torch.allclose(states[0, 0], expected, atol=1e-5)


def test_captions_longer_than_berts_usual_positions(make_backbone, readers, words):
    from vldeformer.inputs.collate import TextReader

    backbone = make_backbone("oscar", caption_tokens=600)
    text = TextReader(words, 600).read(["ring " * 700])
    assert text.ids.shape == (1, 600)
    with torch.no_grad():
        assert torch.isfinite(backbone.encode(backbone.text_sequence(text)).states).all()


def test_numbers_of_regions_are_dropped_in_training_only(make_backbone, visual):
    plain, dropping = make_backbone("oscar"), make_backbone("oscar", feature_dropout=0.9)
    dropping.load_state_dict(plain.state_dict())
    with torch.no_grad():
        assert torch.equal(plain.visual_sequence(visual).states, dropping.visual_sequence(visual).states)
        seen = []
        dropping.region_embedding.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
        dropping.train().visual_sequence(visual)
    shares = set()
    for given, kept in zip(visual.features, seen[0], strict=True):
        stays = (kept != 0).any(0)
        assert torch.allclose(kept[:, stays], given[:, stays] * 10, rtol=1e-5), "the same numbers of all regions"
        shares.add(tuple(stays.tolist()))
    assert len(shares) == 2 and 0 < sum(map(sum, shares)) < 0.5 * sum(map(len, shares)), "other ones of each image"
    dropping.eval()


def test_frozen_words_stay_as_they_are(make_backbone, text, visual):
    backbone = make_backbone("oscar", text_model="some/bert", freeze_words=True)
    backbone.encode_jointly(text, visual).states.sum().backward()
    without = {name for name, weight in backbone.named_parameters() if weight.grad is None}
    assert {name for name in without if "pooler" not in name} == {"bert.embeddings.word_embeddings.weight"}
    assert all(weight.requires_grad for weight in make_backbone("oscar").parameters())


def test_words_of_random_vectors_are_not_frozen():
    with pytest.raises(ValidationError, match="a text_model with freeze_words"):
        settings("oscar", freeze_words=True)
