"""The direct embeddings equal those of transformers' own ViLT."""

import torch

TEXTS = ["a ring", "two blue stars left of a small green box"]


def read(readers, manifest):
    opened = readers("vilt")
    return opened.text.read(TEXTS), opened.visual.read([image.id for image in manifest.images[:2]])


def test_joint_states_and_summary_equal_vilts_own_forward(make_backbone, readers, manifest):
    backbone, (text, visual) = make_backbone("vilt"), read(readers, manifest)
    assert not text.mask.all(), "one caption is padded"
    with torch.no_grad():
        own = backbone.encode_jointly(text, visual)
        reference = backbone.vilt(
            input_ids=text.ids,
            attention_mask=text.mask.long(),
            pixel_values=visual.pixels,
            pixel_mask=torch.ones(2, *visual.pixels.shape[-2:], dtype=torch.long),
        )
    width = text.ids.shape[1]
    assert own.states.shape == reference.last_hidden_state.shape
    assert torch.allclose(own.states[:, :width][text.mask], reference.last_hidden_state[:, :width][text.mask], atol=1e-5)
    assert torch.allclose(backbone.summary(own), reference.pooler_output, atol=1e-5)
    # ViLT shuffles the order of the patches; the [CLS] vector of the image keeps its place.
    assert torch.allclose(own.states[:, width], reference.last_hidden_state[:, width], atol=1e-5)
    for row in range(2):
        distances = torch.cdist(own.states[row, width:], reference.last_hidden_state[row, width:])
        assert distances.min(1).values.max() < 1e-4 and distances.min(0).values.max() < 1e-4


def test_a_new_backbone_knows_where_a_patch_is(words):
    from tiny_settings import backbone as settings

    from vldeformer.models.weights import build_backbone

    backbone = build_backbone(settings("vilt"), len(words), 3)
    positions = backbone.vilt.embeddings.position_embeddings
    assert positions.shape == (1, 1 + 9, 32)
    assert 0.01 < positions.std().item() < 0.03
    assert backbone.vilt.embeddings.cls_token.abs().max() > 0


def test_an_image_is_embedded_alike_alone_and_behind_a_caption(make_backbone, readers, manifest):
    backbone, (text, visual) = make_backbone("vilt"), read(readers, manifest)
    with torch.no_grad():
        alone, behind = backbone.visual_sequence(visual), backbone.visual_sequence(visual, after=text)
    assert torch.equal(alone.states, behind.states) and alone.mask.all() and behind.mask.all()
    assert alone.states.shape == (2, 10, 32)
