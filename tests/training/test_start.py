"""Regions that start as words: means by plain loops, the spread of what is said, what a start without pre-training changes."""

import numpy as np
import pytest
import torch
from tiny_settings import backbone as backbone_settings

from vldeformer.training import start
from vldeformer.training.start import mean_regions, mean_words, start_regions_as_words, start_without_pretraining


@pytest.fixture(scope="module")
def train(manifest):
    return manifest.split("train")


def test_the_mean_region_of_each_image(train, readers, monkeypatch):
    monkeypatch.setattr(start, "IMAGES_AT_ONCE", 5)
    reader, ids = readers("oscar"), [image.id for image in train.images]
    found = mean_regions(ids, reader)
    for row, image_id in enumerate(ids):
        regions = reader.visual.store[image_id]
        boxes = np.concatenate([regions.boxes, regions.boxes[:, 2:] - regions.boxes[:, :2]], axis=1)
        numbers = np.concatenate([regions.features.astype(np.float32), boxes], axis=1)
        np.testing.assert_allclose(found[row], sum(numbers) / len(numbers), atol=1e-5)


def test_the_mean_word_of_each_image_counts_rare_words_more(train, readers, words):
    text, table = readers("oscar").text, np.random.default_rng(0).normal(size=(len(words), 3))
    found = mean_words(train, text, table)
    pieces = {caption.id: words.encode([caption.text], text.most_tokens)[0][1:-1] for caption in train.captions}
    share = [sum(piece in row for row in pieces.values()) / len(pieces) for piece in range(len(words))]
    for row, image in enumerate(train.images):
        total, weight = np.zeros(3), 0.0
        for caption in train.captions:
            for piece in pieces[caption.id] if caption.image_id == image.id else []:
                total += table[piece] * 0.001 / (0.001 + share[piece])
                weight += 0.001 / (0.001 + share[piece])
        np.testing.assert_allclose(found[row], total / weight, rtol=1e-4)


def test_projected_images_lie_among_the_words_of_their_captions(train, readers, make_backbone):
    backbone, reader = make_backbone("oscar"), readers("oscar")
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    start_regions_as_words(backbone, train, reader)
    changed = {name for name, tensor in backbone.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed <= {f"region_{part}.{kind}" for part in ("embedding", "norm") for kind in ("weight", "bias")}
    assert "region_embedding.weight" in changed
    embeddings = backbone.bert.embeddings
    table = embeddings.word_embeddings.weight.detach().numpy()
    place = embeddings.position_embeddings.weight[1:12].mean(0) + embeddings.token_type_embeddings.weight[1]
    images = torch.from_numpy(mean_regions([image.id for image in train.images], reader))
    with torch.no_grad():
        said = (backbone.region_embedding(images) - place).numpy()
    wanted = mean_words(train, reader.text, table)
    np.testing.assert_allclose(said.mean(axis=0), wanted.mean(axis=0), atol=1e-5)
    assert said.var(axis=0).sum() == pytest.approx(wanted.var(axis=0).sum(), rel=1e-3)
    apart = [((said - wanted[rows]) ** 2).sum() for rows in (np.arange(16), np.roll(np.arange(16), 5))]
    assert apart[0] < apart[1], "nearer to its own words than to those of another image"
    for name, tensor in backbone.region_norm.state_dict().items():
        assert torch.equal(tensor, embeddings.LayerNorm.state_dict()[name])


def test_a_start_without_pretraining_is_random_unless_settings_ask(train, readers, make_backbone):
    backbone, reader = make_backbone("oscar"), readers("oscar")
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    start_without_pretraining(backbone, backbone_settings("oscar"), train, reader)
    assert all(torch.equal(tensor, before[name]) for name, tensor in backbone.state_dict().items())
    start_without_pretraining(backbone, backbone_settings("oscar", regions_as_words=True), train, reader)
    assert not torch.equal(backbone.region_embedding.weight, before["region_embedding.weight"])
