"""Encoding a whole set equals encoding one item after another."""

import dataclasses

import numpy as np
import pytest
import torch

from vldeformer.errors import InputError
from vldeformer.inputs.collate import RegionReader
from vldeformer.models.dual import decompose
from vldeformer.retrieval.item_vectors import embed, encode_captions, encode_images, text_batches


@pytest.mark.parametrize(("kind", "pooling"), [("oscar", "mean"), ("oscar", "mean_all"), ("oscar", "mean_max"), ("vilt", "mean")])
def test_vectors_are_those_of_one_item_alone_in_order(test_set, readers, make_backbone, kind, pooling):
    read, encoder, told = readers(kind, full=pooling == "mean_all"), decompose(make_backbone(kind), pooling).eval(), []
    found = embed(encoder, test_set, read, told.append, batch_size=4)
    with torch.no_grad():
        images = torch.cat([encoder.encode_visual(read.visual.read([image.id])) for image in test_set.images])
        captions = torch.cat([encoder.encode_text(read.text.read([caption.text])) for caption in test_set.captions])
    assert np.allclose(found.images, images.numpy(), atol=1e-6) and np.allclose(found.captions, captions.numpy(), atol=1e-6)
    assert np.abs(found.captions[4] - found.captions[5]).max() > 1e-3, "an exchange would be seen"
    assert found.image_ids == tuple(image.id for image in test_set.images)
    assert found.caption_ids == tuple(caption.id for caption in test_set.captions)
    assert np.array_equal(found.caption_image_index, test_set.caption_image_index)
    assert sum(told) == len(test_set.images) + len(test_set.captions) and max(told) == 4


def test_a_vector_that_is_not_finite_names_its_image_or_caption(test_set, readers, make_backbone):
    read, encoder = readers("oscar"), decompose(make_backbone("oscar"), "mean").eval()
    ids, store = [image.id for image in test_set.images[:5]], read.visual.store

    class Damaged:
        feature_width = store.feature_width

        def __getitem__(self, image_id):
            found = store[image_id]
            features = np.full_like(found.features, np.nan) if image_id == ids[3] else found.features
            return dataclasses.replace(found, features=features)

    visual = RegionReader(Damaged(), read.text.words, read.visual.tag_tokens, read.visual.most_regions)
    with pytest.raises(InputError, match=f"image '{ids[3]}': its vector holds NaN or infinity; check the model and the store"):
        encode_images(encoder, ids, dataclasses.replace(read, visual=visual), batch_size=2)
    texts = ["a", f"long {'x' * 100}", "b c d"]
    with torch.no_grad():
        encoder.backbone.bert.embeddings.position_embeddings.weight[5:] = torch.nan
    with pytest.raises(InputError, match=f"caption 'long {'x' * 75}…': its vector holds NaN"):
        encode_captions(encoder, texts, read, batch_size=2)


def test_captions_of_one_length_share_a_batch(readers):
    text = readers("oscar").text
    texts = ["a ring left of a box", "a ring", "a box", "two stars left of a box", "a star"]
    batches = list(text_batches(texts, text, 3))
    rows = np.concatenate([part for part, _ in batches]).tolist()
    assert sorted(rows) == list(range(5))
    lengths = [len(text.words.encode([texts[row]], 24)[0]) for row in rows]
    assert lengths == sorted(lengths)
    for part, batch in batches:
        for row, ids, mask in zip(part, batch.ids, batch.mask, strict=True):
            assert ids[mask].tolist() == text.words.encode([texts[row]], 24)[0]
