"""`embed` and the Python face open a ViLT by its hub id, from the local cache and without a network."""

import json
import shutil

import numpy as np
import PIL.Image
import pytest
import torch
import transformers

import vldeformer
from vldeformer.cli import main
from vldeformer.content_digest import digest
from vldeformer.data.manifest import Manifest
from vldeformer.data.photographs import write_photographs
from vldeformer.data.records import Caption, Image
from vldeformer.retrieval.embeddings import Embeddings

NAME, COMMIT = "somebody/vilt-tiny-finetuned-coco", "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def cache(tmp_path_factory, words):
    """A cache of the hub as `hf download` leaves it, with one tiny ViLT of random weights."""
    root = tmp_path_factory.mktemp("hub")
    repository = root / f"models--{NAME.replace('/', '--')}"
    snapshot = repository / "snapshots" / COMMIT
    config = transformers.ViltConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=64,
        patch_size=16, max_position_embeddings=24, max_image_length=-1,
    )  # fmt: skip
    torch.manual_seed(1)
    transformers.ViltForImageAndTextRetrieval(config).save_pretrained(snapshot)
    transformers.ViltImageProcessorPil(size={"shortest_edge": 64}, size_divisor=16).save_pretrained(snapshot)
    words.save(snapshot / "tokenizer.json")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    return root


@pytest.fixture(autouse=True)
def no_network(cache, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Manifest and store of five photographs of different shapes, with one to five captions each."""
    root = tmp_path_factory.mktemp("photographs")
    sizes, images, captions = [(64, 64), (200, 90), (40, 130), (97, 64), (500, 70)], [], []
    for row, size in enumerate(sizes):
        blocks = np.random.default_rng(row).integers(256, size=(3, 4, 3), dtype=np.uint8)
        PIL.Image.fromarray(blocks).resize(size, PIL.Image.Resampling.BILINEAR).save(root / f"{row}.png")
        images.append(Image(str(row), "test", f"{row}.png"))
        captions += [Caption(f"{row}#{number}", str(row), f"{number} red ring {row}") for number in range(row + 1)]
    Manifest("own", tuple(images), tuple(captions)).save(root / "manifest.json")
    write_photographs(root / "store", root, {image.id: image.file for image in images if image.file})
    return root


def embed(photographs, model, out):
    arguments = ["embed", "--model", model, "--manifest", photographs / "manifest.json", "--features", photographs / "store"]
    assert main([*map(str, arguments), "--split", "test", "--out", str(out)]) == 0
    return Embeddings.load(out)


def test_a_hub_id_is_embedded_as_python_encodes_it(cache, photographs, tmp_path):
    found, manifest = embed(photographs, NAME, tmp_path / "emb"), Manifest.load(photographs / "manifest.json")
    encoder = vldeformer.load(NAME)
    images = encoder.encode_images([PIL.Image.open(photographs / image.file) for image in manifest.images])
    assert np.abs(found.images - images).max() <= 1e-6
    assert np.abs(found.captions - encoder.encode_text([caption.text for caption in manifest.captions])).max() <= 1e-6
    record = json.loads((tmp_path / "emb" / "provenance.json").read_text())["inputs"]["model"]
    snapshot = next(cache.glob(f"models--*/snapshots/{COMMIT}"))
    assert record == {"path": str(snapshot), "sha256": digest(snapshot)}


def test_a_saved_model_needs_the_hub_no_more(cache, photographs, tmp_path, monkeypatch):
    vldeformer.load(NAME).save_pretrained(tmp_path / "saved")
    snapshot = shutil.copytree(next(cache.glob(f"models--*/snapshots/{COMMIT}")), tmp_path / "local")
    first = embed(photographs, NAME, tmp_path / "first")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "empty"))
    for row, model in enumerate((snapshot, tmp_path / "saved")):
        again = embed(photographs, model, tmp_path / f"again{row}")
        assert np.array_equal(first.images, again.images) and np.array_equal(first.captions, again.captions)


@pytest.mark.parametrize("name", ["nobody/nothing", "/no/such/folder", "no/such/folder"])
def test_a_model_that_is_not_there_is_said_in_one_line(name):
    with pytest.raises(vldeformer.InputError) as caught:
        vldeformer.load(name)
    assert name in str(caught.value) and "expected" in str(caught.value) and "\n" not in str(caught.value)
