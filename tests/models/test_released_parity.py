"""What the released code was recorded to compute from the tiny download in ../shared, by this project's commands."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vldeformer.cli import main
from vldeformer.data.manifest import Manifest
from vldeformer.models.pooling import pool
from vldeformer.retrieval.embeddings import Embeddings, Scores
from vldeformer.retrieval.reader import open_encoder, open_matcher
from vldeformer.runtime import this_machine

SHARED = Path(__file__).parents[3] / "shared" / "fixtures" / "vinvl_tiny"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not here: no recorded answers to compare with"),
]


@pytest.fixture(scope="module")
def recorded():
    return json.loads((SHARED / "expected.json").read_text()), dict(np.load(SHARED / "expected.npz"))


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Everything by the commands that a user runs."""
    folder = tmp_path_factory.mktemp("parity")
    model, store, manifest = folder / "model", folder / "store", folder / "manifest.json"
    keys = SHARED / "coco_ir" / "test_img_keys.tsv"
    read = ["--manifest", manifest, "--features", store]
    for command in (
        ["import-weights", SHARED / "checkpoint", "--out", model],
        ["import-features", SHARED / "model_0060000", "--out", store, "--dtype", "float32"],
        ["import-features", SHARED / "model_0060000", "--out", folder / "store16"],
        ["import-captions", SHARED / "coco_ir/test_captions.pt", "--keys", keys, "--split", "test", "--out", manifest],
        ["embed", "--model", model, *read, "--out", folder / "embed"],
        ["embed", "--model", model, "--manifest", manifest, "--features", folder / "store16", "--out", folder / "embed16"],
        ["score", "--model", model, *read, "--out", folder / "score"],
        ["evaluate", "--embeddings", folder / "embed", "--protocol", "all", "--out", folder / "result.json"],
    ):
        assert main([*map(str, command)]) == 0
    return folder


@pytest.fixture(scope="module")
def order(imported, recorded):
    """Rows of the manifest in the order of the recorded arrays."""
    manifest = Manifest.load(imported / "manifest.json")
    row = {image.id: number for number, image in enumerate(manifest.images)}
    assert [len(list(group)) for group in np.split(manifest.caption_image_index, 12)] == [5] * 12
    return np.array([row[str(number)] for number in recorded[1]["image_ids"]])


def test_embeddings_before_normalising(imported, recorded, order):
    encoder, reader = open_encoder(imported / "model", imported / "store", this_machine())
    manifest, backbone = Manifest.load(imported / "manifest.json"), encoder.backbone
    ids = [manifest.images[row].id for row in order]
    texts = [manifest.captions[5 * row + number].text for row in order for number in range(5)]

    def pooled(sequence):
        return torch.tanh(pool(backbone.encode(replace(sequence, whole=True)), "mean_all"))

    with torch.no_grad():
        images = pooled(backbone.visual_sequence(reader.visual.read(ids)))
        captions = pooled(backbone.text_sequence(reader.text.read(texts)))
        alone = pooled(backbone.visual_sequence(reader.visual.read(ids[5:6])))
    assert np.abs(images.numpy() - recorded[1]["image_embeddings"]).max() < 1e-5
    assert np.abs(captions.numpy() - recorded[1]["text_embeddings"]).max() < 1e-5
    assert torch.allclose(alone[0], images[5], atol=1e-6)


def test_vectors_and_cosines(imported, recorded, order):
    found = Embeddings.load(imported / "embed")
    captions = (5 * order[:, None] + np.arange(5)).ravel()
    for own, name in ((found.images[order], "image_embeddings"), (found.captions[captions], "text_embeddings")):
        expected = recorded[1][name]
        assert np.abs(own - expected / np.linalg.norm(expected, axis=1, keepdims=True)).max() < 1e-5
    assert np.abs(found.images[order] @ found.captions[captions].T - recorded[1]["similarity"]).max() < 1e-5


def test_joint_logits(imported, recorded):
    matcher, reader = open_matcher(imported / "model", imported / "store", this_machine())
    manifest, pairs = Manifest.load(imported / "manifest.json"), recorded[0]["joint"]
    texts = {(caption.image_id, int(caption.id.partition("#")[2])): caption.text for caption in manifest.captions}
    chosen = [texts[str(pair["caption_of"]), pair["caption"]] for pair in pairs]
    with torch.no_grad():
        logits = matcher.logits(reader.text.read(chosen), reader.visual.read([str(pair["image"]) for pair in pairs])).numpy()
    assert len(pairs) == 16 and np.abs(logits - np.array([pair["logits"] for pair in pairs])).max() < 1e-5
    scores = Scores.load(imported / "score")
    for pair, (no, yes) in zip(pairs, logits, strict=True):
        caption = scores.caption_ids.index(f"{pair['caption_of']}#{pair['caption']}")
        assert scores.scores[scores.image_ids.index(str(pair["image"])), caption] == pytest.approx(yes - no, abs=1e-5)


def test_recalls(imported, recorded):
    result = json.loads((imported / "result.json").read_text())
    for direction in ("i2t", "t2i"):
        for measure, expected in recorded[0][direction].items():
            found = result[direction][measure]
            assert (found["value"] if isinstance(found, dict) else found) == pytest.approx(100 * expected)


def test_half_precision_features_barely_move_a_vector(imported):
    whole, half = Embeddings.load(imported / "embed"), Embeddings.load(imported / "embed16")
    assert np.array_equal(whole.captions, half.captions) and not np.array_equal(whole.images, half.images)
    assert np.abs(whole.images - half.images).max() < 1e-3 and (whole.images * half.images).sum(1).min() > 1 - 1e-5
