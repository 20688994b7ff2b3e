"""The hardest of the whole training set, against plain loops; tables that a continued run finds in its state."""

import numpy as np
import pytest
import torch
from torch import nn

from vldeformer.inputs.drawn_negatives import MinedNegatives
from vldeformer.retrieval.embeddings import Embeddings
from vldeformer.training import mining
from vldeformer.training.joint_settings import Stage
from vldeformer.training.mining import Miner, RankedShares, hardest


def unit(rows, seed):
    vectors = np.random.default_rng(seed).normal(size=(rows, 6)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("depth", [1, 3, 50])
def test_the_hardest_are_those_of_a_plain_loop(depth, monkeypatch):
    monkeypatch.setattr(mining, "QUERIES_AT_ONCE", 4)
    queries, gallery = unit(9, 0), unit(12, 1)
    query_images, gallery_images = np.arange(9) % 5, np.arange(12) % 4
    found = hardest(queries, gallery, query_images, gallery_images, depth)
    assert found.shape == (9, min(depth, 12))
    for row in range(9):
        others = [n for n in range(12) if gallery_images[n] != query_images[row]]
        others.sort(key=lambda n: -float(queries[row] @ gallery[n]))
        expected = others[:depth] + [-1] * (min(depth, 12) - len(others[:depth]))
        assert found[row].tolist() == expected


def test_tables_are_looked_up_every_few_steps_and_come_back_with_the_state(manifest):
    train = manifest.split("train")
    ids = [image.id for image in train.images], [caption.id for caption in train.captions]
    calls = []

    def embed(model):
        assert not model.training
        calls.append(len(calls))
        seed = 10 * len(calls)
        vectors = unit(len(ids[0]), seed), unit(len(ids[1]), seed + 1)
        return Embeddings(tuple(ids[0]), vectors[0], tuple(ids[1]), vectors[1], train.caption_image_index)

    state: dict = {}
    negatives, model = MinedNegatives(train, 1), nn.Dropout(0.5)
    miner = Miner(negatives, embed, 3, 2, state)
    tables = []
    for step in range(7):
        miner.prepare(model, step)
        tables.append(negatives.captions_of_images.copy())
        assert model.training
    assert len(calls) == 3
    assert (tables[0] == tables[2]).all() and (tables[2] != tables[3]).any() and (tables[5] != tables[6]).any()
    index = train.caption_image_index
    assert all(index[row] != image for image, rows in enumerate(negatives.captions_of_images) for row in rows)
    assert all(row != index[caption] for caption, rows in enumerate(negatives.images_of_captions) for row in rows)

    again = MinedNegatives(train, 1)
    Miner(again, embed, 3, 2, dict(state)).prepare(model, 7)
    assert len(calls) == 3, "between two look-ups a continued run takes the tables from its state"
    assert torch.equal(torch.from_numpy(again.images_of_captions), state["images_of_captions"])


def test_what_is_nearer_than_the_own_image_is_left_out_if_asked(monkeypatch):
    monkeypatch.setattr(mining, "QUERIES_AT_ONCE", 4)
    queries, gallery = unit(9, 2), unit(12, 3)
    query_images, gallery_images = np.arange(9) % 4, np.arange(12) % 4
    found = hardest(queries, gallery, query_images, gallery_images, 12, below_own=True)
    left_out = 0
    for row in range(9):
        cosines = [float(vector @ queries[row]) for vector in gallery]
        own = max(cosines[n] for n in range(12) if gallery_images[n] == query_images[row])
        others = [n for n in range(12) if gallery_images[n] != query_images[row] and cosines[n] <= own]
        left_out += 9 - len(others)
        assert [n for n in found[row].tolist() if n >= 0] == sorted(others, key=lambda n: -cosines[n])
    assert left_out > 9


def places(depth, most=5):
    """At most five, from the first to the last, evenly spread."""
    return list(range(depth)) if depth <= most else [round(n * (depth - 1) / (most - 1)) for n in range(most)]


def test_shares_of_a_ranking_become_narrower_with_the_steps(manifest, monkeypatch):
    monkeypatch.setattr(mining, "MOST_KEPT", 5)
    train = manifest.split("train")
    images, captions = [image.id for image in train.images], [caption.id for caption in train.captions]
    ranked = Embeddings(tuple(images), unit(len(images), 4), tuple(captions), unit(len(captions), 5), train.caption_image_index)
    negatives = MinedNegatives(train, 1)
    shares = RankedShares(negatives, ranked, [Stage(step=0, share=1), Stage(step=2, share=0.5), Stage(step=6, share=0.1)])
    for step, share in ((0, None), (1, None), (2, 0.5), (5, 0.5), (6, 0.1), (99, 0.1)):
        assert shares.prepare(step) == (share is not None)
        if share is None:
            assert negatives.captions_of_images is None and negatives.images_of_captions is None
            continue
        index, rows = train.caption_image_index, np.arange(len(images))
        for table, queries, gallery, own, others in (
            (negatives.captions_of_images, ranked.images, ranked.captions, rows, index),
            (negatives.images_of_captions, ranked.captions, ranked.images, index, rows),
        ):
            depth = max(1, round(share * len(gallery)))
            expected = hardest(queries, gallery, own, others, depth, below_own=True)
            assert table.tolist() == expected[:, places(depth)].tolist()
