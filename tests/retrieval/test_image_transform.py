"""The contract of CLIP-like models: one tensor an image, stacked by torch, and the same vectors; CLIP_benchmark runs on it."""

import importlib.util

import numpy as np
import PIL.Image
import pytest
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, default_collate

import vldeformer

MODELS = [("oscar", "mean"), ("oscar", "mean_all"), ("squares", "mean"), ("squares", "mean_all"), ("photographs", "mean")]
INSTALLED = importlib.util.find_spec("clip_benchmark") is not None
CAPTIONS = ["a red ring", "", "a star left of a blue box and " * 20, "🦊 🧊", "[PAD] a ring [SEP] [PAD]", "a ring"]


def picture(width, height, seed):
    blocks = np.random.default_rng(seed).integers(256, size=(3, 4, 3), dtype=np.uint8)
    return PIL.Image.fromarray(blocks).resize((width, height), PIL.Image.Resampling.BILINEAR)


PICTURES = [
    picture(*size, seed) for seed, size in enumerate([(64, 64), (300, 90), (40, 130), (1, 1), (5, 900), (97, 64), (64, 70)])
]


@pytest.fixture
def opened(model_folder, region_store):
    """An encoder and images that it takes."""

    def of(kind, pooling="mean"):
        given = [region_store[name] for name in region_store.ids[:7]] if kind == "oscar" else PICTURES
        return vldeformer.load(model_folder(kind, pooling)), given

    return of


@pytest.mark.parametrize(("kind", "pooling"), MODELS)
def test_stacked_tensors_have_the_vectors_of_the_images(opened, kind, pooling):
    encoder, images = opened(kind, pooling)
    batches = list(DataLoader([encoder.transform(image) for image in images], batch_size=3))
    assert all(batch.dtype == torch.float32 for batch in batches)
    vectors = torch.cat([encoder.encode_image(batch) for batch in batches])
    assert vectors.dtype == torch.float32 and not vectors.requires_grad
    np.testing.assert_allclose(vectors.numpy(), encoder.encode_images(images), atol=1e-6)


@pytest.mark.parametrize(("kind", "pooling"), MODELS)
def test_tokens_have_the_vectors_of_the_captions(opened, kind, pooling):
    encoder, _ = opened(kind, pooling)
    tokens = encoder.tokenizer(CAPTIONS)
    assert tokens.dtype == torch.int64 and tokens.shape == (6, 24) and encoder.tokenizer([]).shape == (0, 24)
    vectors = encoder.encode_text(tokens)
    assert isinstance(vectors, torch.Tensor) and not vectors.requires_grad
    np.testing.assert_allclose(vectors.numpy(), encoder.encode_text(CAPTIONS), atol=1e-6)


def test_the_surrounding_precision_does_not_matter(opened):
    encoder, images = opened("squares")
    batch, tokens = torch.stack([encoder.transform(image) for image in images]), encoder.tokenizer(CAPTIONS)
    with torch.autocast("cpu", enabled=True):
        found = encoder.encode_image(batch), encoder.encode_text(tokens)
    assert torch.equal(found[0], encoder.encode_image(batch)) and torch.equal(found[1], encoder.encode_text(tokens))


def loader(encoder, images, texts):
    """As CLIP_benchmark makes it: transformed images stacked, and a list of captions for each."""
    pairs = list(zip(map(encoder.transform, images), texts, strict=True))
    return DataLoader(
        pairs, batch_size=4, collate_fn=lambda rows: (default_collate([row[0] for row in rows]), [row[1] for row in rows])
    )


def recalls_as_called_there(model, data, tokenizer, cutoffs):
    """The calls that CLIP_benchmark's retrieval evaluation makes, and recall by sorting."""
    images, captions, image_of = [], [], []
    for batch, texts in data:
        image_of += [len(images) + row for row, mine in enumerate(texts) for _ in mine]
        with torch.no_grad(), torch.autocast("cpu", enabled=True):
            images += functional.normalize(model.encode_image(batch), dim=-1)
            captions += functional.normalize(model.encode_text(tokenizer([text for mine in texts for text in mine])), dim=-1)
    scores, found = torch.stack(captions) @ torch.stack(images).T, {}
    for k in cutoffs:
        nearest = [scores[row].topk(k).indices.tolist() for row in range(len(captions))]
        found[f"image_retrieval_recall@{k}"] = np.mean([image_of[row] in near for row, near in enumerate(nearest)])
        nearest = [scores[:, row].topk(k).indices.tolist() for row in range(len(images))]
        found[f"text_retrieval_recall@{k}"] = np.mean(
            [row in [image_of[text] for text in near] for row, near in enumerate(nearest)]
        )
    return found


@pytest.mark.parametrize("kind", ["oscar", "squares", "photographs"])
@pytest.mark.parametrize(
    "by", ["its calls", pytest.param("itself", marks=pytest.mark.skipif(not INSTALLED, reason="clip_benchmark is not installed"))]
)
def test_clip_benchmarks_recalls_are_ours(opened, manifest, kind, by):
    encoder, images = opened(kind)
    captions = iter(
        sorted({tuple(encoder.words.encode([caption.text], 24)[0]): caption.text for caption in manifest.captions}.values())
    )
    texts = [[next(captions) for _ in range(1 + row % 3)] for row in range(7)]
    cutoffs = [1, 2, 5]
    if by == "itself":
        from clip_benchmark.metrics import zeroshot_retrieval

        data = loader(encoder, images, texts)
        found = zeroshot_retrieval.evaluate(encoder, data, encoder.tokenizer, "cpu", amp=True, recall_k_list=cutoffs)
    else:
        found = recalls_as_called_there(encoder, loader(encoder, images, texts), encoder.tokenizer, cutoffs)
    index = [row for row, mine in enumerate(texts) for _ in mine]
    vectors = encoder.encode_text([text for mine in texts for text in mine])
    ours = vldeformer.evaluate(encoder.encode_images(images), vectors, index).ranks
    for k in cutoffs:
        assert found[f"image_retrieval_recall@{k}"] == pytest.approx(np.mean(ours.t2i <= k))
        assert found[f"text_retrieval_recall@{k}"] == pytest.approx(np.mean(ours.i2t <= k))
    assert 0 < np.mean(ours.t2i <= 2) < 1
