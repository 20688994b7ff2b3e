"""Encoding a whole set equals encoding one item after another."""

import dataclasses

import numpy as np
import pytest
import torch

from vldeformer.errors import InputError
from vldeformer.inputs.collate import RegionReader
from vldeformer.models.dual import decompose
from vldeformer.models.joint import JointMatcher
from vldeformer.retrieval import encode


@pytest.fixture(scope="module")
def test_set(manifest):
    chosen = manifest.split("test")
    texts = ["", "a star " * 250, "🦊", "قطة على سجادة"]
    captions = tuple(
        dataclasses.replace(caption, text=texts[row] or " . ") if row < len(texts) else caption
        for row, caption in enumerate(chosen.captions)
    )
    return dataclasses.replace(chosen, captions=captions)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    for name, size in (("CAPTIONS_AT_ONCE", 7), ("IMAGES_AT_ONCE", 3)):
        monkeypatch.setattr(encode, name, size)


@pytest.mark.parametrize(("kind", "pooling"), [("oscar", "mean"), ("oscar", "mean_all"), ("oscar", "mean_max"), ("vilt", "mean")])
def test_vectors_are_those_of_one_item_alone_in_order(test_set, readers, make_backbone, runtime, kind, pooling):
    read, encoder, told = readers(kind, full=pooling == "mean_all"), decompose(make_backbone(kind), pooling).eval(), []
    found = encode.embed(encoder, test_set, read.text, read.visual, runtime, told.append, batch_size=4)
    with torch.no_grad():
        images = torch.cat([encoder.encode_visual(read.visual.read([image.id])) for image in test_set.images])
        captions = torch.cat([encoder.encode_text(read.text.read([caption.text])) for caption in test_set.captions])
    assert np.allclose(found.images, images.numpy(), atol=1e-6) and np.allclose(found.captions, captions.numpy(), atol=1e-6)
    assert np.abs(found.captions[4] - found.captions[5]).max() > 1e-3, "an exchange would be seen"
    assert found.image_ids == tuple(image.id for image in test_set.images)
    assert found.caption_ids == tuple(caption.id for caption in test_set.captions)
    assert np.array_equal(found.caption_image_index, test_set.caption_image_index)
    assert sum(told) == len(test_set.images) + len(test_set.captions) and max(told) == 4


def test_a_vector_that_is_not_finite_names_its_image_or_caption(test_set, readers, make_backbone, runtime):
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
        encode.encode_images(encoder, ids, visual, runtime, batch_size=2)
    texts = ["a", f"long {'x' * 100}", "b c d"]
    with torch.no_grad():
        encoder.backbone.bert.embeddings.position_embeddings.weight[5:] = torch.nan
    with pytest.raises(InputError, match=f"caption 'long {'x' * 75}…': its vector holds NaN"):
        encode.encode_captions(encoder, texts, read.text, runtime, batch_size=2)


def test_captions_of_one_length_share_a_batch(readers):
    text = readers("oscar").text
    texts = ["a ring left of a box", "a ring", "a box", "two stars left of a box", "a star"]
    batches = list(encode.text_batches(texts, text, 3))
    rows = np.concatenate([part for part, _ in batches]).tolist()
    assert sorted(rows) == list(range(5))
    lengths = [len(text.words.encode([texts[row]], 24)[0]) for row in rows]
    assert lengths == sorted(lengths)
    for part, batch in batches:
        for row, ids, mask in zip(part, batch.ids, batch.mask, strict=True):
            assert ids[mask].tolist() == text.words.encode([texts[row]], 24)[0]


@pytest.mark.parametrize("apart", [0, 2])
@pytest.mark.parametrize("kind", ["oscar", "vilt", "visualbert"])
def test_scores_are_those_of_one_pair_alone(test_set, readers, make_backbone, runtime, kind, apart):
    part, read, told = test_set.first(4), readers(kind), []
    matcher = JointMatcher(make_backbone(kind, layers=3), apart=apart).eval()
    torch.nn.init.normal_(matcher.classifier.weight, std=1.0)
    found = encode.score_pairs(matcher, part, read.text, read.visual, runtime, told.append)
    assert found.scores.shape == (4, 20) and found.caption_ids == tuple(caption.id for caption in part.captions)
    with torch.no_grad():
        for row, image in enumerate(part.images):
            for column, caption in enumerate(part.captions):
                one = matcher.score(read.text.read([caption.text]), read.visual.read([image.id])).item()
                assert found.scores[row, column] == pytest.approx(one, abs=1e-4)
    assert sum(told) == 80 and np.ptp(found.scores, axis=0).min() > 1e-3 and np.ptp(found.scores, axis=1).min() > 1e-3


@pytest.mark.parametrize("apart", [0, 2])
def test_captions_and_images_are_read_once_for_all_their_pairs(test_set, readers, make_backbone, runtime, apart):
    part, read = test_set.first(4), readers("vilt")
    matcher = JointMatcher(make_backbone("vilt", layers=3), apart=apart).eval()
    rows = {"patches": [], "words": [], "lower": [], "upper": []}
    embeddings, layers = matcher.backbone.vilt.embeddings, matcher.backbone.vilt.encoder.layer
    for name, module in (("patches", embeddings.patch_embeddings), ("words", embeddings.text_embeddings), ("upper", layers[2])):
        module.register_forward_hook(lambda _, given, out, name=name: rows[name].append(len(out[0] if name == "upper" else out)))
    layers[0].register_forward_hook(lambda _, given, out: rows["lower"].append(len(out[0])))
    encode.score_pairs(matcher, part, read.text, read.visual, runtime)
    lengths = len({len(row) for row in read.text.words.encode([one.text for one in part.captions], read.text.most_tokens)})
    assert sum(rows["words"]) == 20 and sum(rows["upper"]) == 80
    assert sum(rows["patches"]) == (4 if apart else 4 * lengths)
    assert sum(rows["lower"]) == (24 if apart else 80)


def test_a_partly_joint_model_scores_in_bfloat16(test_set, readers, make_backbone, runtime):
    part, read = test_set.first(4), readers("oscar")
    matcher = JointMatcher(make_backbone("oscar", layers=3), apart=2).eval()
    exact, near = (
        encode.score_pairs(matcher, part, read.text, read.visual, runtime.model_copy(update={"precision": precision})).scores
        for precision in ("float32", "bfloat16")
    )
    assert near.dtype == np.float32 and 0 < np.abs(exact - near).max() < 0.1
